"""Who answers at a public address that speaks OpenAI's API."""

from __future__ import annotations

from typing import Any

import pytest
from obs_instrumentors.clients import hosts

HOSTS = {
    "https://router.huggingface.co/v1": "huggingface",
    "https://api.z.ai/api/paas/v4": "zai",
    "https://api.deepinfra.com/v1/openai": "deepinfra",
    "https://integrate.api.nvidia.com/v1": "nvidia",
    "https://dashscope-intl.aliyuncs.com/compatible-mode/v1": "dashscope",
    "https://open.bigmodel.cn/api/paas/v4": "zhipuai",
    "https://ark.cn-beijing.volces.com/api/v3": "volcengine",
    "https://api.studio.nebius.ai/v1": "nebius",
    "https://api.groq.com/openai/v1": "groq",
    "https://abc.eu-west-1.aws.endpoints.huggingface.cloud/v1": "huggingface",
    "https://llm.example.org/v1": "openai",
    "http://127.0.0.1:8000/v1": "openai",
}


@pytest.mark.parametrize("url", HOSTS)
def test_provider_by_host(url: str, package: Any) -> None:
    from obs_run.core.operations import Inference

    operation = Inference("chat")
    client = package.OpenAI(api_key="none", base_url=url)
    hosts.read_provider(operation, client, "openai")
    client.close()
    assert operation.provider == HOSTS[url]
