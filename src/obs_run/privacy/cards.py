"""Whether what has the form and the check digit of a card is one, by what stands around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import telling_words
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

# What the figures of logs and programs are called, and units behind them; one in ten has the check digit of a card.
_FIGURE = re.compile(
    r"(?:_|\b)(?:[nmµu]s|nanos\w*|micros\w*|millis\w*|time\w*|ts|duration|elapsed|took|latency|bytes?|size|offset"
    r"|seq\w*"
    r"|count\w*|counter|total|tid|pid|thread|epoch|seconds|cycles|ticks|hash|seed|id)[\"']?\s{0,2}[:=]?\s{0,2}[\"']?$"
)
_UNIT = re.compile(rb" ?(?:[nmu]s|bytes|[kmg]b|hz|cy)\b")
_CARD_WORD = re.compile(
    r"card|visa|\bpan\b|karte|tarjeta|carte|cartão|cartao|carta|kort"
    r"|kart|карт|卡|カード|\bcc\b|payment|pay |charge|debit|credit"
)
_OLD_LENGTH = 13


def may_be_card(digits: str, bare: bool, before: str, after: bytes) -> bool:  # noqa: FBT001 (how it is written)
    """Whether nothing says that this is a figure; numbers of 13 digits, hardly given out any more, need a word."""
    if _CARD_WORD.search(before):
        return True
    if not bare:
        return True
    return len(digits) > _OLD_LENGTH and not _FIGURE.search(before) and not _UNIT.match(after)


_WORDS_OF_DETAILS = telling_words.folded(
    "expiry exp expires expiration expiring valid thru gültig ablauf ablaufdatum verfällt caducidad vence vencimiento "
    "caduca expire expiration scadenza scade validade vervaldatum geldig ważna utløp utgår cvv cvc csc digits ziffern"
)
_NUMBER = re.compile(r"(?<![0-9])[0-9]{4}(?:[ -]?[0-9]{4,6}){2,3}(?![0-9])|\[card\]")
_EXPIRY = re.compile(
    r"(?:exp\w*|valid (?:thru|through|until|till|to)|thru|gültig bis|ablauf\w*|verfällt|caduc\w*|venc\w*|vence|scad\w*"
    r"|validade|vervaldatum|geldig tot|ważna do|utløp\w*|utgår)\W{0,3}(?:date|is|on|am|le|il|el|:){0,2}\W{0,3}"
    r"((?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?[0-9]{2})(?![0-9/-])",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?:cvv2?|cvc2?|csc|security code|(?:three|four|3|4|drei|letzten) (?:digits|ziffern)(?: on the back)?)"
    r"\W{0,3}(?:is|are|sind|ist|:){0,2}\W{0,3}([0-9]{3,4})(?![0-9])",
    re.IGNORECASE,
)


def is_word_of_details(word: bytes) -> bool:
    """Whether a word stands before what is printed on a card beside its number."""
    return word in _WORDS_OF_DETAILS


def details(subject: Subject) -> Iterator[Match]:
    """Find the end of a card's time and its code, in a text with the number of one."""
    if not _NUMBER.search(subject.text):
        return
    for pattern in (_EXPIRY, _CODE):
        yield from (Match(*detail.span(1), "card") for detail in pattern.finditer(subject.text))
