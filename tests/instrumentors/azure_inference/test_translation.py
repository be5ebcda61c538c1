"""How Azure AI Inference's requests are read: the client's own settings, words and objects for formats, hosts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from obs_instrumentors import azure_inference
from obs_instrumentors.wire.openai import compatible_chat

from obs_run.core.operations import Inference
from obs_run.core.outcomes import Call


def begun(endpoint: str = "https://travel.services.ai.azure.com/models", own: Any = None, **given: Any) -> Inference:
    client = SimpleNamespace(_config=SimpleNamespace(endpoint=endpoint), **(own or {}))
    names, reader = azure_inference._CHAT_PARAMETERS, azure_inference._CHAT
    operation, _ = azure_inference.start_operation(
        compatible_chat.parse_request, names, reader, Call(client, (), {"messages": [], **given})
    )
    assert isinstance(operation, Inference)
    return operation


def test_the_clients_settings_stand_behind_the_calls() -> None:
    own = {"_model": "Phi-4", "_temperature": 0.5, "_max_tokens": 5, "_model_extras": {"top_k": 3}}
    operation = begun(own=own, max_tokens=9)
    assert (operation.request_model, operation.temperature) == ("Phi-4", 0.5)
    assert (operation.max_tokens, operation.top_k) == (9, 3)


@pytest.mark.parametrize(
    ("form", "output"),
    [("json_object", "json"), ("text", "text"), (SimpleNamespace(name="place"), "json"), ({"type": "text"}, "text")],
)
def test_formats_are_words_objects_or_what_is_sent(form: Any, output: str) -> None:
    assert begun(response_format=form).output_type == output


@pytest.mark.parametrize(
    ("endpoint", "provider"),
    [
        ("https://travel.services.ai.azure.com/models", "azure.ai.inference"),
        ("https://models.inference.ai.azure.com", "azure.ai.inference"),
        ("https://travel.openai.azure.com/openai/deployments/gpt", "azure.ai.openai"),
    ],
)
def test_the_endpoint_tells_who_answers(endpoint: str, provider: str) -> None:
    operation = begun(endpoint)
    assert operation.provider == provider
    assert operation.server_port == 443
