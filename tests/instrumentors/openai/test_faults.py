"""Each function of the instrumentor made to raise: the agent's results, errors and chunks stay the same."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from obs_instrumentors.openai import calls as translations
from obs_instrumentors.openai import chat, hosts

from tests.instrumentors.openai.test_modes import ASKED, MODES, seen


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a fault of ours")


BREAKS = {
    "begin": lambda patch: patch.setitem(
        translations.ENDPOINTS, "post /chat/completions", dataclasses.replace(chat.ENDPOINT, begin=broken)
    ),
    "provider": lambda patch: patch.setattr(hosts, "place", broken),
    "usage wish": lambda patch: patch.setattr(translations, "_asking_for_usage", broken),
    **{
        name: lambda patch, name=name: patch.setitem(
            translations._READERS,
            chat.ENDPOINT,
            dataclasses.replace(translations._READERS[chat.ENDPOINT], **{name: broken}),
        )
        for name in ("result", "chunk", "end", "failure", "closed")
    },
    "retries": lambda patch: patch.setattr(translations, "_count_retries", broken),
}


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
