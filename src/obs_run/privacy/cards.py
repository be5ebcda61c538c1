"""Whether what has the form and the check digit of a card is one, by what stands around it."""

from __future__ import annotations

import re

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
