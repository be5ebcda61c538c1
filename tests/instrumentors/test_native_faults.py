"""What keeps libraries' own spans back, made to raise: the library's functions give the agent what they give alone."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from obs_instrumentors import anthropic, azure_inference, mistralai, xai
from obs_instrumentors.anthropic import native as anthropic_native
from obs_instrumentors.mistralai import native as mistralai_native

from obs_run.core import native_spans
from obs_run.core.hooks import InPlace

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FunctionType

    from obs_run.core.hooks import Instrumentor, Wrapper

FIRED: list[str] = []


class Tracer:
    """A library's tracer."""

    resource = None

    def start_span(self, name: str, **_: Any) -> str:
        return name

    def start_as_current_span(self, _: str) -> Any:
        return contextlib.nullcontext("span")


def wrapper_of(instrumentors: tuple[Instrumentor, ...], name: str) -> Wrapper:
    targets = [target for one in instrumentors for target in one.targets if target.name == name]
    wrapper = targets[0].wrapper
    assert not isinstance(wrapper, InPlace)
    return wrapper


def traced_request(wrap: Wrapper) -> Any:
    def get_traced_request_and_span(**kwargs: Any) -> tuple[Any, str]:
        return kwargs["request"], "span"

    return wrap(get_traced_request_and_span, None, (), {"tracer": Tracer(), "request": "request"})


def client_tracer(wrap: Wrapper) -> Any:
    return wrap(lambda **_: Tracer(), None, (), {"options": {}}).start_span("messages.create")


def resolved_options(wrap: Wrapper) -> Any:
    return wrap(lambda **_: {"enabled": True, "propagation": True}, None, (), {"option": None})


def injectors(wrap: Wrapper) -> Any:
    return list(wrap(lambda: iter(("complete",)), None, (), {}))


def current_span(wrap: Wrapper) -> Any:
    with wrap(Tracer().start_as_current_span, None, ("chat",), {}) as span:
        return span


CASES: dict[str, tuple[Any, tuple[Instrumentor, ...], str, Callable[[Wrapper], Any]]] = {
    "mistralai": (mistralai_native, mistralai.INSTRUMENTORS, "get_traced_request_and_span", traced_request),
    "anthropic, tracer": (anthropic_native, anthropic.INSTRUMENTORS, "get_tracer", client_tracer),
    "anthropic, options": (
        anthropic_native,
        anthropic.INSTRUMENTORS,
        "resolve_open_telemetry",
        resolved_options,
    ),
    "azure_inference": (
        azure_inference,
        azure_inference.INSTRUMENTORS,
        "_AIInferenceInstrumentorPreview._available_inference_apis_and_injectors",
        injectors,
    ),
    "xai": (native_spans, xai.INSTRUMENTORS, "tracer.start_as_current_span", current_span),
}
FUNCTIONS = [
    ("mistralai", "_request_without_span"),
    ("mistralai", "_is_recorded"),
    ("anthropic, tracer", "_covers"),
    ("anthropic, tracer", "_provider"),
    ("anthropic, options", "_without_propagation"),
    ("azure_inference", "_no_injectors"),
    ("xai", "scope_without_span"),
]


def broken(*_: Any, **__: Any) -> Any:
    from tests.instrumentors.test_native_faults import FIRED as fired  # noqa: N811 (only its code is used)

    fired.append("fired")
    raise RuntimeError("a fault of ours")


def plain(wrapped: Any, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return wrapped(*args, **kwargs)


@pytest.mark.parametrize(("case", "function"), FUNCTIONS)
def test_a_fault_leaves_the_library_to_itself(case: str, function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, instrumentors, name, call = CASES[case]
    faulty: FunctionType = getattr(module, function)
    # Its code, because the table of targets holds the function itself.
    monkeypatch.setattr(faulty, "__code__", broken.__code__)
    FIRED.clear()
    with_us = call(wrapper_of(instrumentors, name))
    assert FIRED
    assert with_us == call(plain)
