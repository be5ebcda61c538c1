"""Replicate's scenario set."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario

MODEL = "meta/llama-3"
ASKED: dict[str, Any] = {"prompt": "Where to?"}
ANSWER = "This is the stub's answer to: Where to?"


class Replicate(Driver):
    """Replicate's client against the stub."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        replicate = import_module("replicate")
        self.client = replicate.Client(api_token="none", base_url=stub.origin)
        self.client.poll_interval = 0.01

    def ran(self, model: str = MODEL, **more: Any) -> Any:
        run = self.client.run if self.kind == "sync" else self.client.async_run
        return run(model, input={**ASKED, **more})

    def streamed(self) -> Any:
        stream = self.client.stream if self.kind == "sync" else self.client.async_stream
        return stream(MODEL, input=ASKED)

    def created(self, **more: Any) -> Any:
        predictions = self.client.predictions
        create = predictions.create if self.kind == "sync" else predictions.async_create
        return self.run(create(input=ASKED, **more)).status

    def close(self) -> None:
        self.run(self.client._client.close() if self.kind == "sync" else self.client._async_client.aclose())
        super().close()


def attributes(**more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "replicate",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": MODEL,
        "gen_ai.response.status": "completed",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 8,
    }
    told |= {name.replace("__", "."): value for name, value in more.items()}
    return {name: value for name, value in told.items() if value is not None}


def answered(*parts: dict[str, Any], reason: str | None = "stop") -> dict[str, Any]:
    said = {"role": "assistant", "parts": list(parts)} | ({} if reason is None else {"finish_reason": reason})
    return {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Where to?"}]}],
        "gen_ai.output.messages": [said],
    }


def failed(model: str, error: str, **more: Any) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "replicate",
        "gen_ai.request.model": model,
        "error.type": error,
        **{name.replace("__", "."): value for name, value in more.items()},
    }


_TEXT = {"type": "text", "content": ANSWER}
# The events tell no usage.
_STREAM: dict[str, Any] = {
    "gen_ai__request__stream": True,
    "gen_ai__usage__input_tokens": 3,
}

LIBRARY = Library(
    name="replicate",
    instrumentor="obs_instrumentors.replicate",
    environments={"0.34, oldest": ("replicate==0.34.0",), "1.0, newest": ("replicate>=1.0.7,<2",)},
    driver=Replicate,
    more=("more.py",),
    scenarios=(
        Scenario(
            "chat",
            lambda its: its.run(its.ran(temperature=0.5, max_tokens=50, top_p=0.9, system_prompt="Be brief.")),
            f"generate_content {MODEL}",
            attributes(gen_ai__request__temperature=0.5, gen_ai__request__top_p=0.9)
            | {"gen_ai.request.max_tokens": 50},
            {**answered(_TEXT), "gen_ai.system_instructions": [{"type": "text", "content": "Be brief."}]},
        ),
        Scenario(
            "fetched until it is done",
            lambda its: its.run(its.ran(f"{MODEL}+poll")),
            f"generate_content {MODEL}+poll",
            attributes(gen_ai__request__model=f"{MODEL}+poll"),
            answered(_TEXT),
        ),
        Scenario(
            "stream of a run",
            lambda its: its.read(its.ran(f"{MODEL}:5c7854e8")),
            f"generate_content {MODEL}",
            attributes(gen_ai__request__stream=True),
            answered(_TEXT),
            # It gives the whole list of what is done at once.
            unless=("0.34, oldest",),
        ),
        Scenario(
            "stream",
            lambda its: its.read(its.streamed()),
            f"generate_content {MODEL}",
            attributes(**_STREAM),
            answered(_TEXT),
        ),
        Scenario(
            "abandoned stream",
            lambda its: its.abandon(its.streamed()),
            f"generate_content {MODEL}",
            attributes(**_STREAM, obs__response__stream_end="abandoned"),
        ),
        Scenario(
            "cancelled",
            lambda its: its.cancel(its.ran("meta/stub-wait=1")),
            "generate_content meta/stub-wait=1",
            failed("meta/stub-wait=1", "asyncio.exceptions.CancelledError"),
            error="CancelledError",
            kinds=("async",),
        ),
        Scenario(
            "error",
            lambda its: its.run(its.ran("meta/stub-400")),
            "generate_content meta/stub-400",
            failed("meta/stub-400", "400"),
            error="ReplicateError",
        ),
        Scenario(
            "error of the model",
            lambda its: its.run(its.ran(f"{MODEL}+failed")),
            f"generate_content {MODEL}+failed",
            attributes(
                gen_ai__request__model=f"{MODEL}+failed",
                gen_ai__response__status="failed",
                gen_ai__response__finish_reasons=("error",),
                error__type="replicate.exceptions.ModelError",
            ),
            error="ModelError",
        ),
        # The client repeats what fetches, never what starts a prediction.
        Scenario(
            "rate limit",
            lambda its: its.run(its.ran(f"{MODEL}+poll-limited")),
            f"generate_content {MODEL}+poll-limited",
            attributes(gen_ai__request__model=f"{MODEL}+poll-limited"),
        ),
        Scenario(
            "a picture",
            lambda its: [str(each) for each in its.run(its.ran(f"{MODEL}+picture"))],
            f"generate_content {MODEL}+picture",
            attributes(
                gen_ai__request__model=f"{MODEL}+picture",
                gen_ai__usage__input_tokens=None,
                gen_ai__usage__output_tokens=None,
            ),
            answered(
                {"type": "uri", "modality": "image", "mime_type": "image/png", "uri": "https://example.invalid/1.png"}
            ),
        ),
        Scenario(
            "a prediction of a version",
            lambda its: its.created(version="5c7854e8"),
            "generate_content 5c7854e8",
            attributes(gen_ai__request__model="5c7854e8"),
            answered(_TEXT),
        ),
        Scenario(
            "a prediction of a model",
            lambda its: its.created(model=f"{MODEL}+poll"),
            f"generate_content {MODEL}+poll",
            attributes(
                gen_ai__request__model=f"{MODEL}+poll",
                gen_ai__response__status="queued",
                gen_ai__response__finish_reasons=None,
                gen_ai__usage__input_tokens=None,
                gen_ai__usage__output_tokens=None,
            ),
        ),
    ),
)
