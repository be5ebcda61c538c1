"""Addresses of crypto currencies: those with check digits by them, others beside a word that says so."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

KINDS = frozenset({"crypto_wallet"})
_SIGNS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_CLASSES = bytes(97 if one in _SIGNS else 32 for one in range(256))
_RUN = re.compile(b"a" * 25 + b"a*")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_CHECKED = re.compile(rb"[13LMDT29XAt][1-9A-HJ-NP-Za-km-z]{25,34}")
_LENGTH_OF_CHECKED = 25
_BECH32 = re.compile(
    rb"(?:bc|tb|ltc|addr|stake|cosmos|osmo|terra|inj|celestia|juno|thor|kava|one|bnb|erd|zil|secret|dydx|sei|axelar"
    rb"|bech32|xch|lnurl|zs|u)"
    rb"1[02-9ac-hj-np-z]{38,110}|BC1[02-9AC-HJ-NP-Z]{38,58}"
)
_HEX = re.compile(rb"0x[0-9a-fA-F]{40}")
# Of other currencies, which have no check digits that are told as quickly.
_OTHERS = re.compile(
    rb"r[1-9A-HJ-NP-Za-km-z]{24,34}|[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}|[1-9A-HJ-NP-Za-km-z]{43,48}|G[A-Z2-7]{55}"
    rb"|[EU]Q[A-Za-z0-9_-]{46}"
)
_TOLD = re.compile(
    rb"wallet|donat|\bsend\b|\bpay(?:out|ment)?\b|withdraw|deposit|recipient|beneficiary|\b(?:eth|btc|usdt|usdc|sol"
    rb"|xrp|xmr|ada|trx|dot|xlm|ton|bnb"
    rb"|matic|ltc|doge)\b|ethereum|bitcoin|solana|ripple|monero|cardano|tron\b|stellar|polkadot|crypto|metamask"
    rb"|phantom|brieftasche|portefeuille|billetera"
    rb"|cartera|portafoglio|carteira|portfel|spende|\btip\b|my address"
)
_CONTRACT = re.compile(rb"contract|token(?:s|id)?\b|deploy|signature|\btx\b|transaction|hash|mint|program")
_BEFORE = 48


def find(subject: Subject) -> Iterator[Match]:
    """Find addresses of wallets."""
    raw = subject.raw
    if not subject.has_digits:
        return
    if not subject.runs:
        return
    for run in _RUN.finditer(raw.translate(_CLASSES)):
        start, end = run.span()
        word = raw[start:end]
        if _is_checked(word) or _BECH32.fullmatch(word) or (_is_other(word) and _is_told(subject.low, start)):
            yield Match(start, end, "crypto_wallet")


def _is_other(word: bytes) -> bool:
    return _HEX.fullmatch(word) is not None or _OTHERS.fullmatch(word) is not None


def _is_told(low: bytes, start: int) -> bool:
    lead = low[max(0, start - _BEFORE) : start]
    return _TOLD.search(lead) is not None and not _CONTRACT.search(lead)


def _is_checked(word: bytes) -> bool:
    """Whether the last four bytes in base58 are the check digits of those before."""
    if not _CHECKED.fullmatch(word):
        return False
    number = 0
    for sign in word.decode():
        number = number * 58 + _BASE58.index(sign)
    try:
        content = number.to_bytes(_LENGTH_OF_CHECKED, "big")
    except OverflowError:
        return False
    digest = hashlib.sha256(hashlib.sha256(content[:-4]).digest()).digest()
    return digest[:4] == content[-4:]
