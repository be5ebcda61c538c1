"""What the libraries of the extra [privacy] say of a candidate; without them every candidate counts."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from obs_run.base import guard


@cache
def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        library = "phonenumbers" if name.startswith("phonenumbers") else "python-stdnum"
        guard.warn_once(
            f"privacy: {library} is not installed, so what looks like personal data counts without its check digits "
            "(pip install 'obs-run[privacy]')"
        )
        return None


def is_valid(module: str, number: str) -> bool:
    """Whether ``stdnum.<module>`` accepts the number."""
    validator = _module(f"stdnum.{module}")
    return validator is None or bool(validator.is_valid(number))


def is_iban(number: str) -> bool:
    """Whether the length and the check digits are right; a country's list of banks is out of date too soon."""
    validator = _module("stdnum.iban")
    return validator is None or bool(validator.is_valid(number, check_country=False))


def is_phone_number(number: str, regions: tuple[str, ...], *, possible: bool = False) -> bool:
    """Whether ``number`` is a valid (or of a ``possible`` length) phone number, dialled in one of the regions."""
    library = _module("phonenumbers")
    if library is None:
        return True
    judge = library.is_possible_number if possible else library.is_valid_number
    return any(_judged(library, judge, number, region) for region in regions or (None,))


def _judged(library: Any, judge: Any, number: str, region: str | None) -> bool:
    try:
        return bool(judge(library.parse(number, region)))
    except library.NumberParseException:
        return False


def forget() -> None:
    """Look for the libraries anew."""
    _module.cache_clear()
