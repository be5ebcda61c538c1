"""What the scenarios of Hugging Face cannot show: routing to providers, pictures and sound."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from obs_instrumentors import huggingface

from obs_run.core.outcomes import Call


@pytest.mark.parametrize(
    ("url", "told", "named"),
    [
        (None, None, "huggingface"),
        (None, "auto", "huggingface"),
        (None, "together", "together_ai"),
        ("https://router.huggingface.co/v1/chat/completions", "auto", "huggingface"),
        ("https://router.huggingface.co/fireworks-ai/inference/v1/chat/completions", "auto", "fireworks_ai"),
        ("https://router.huggingface.co/hf-inference/models/x", "auto", "huggingface"),
        ("https://api.groq.com/openai/v1/chat/completions", "groq", "groq"),
        ("http://127.0.0.1:8080/v1/chat/completions", None, "huggingface"),
    ],
)
def test_the_provider_that_answers(url: str | None, told: str | None, named: str) -> None:
    assert huggingface.provider(url, told) == named


@pytest.mark.parametrize(
    ("asked", "first", "name", "output"),
    [
        (huggingface._parse_image, "prompt", "image_generation", "image"),
        (huggingface._parse_speech, "text", "speech", "speech"),
        (huggingface._parse_transcription, "audio", "transcription", "text"),
    ],
)
def test_pictures_and_sound(asked: Any, first: str, name: str, output: str) -> None:
    client = SimpleNamespace(model="a/b", provider="replicate")
    operation, _ = huggingface.start_operation(asked, first, huggingface._SILENT, Call(client, ("x",), {}))
    told = operation.attributes()
    assert (operation.name, told["gen_ai.output.type"], operation.provider) == (name, output, "replicate")
    assert operation.request_model == "a/b"


def test_the_request_names_model_and_address() -> None:
    client = SimpleNamespace(model=None, provider="auto")
    operation, _ = huggingface.start_operation(
        huggingface._parse_features, "text", huggingface._SILENT, Call(client, (["x", "y"],), {})
    )
    url = "https://router.huggingface.co/hf-inference/models/a/b/pipeline/feature-extraction"
    huggingface.note_request(operation, Call(client, (SimpleNamespace(url=url, model="a/b"),), {}))
    assert (operation.server_address, operation.server_port) == ("router.huggingface.co", 443)
    assert operation.request_model == "a/b"
    assert operation.input_count == 2
