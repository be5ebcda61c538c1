"""The scrubber: one object that looks into texts and values of every form and takes out what the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.privacy import choice, held_secrets
from obs_run.privacy.actions import WITHHELD
from obs_run.privacy.nested import Walk
from obs_run.privacy.text_scrubber import TextScrubber

if TYPE_CHECKING:
    from collections.abc import Mapping


class Scrubber(TextScrubber):
    """Takes out what one choice of kinds names; any thread may use it, and nothing given to it is changed.

    ``active`` is whether there is anything to take out; ``kinds`` are the kinds that are, with what is done with each.
    All methods return the very same object when nothing was found, and none of them raises.
    """

    def text(self, text: str) -> str:
        """Return ``text``, which may be JSON, without what is to be taken out."""
        result = self.value(None, text)
        return result if isinstance(result, str) else WITHHELD

    def value(self, name: str | None, value: Any) -> Any:
        """Return ``value``, whose field is called ``name``, without what is to be taken out; None if all of it is."""
        if not self.active or value is None or value is True or value is False:
            return value
        self.renew()
        if type(value) is str and value in self._clean and (name is None or self.rule_for(name) is None):
            return value
        return guard.call("privacy", Walk(self).value, name, value, default=WITHHELD)

    def attributes(self, attributes_: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the mapping without what is to be taken out, its names included."""
        if not self.active or not attributes_:
            return attributes_
        self.renew()
        return guard.call("privacy", Walk(self).attributes, attributes_, default={})


_shared: dict[str, Scrubber] = {}


def scrubber() -> Scrubber:
    """Return the scrubber of this process, made from the settings at the first call."""
    try:
        return _shared["scrubber"]
    except KeyError:
        # No lock, which a fork could take along: of two that are made at once one stays.
        return _shared.setdefault("scrubber", Scrubber(choice.chosen()))


def forget() -> None:
    """Make it anew, from the settings as they then are, at the next call."""
    _shared.clear()
    held_secrets.forget()
