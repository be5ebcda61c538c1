"""Phone numbers: with a country code, in a form that only phone numbers have, or after a word that says so."""

from __future__ import annotations

import re

from obs_run.privacy import libraries

# Where no locale is chosen: the countries with the most speakers of the languages that agents are written for.
_REGIONS = (
    "US",
    "GB",
    "DE",
    "FR",
    "ES",
    "IT",
    "PL",
    "TR",
    "NL",
    "BR",
    "RU",
    "JP",
    "CN",
    "IN",
    "KR",
    "MX",
    "SE",
    "AU",
    "AR",
    "CO",
    "ZA",
    "NG",
    "EG",
)
_CERTAIN = re.compile(
    r"(?<![a-z])(?:tel|telefon\w*|telephone|téléphone|tél|teléfono|tlfn?|tlph|telefone|telefono|telem[oó]vel|(?:i)?phone|ph|mobile|mobil\w*"
    r"|handy\w*|gsm|natel|puh|puhelin\w*|mob|fon|fono|celu?|zap|viber|telf|hp|no hp|nomor hp|ponsel|sđt|điện thoại"
    r"|m-pesa|msisdn|cellphone|"
    r"cell(?:phone)?|celular|móvil|cellulare|fax|whatsapp|sms|portable|komórka|cep|тел|телефон\w*|моб\w*|κιν\w*|τηλ\w*)(?!\w)|wa\.me/|"
    r"电话|手机|手機|微信|電話|ケータイ|핸드폰|연락처|موبايل|موبایل|همراه|โทร|มือถือ|電話|携帯|전화|휴대폰|هاتف|جوال|تلفون|टेलीफोन|फ़ोन|फोन|मोबाइल|טלפון|נייד"
)
_LIKELY = re.compile(
    r"(?<![a-z])(?:call|call me|reach|ring|text|dial|number is|numéro|numero|número|liga\w*|numer|nummer\w*"
    r"|rufen|anrufen|"
    r"appel\w*|llám\w*|llam\w*|(?:za)?dzwoń|bel|numara\w*|ara\w*|contact|hotline|номер)(?!\w)"
)
_NUMBERED = re.compile(
    r"(?<![a-z])(?:order|invoice|ticket|tracking|parcel|shipment|reference|ref|serial|case|po|bestell\w*|rechnung\w*"
    r"|auftrag\w*"
    r"|commande|facture|pedido|factura|ordine|fattura)(?:[ .-]{0,2}(?:no|nr|num|number|nummer|id)\.?)?[ :#]{0,3}$"
)
_NEAR = 32
_NORTH_AMERICA = re.compile(r"(?:1[ .-])?\(?[2-9][0-9]{2}\)?[ .-]{1,2}[2-9][0-9]{2}[ .-][0-9]{4}")
# (11) 91234-5678, 8 (912) 345-67-89
_LOCAL = re.compile(r"\([1-9][0-9]\) ?9?[0-9]{4}-[0-9]{4}|8 \([0-9]{3}\) [0-9]{3}-[0-9]{2}-[0-9]{2}")
_TRUNK = re.compile(r"\(?0[1-9][0-9]{0,4}\)?[ /-]{1,3}[0-9]")
_ZIP = re.compile(r"[0-9]{5}-[0-9]{4}")
_FEWEST, _MOST = 7, 15
_FEWEST_WITH_TRUNK = 9


SHAPES = frozenset(
    {
        "2) 5-4",
        "2) 4-4",
        "2)5-4",
        "2)4-4",
        "1 (3) 3-2-2",
        "3) 3-2-2",
        "3-3-4",
        "3 3 4",
        "3.3.4",
        "3 3-4",
        "3) 3-4",
        "3) 3 4",
        "3)3-4",
        "1-3-3-4",
        "1 3 3 4",
        "1 (3) 3-4",
    }
)
"""How numbers of North America are written, which need no word before them."""


def is_called(before: str) -> bool:
    """Whether the lower-case text ``before`` a number says that it is one to call, or may say so."""
    near = before[-_NEAR:]
    return bool(_CERTAIN.search(near) or _LIKELY.search(near))


class Finder:
    """Judges candidates by the numbering plans of the locales."""

    def __init__(self, locales: frozenset[str]) -> None:
        self._regions = tuple(sorted(one.upper() for one in locales)) or _REGIONS

    def is_phone(self, number: str, before: str, *, plus: bool) -> bool:
        """Whether ``number``, after the lower-case text ``before``, is one to call."""
        digits = number if number.isdigit() else "".join(filter(str.isdigit, number))
        if not _FEWEST <= len(digits) <= _MOST:
            return False
        if plus:
            return libraries.is_phone_number(f"+{digits}", (), possible=True)
        near = before[-_NEAR:]
        if _NUMBERED.search(near) or _CERTAIN.search(near):
            return not _NUMBERED.search(near)
        if digits.startswith("00") and len(digits) > _FEWEST_WITH_TRUNK and " " in number:
            return libraries.is_phone_number(f"+{digits[2:]}", ())
        if _ZIP.fullmatch(number):
            return False
        formed = (
            _NORTH_AMERICA.fullmatch(number)
            or _LOCAL.fullmatch(number)
            or (_TRUNK.match(number) and len(digits) >= _FEWEST_WITH_TRUNK)
        )
        return bool(formed or _LIKELY.search(near)) and libraries.is_phone_number(digits, self._regions)
