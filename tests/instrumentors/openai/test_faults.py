"""Each function of the instrumentor made to raise: the agent's results, errors and chunks stay the same."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from obs_instrumentors.clients import hosts, stainless
from obs_instrumentors.openai import calls as translations
from obs_instrumentors.wire.openai import chat

from tests.instrumentors.openai.test_modes import ASKED, MODES, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a fault of ours")


def _break_endpoint(name: str, patch: pytest.MonkeyPatch) -> None:
    fault: dict[str, Any] = {name: broken}
    patch.setitem(translations.ENDPOINTS, "post /chat/completions", dataclasses.replace(chat.ENDPOINT, **fault))


def _break_function(module: Any, name: str, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(module, name, broken)


BREAKS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "provider": partial(_break_function, hosts, "address"),
    "usage wish": partial(_break_function, translations, "_with_usage_option"),
    "retries": partial(_break_function, stainless, "_count_retries"),
    **{name: partial(_break_endpoint, name) for name in ("parse_request", "read_response", "read_chunk", "finish")},
    **{name: partial(_break_function, stainless, name) for name in ("_result", "_failure", "_closed")},
}


@pytest.fixture(autouse=True)
def fresh_readers() -> Iterator[None]:
    stainless.reader.cache_clear()
    yield
    stainless.reader.cache_clear()


@pytest.mark.parametrize("fault", BREAKS)
def test_agent_sees_the_same(
    fault: str, plain_calls: Any, telemetry: Any, library: Any, stub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from obs_run.core import hooks
    from tests.instrumentors.openai.drivers import instrument

    telemetry.may_fail = True
    without = [seen(mode, plain_calls, stub) for mode in MODES.values()]
    BREAKS[fault](monkeypatch)
    instrument(library)
    try:
        with_us = [seen(mode, plain_calls, stub) for mode in MODES.values()]
    finally:
        hooks.undo()
    assert with_us == without


@pytest.mark.parametrize("fault", BREAKS)
def test_agent_gets_the_library_error(
    fault: str, calls: Any, telemetry: Any, package: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry.may_fail = True
    BREAKS[fault](monkeypatch)
    with pytest.raises(package.BadRequestError, match="Invalid value"):
        calls.run(calls.chat.create(model="stub-400", messages=ASKED["messages"]))
