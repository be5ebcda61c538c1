"""A provider's client above httpx: its call is told once, by whoever the user chose."""

from __future__ import annotations

import contextlib
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from obs_run.core import hooks
from tests.instrumentors.plain_http.scenarios import ASKED, MODEL
from tests.instrumentors.run_scenarios import instrumented

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


@contextlib.contextmanager
def both() -> Iterator[None]:
    from obs_instrumentors import TABLE

    import_module("openai")
    with instrumented():
        for module, instrumentor in TABLE.items():
            if instrumentor == "obs_instrumentors.openai" and module in sys.modules:
                hooks.instrument(instrumentor, sys.modules[module])
        yield


def ask(stub: Any) -> None:
    with import_module("openai").OpenAI(base_url=stub.url, api_key="k", max_retries=0) as client:
        client.chat.completions.create(**ASKED)
        assert list(client.chat.completions.create(**ASKED, stream=True))
        with client.chat.completions.with_streaming_response.create(**ASKED, stream=True) as response:
            assert list(response.iter_lines())
        client.embeddings.create(model=MODEL, input="Where to?")


def test_the_client_tells_of_its_calls(stub: Any, telemetry: Any) -> None:
    with both():
        ask(stub)
    assert [span.name for span in telemetry.spans()] == [*[f"chat {MODEL}"] * 3, f"embeddings {MODEL}"]


def test_a_client_that_is_switched_off_is_not_told_of(
    stub: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "openai,httpx")
    with both():
        ask(stub)
        assert telemetry.spans() == []
        # By the name alone others are meant.
        import_module("httpx").post(f"{stub.url}/chat/completions", json=ASKED)
    assert telemetry.span().name == f"chat {MODEL}"


def test_a_client_that_we_do_not_know_is_told_of_here(stub: Any, telemetry: Any) -> None:
    import_module("openai")
    with instrumented():
        ask(stub)
    assert [span.name for span in telemetry.spans()] == [*[f"chat {MODEL}"] * 3, f"embeddings {MODEL}"]
