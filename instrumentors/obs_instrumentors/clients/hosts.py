"""Who answers at an endpoint, and which of them can be asked for the usage of a stream."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.server_address import host_and_port
from obs_run import settings
from obs_run.base import guard

if TYPE_CHECKING:
    from obs_run.core.operations import Operation

_PROVIDERS = {
    "api.openai.com": "openai",
    "openai.azure.com": "azure.ai.openai",
    "cognitiveservices.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.openai",
    "models.inference.ai.azure.com": "azure.ai.inference",
    "api.groq.com": "groq",
    "api.together.xyz": "together_ai",
    "api.together.ai": "together_ai",
    "api.fireworks.ai": "fireworks_ai",
    "api.cerebras.ai": "cerebras",
    "api.deepseek.com": "deepseek",
    "api.perplexity.ai": "perplexity",
    "openrouter.ai": "openrouter",
    "api.mistral.ai": "mistral_ai",
    "api.x.ai": "x_ai",
    "api.moonshot.ai": "moonshot_ai",
    "api.moonshot.cn": "moonshot_ai",
    "api.anthropic.com": "anthropic",
    "api.cohere.ai": "cohere",
    "api.cohere.com": "cohere",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "ml.cloud.ibm.com": "ibm.watsonx.ai",
    "ai-gateway.vercel.sh": "vercel_ai_gateway",
    "api-inference.modelscope.cn": "modelscope",
    "api.01.ai": "01_ai",
    "api.ai21.com": "ai21",
    "api.arcee.ai": "arcee",
    "api.avian.io": "avian",
    "api.baichuan-ai.com": "baichuan",
    "api.cloudflare.com": "cloudflare",
    "api.deepinfra.com": "deepinfra",
    "api.doubleword.ai": "doubleword",
    "api.elevenlabs.io": "elevenlabs",
    "api.featherless.ai": "featherless_ai",
    "api.friendli.ai": "friendliai",
    "api.githubcopilot.com": "github_copilot",
    "api.hunyuan.cloud.tencent.com": "tencent",
    "api.hyperbolic.xyz": "hyperbolic",
    "api.inceptionlabs.ai": "inception",
    "api.inference.net": "inference_net",
    "api.inference.wandb.ai": "wandb",
    "api.jina.ai": "jina_ai",
    "api.lambda.ai": "lambda_ai",
    "api.lambdalabs.com": "lambda_ai",
    "api.llama.com": "meta",
    "api.meta.ai": "meta",
    "api.minimax.chat": "minimax",
    "api.minimax.io": "minimax",
    "api.minimaxi.com": "minimax",
    "api.morphllm.com": "morph",
    "api.novita.ai": "novita",
    "api.parasail.io": "parasail",
    "api.poe.com": "poe",
    "api.publicai.co": "publicai",
    "api.reka.ai": "reka",
    "api.sambanova.ai": "sambanova",
    "api.sarvam.ai": "sarvam",
    "api.scaleway.ai": "scaleway",
    "api.siliconflow.cn": "siliconflow",
    "api.siliconflow.com": "siliconflow",
    "api.stepfun.com": "stepfun",
    "api.synthetic.new": "synthetic",
    "api.upstage.ai": "upstage",
    "api.v0.dev": "v0",
    "api.voyageai.com": "voyageai",
    "api.writer.com": "writer",
    "api.z.ai": "zai",
    "azuredatabricks.net": "databricks",
    "bigmodel.cn": "zhipuai",
    "cloud.databricks.com": "databricks",
    "dashscope.aliyuncs.com": "dashscope",
    "dashscope-intl.aliyuncs.com": "dashscope",
    "dashscope-us.aliyuncs.com": "dashscope",
    "endpoints.huggingface.cloud": "huggingface",
    "endpoints.kepler.ai.cloud.ovh.net": "ovhcloud",
    "gateway.ai.cloudflare.com": "cloudflare",
    "gcp.databricks.com": "databricks",
    "inference.baseten.co": "baseten",
    "integrate.api.nvidia.com": "nvidia",
    "llm.chutes.ai": "chutes",
    "maas.aliyuncs.com": "dashscope",
    "models.github.ai": "github",
    "nano-gpt.com": "nano_gpt",
    "nebius.ai": "nebius",
    "nebius.com": "nebius",
    "ollama.com": "ollama",
    "qianfan.baidubce.com": "baidu",
    "router.huggingface.co": "huggingface",
    "api-inference.huggingface.co": "huggingface",
    "volces.com": "volcengine",
}
_AZURE = "azure.ai.openai"
_BEDROCK = "aws.bedrock"

# Only hosts whose API reference promises one more chunk, with empty choices, for stream_options.include_usage.
# Azure's support depends on the API version and on the kind of input; the others of the table above send usage
# with the last chunk without being asked, or don't say.
_STREAM_USAGE_HOSTS = ("api.openai.com", "api.deepseek.com")


def read_provider(operation: Operation, client: Any, default: str) -> None:
    """Say on the operation who answers and where; ``default`` is the provider where the host does not tell."""
    host, port = host_and_port(client.base_url)
    read_provider_at(operation, host, port, default, type(client))


def read_provider_at(
    operation: Operation, host: str | None, port: int | None, default: str, client: type = object
) -> None:
    """Say on the operation who answers at ``host``; the class of the client tells more of some."""
    operation.server_address, operation.server_port = host, port
    provider = _provider_by_setting(host, port)
    if provider is None:
        provider = _provider(host or "", client, default)
    operation.provider = provider


def _provider_by_setting(host: str | None, port: int | None) -> str | None:
    providers = settings.get("OBS_PROVIDER_HOSTS") or {}
    return providers.get(f"{host}:{port}") or providers.get(host)


def sends_usage_if_asked(operation: Operation) -> bool:
    """Whether the host is known to answer the wish for a stream's usage."""
    # After a fault of ours the chunk that we ask for might not be hidden.
    if not settings.get("OBS_STREAM_USAGE") or guard.has_failed():
        return False
    host = operation.server_address or ""
    if _is_within(host, _STREAM_USAGE_HOSTS):
        return True
    hosts = settings.get("OBS_STREAM_USAGE_HOSTS") or ()
    return host in hosts or f"{host}:{operation.server_port}" in hosts


@lru_cache(maxsize=64)
def _provider(host: str, client: type, default: str) -> str:
    if host.startswith(("bedrock-runtime", "bedrock-mantle")) or host.endswith(".api.aws"):
        return _BEDROCK
    labels = host.split(".")
    # The longest domain first: a host of its own within one that is in the table.
    for length in range(len(labels), 1, -1):
        provider = _PROVIDERS.get(".".join(labels[-length:]))
        if provider is not None:
            return provider
    if host.endswith("-aiplatform.googleapis.com"):
        return _PROVIDERS["aiplatform.googleapis.com"]
    if any("AzureOpenAI" in parent.__name__ for parent in client.__mro__):
        # An Azure deployment behind a gateway's own name.
        return _AZURE
    return default


def _is_within(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
