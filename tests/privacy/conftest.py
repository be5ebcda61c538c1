from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obs_run import privacy, settings
from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Choose = Callable[..., privacy.Scrubber]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test with the settings as nobody set them, and what is said once said anew."""
    for setting in settings.SETTINGS:
        if setting.name.startswith("OBS_PRIVACY"):
            monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setattr(guard, "_failures", set())
    privacy.forget()
    yield
    privacy.forget()


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Choose:
    """Makes a scrubber of the given settings: ``choose("personal", locales="de")``."""

    def made(kinds: str = "", **others: object) -> privacy.Scrubber:
        monkeypatch.setenv("OBS_PRIVACY", kinds)
        for name, value in others.items():
            monkeypatch.setenv(f"OBS_PRIVACY_{name.upper()}", str(value))
        privacy.forget()
        return privacy.scrubber()

    return made
