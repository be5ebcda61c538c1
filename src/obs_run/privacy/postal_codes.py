"""Addresses by the form of their postal code: what stands before it on the line, whatever streets are called there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import name_tables
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

_KIND = "postal_address"
# The areas of the United Kingdom.
_AREAS = (
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G "
    "GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW "
    "OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC "
    "WD WF WN WR WS WV YO ZE"
)
_STATES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR "
    "PA PR RI SC SD TN TX UT VT VA WA WV WI WY"
)
_TOWN = rb"[A-Z?][A-Za-z?'.-]{2,}"
_BRITISH = re.compile(rb"(?:" + _AREAS.replace(" ", "|").encode() + rb")[0-9][0-9A-Z]? [0-9][ABD-HJLNP-UW-Z]{2}")
_CANADIAN = re.compile(rb"[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z] [0-9][ABCEGHJ-NPRSTV-Z][0-9]")
_IRISH = re.compile(rb"[AC-FHKNPRTV-Y][0-9][0-9W] (?=[A-Z0-9]{0,3}[0-9])(?=[0-9]{0,3}[A-Z])[0-9AC-FHKNPRTV-Y]{4}")
_OF_STATE = re.compile(rb"(?:" + _STATES.replace(" ", "|").encode() + rb") [0-9]{5}(?:-[0-9]{4})?")
_WITH_TOWN = re.compile(
    rb"(?:[1-9][0-9]{3} [A-Z]{2}|(?:[A-Z]{1,2}-)?[0-9]{4,5}|[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3}) " + _TOWN
    + rb"|[0-9]{5}-[0-9]{3}"
)  # fmt: skip
# The end or the beginning of the shape of each code, which is looked for first; those of words of both by their forms.
_OF_FORMS = {
    b"0aa": ((b" 0AA", 4, _BRITISH),),
    b"0a0": ((b"A0A 0A0", 0, _CANADIAN),),
    b"a00": ((b" A00 A", 0, _IRISH), (b" A00 0", 0, _IRISH)),
    b"a0a": ((b" A0A ", 0, _IRISH),),
}
_AFTER_COMMA = (
    (b", 0000", 0, _WITH_TOWN),
    (b", 000 00 ", 0, _WITH_TOWN),
    (b", 00-000 ", 0, _WITH_TOWN),
)
_AFTER_COMMA_AND_LETTER = ((b", AA 00000", 0, _OF_STATE), (b", A-00", 0, _WITH_TOWN), (b", AA-00", 0, _WITH_TOWN))
_ALONE = (_BRITISH, _CANADIAN)
"""Codes that a few houses have, so that they tell where somebody lives by themselves."""
_LONGEST_CODE = 30
_LEAD = 120
# House, street, flat and town, each with a number or a capital; back to where the sentence has other words.
_BEFORE = re.compile(
    r"(?:(?<![\w.:/=-])(?:[0-9]{1,5}[a-zA-Z]?(?:[-/][0-9]{1,4})?|[^\W\d_a-zà-öø-ÿ][\w'\u2019.-]{0,24}"
    r"|(?:de|del|des|du|la|le|na|da|do|dos|das|di|van|der|den|am|im|an|ap|m|lgh|bis|rue|via|ul|co|of|the|bus|bte)\.?)"
    r"(?:,? (?:- )?)){1,14}$"
)
# A street with its number, or a county.
_HAS_NUMBER = re.compile(r"[^\W\d_].*[0-9]|[0-9].*[^\W\d_]|\b[Cc]o\. ")
_DATE = re.compile(r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.? [0-9]{1,2}, $")
_END = re.compile(r" (?:(?:am|im|an der|am|sur|de|la|ob der) )?[^\W\d_a-zà-öø-ÿ][\w'\u2019.-]{2,24}")
_WORD_BEFORE = re.compile(r"^(?:(?:Absender|Adresse|Address|In|At|To|From|For|Please|Send|The|My|Our)[ ,]+)+")


def find(subject: Subject) -> Iterator[Match]:
    """Find addresses that end in a postal code, and codes that are those of a few houses."""
    # What every text has by now is searched first.
    figures = subject.figures
    codes = [code for form, of_form in _OF_FORMS.items() if form in subject.mixed_words for code in of_form]
    if b", 0" in figures:
        codes += _AFTER_COMMA
    if b" 00000" in figures or b"-00" in figures:
        codes += _AFTER_COMMA_AND_LETTER
    if not codes:
        return
    shape = subject.shape
    for form, lead, pattern in codes:
        at = shape.find(form)
        while at >= 0:
            code = pattern.search(subject.raw, max(0, at - lead), at + _LONGEST_CODE)
            if code and (found := _address(subject.text, *code.span(), is_alone=pattern in _ALONE)):
                yield found
            at = shape.find(form, at + 1)


def _address(text: str, start: int, end: int, *, is_alone: bool) -> Match | None:
    """Return the code with what of the address stands before it."""
    around = text[start - 1 : start] + text[end : end + 1]
    if any(sign.isalnum() or sign in "_/=" for sign in around):
        return None
    line = max(0, start - _LEAD, text.rfind("\n", 0, start) + 1)
    lead = _BEFORE.search(text, line, start)
    first = start
    if lead:
        other = _WORD_BEFORE.match(lead[0])
        first = lead.start() + (other.end() if other else 0)
    if not is_alone and (not _HAS_NUMBER.search(text, first, start) or _DATE.search(text, first, start)):
        return None
    code, _, town_of_code = text[start:end].rpartition(" ")
    if not is_alone and code and town_of_code.isalpha() and "word" in name_tables.kinds_of(town_of_code):
        return None
    town = _END.match(text, end)
    return Match(first, town.end() if town and not is_alone else end, _KIND)
