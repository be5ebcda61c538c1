"""Names of people in sentences, forms and letters, by the words before them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import lead_words, telling_words
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from obs_run.privacy.matches import Subject

    _Judge = Callable[[Subject, int, int], Match | None]

_KIND = "person_name"
_NEAR = 48
_MOST_WORDS = 6
_INITIAL = 2
_SHORT_TITLE = 3
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019.-](?=[^\W\d_]))*\.?")
_TITLE = re.compile(rb"\.?[ \t]{1,2}(?=[a-z?\"])")
_GREETED = re.compile(rb"[ ](?=[a-z?])")
_SIGN_BEHIND = re.compile(r"\s*(?:[,!:;\u2014\u2013\uff0c-]|\n|$)")
_COMMA_BEHIND = re.compile(r"\s?,|\s?\n|!?\s?$")
# "my name is", "mein Name ist"; "ad" is one in Turkish, and hardly ever between such words elsewhere.
_IS = (
    rb"(?:['?]s|(?:[ ](?:is|ist|est|es|er|e|on|jest|je|to|\?|\?r|s|saya|adalah|langu|ni|lengkap"
    rb"|t.i|l.|ko|po|meu|mio)){1,2}:?)[ ]"
)
_NAME_IS = re.compile(_IS)
_WHOSE = re.compile(
    rb"(?:\b(?:my|his|her|their|whose|our|mein|meine|sein|ihr|mi|mon|ma|son|il mio|meu|o meu|mitt|mit|moje|mijn|mina"
    rb"|mitt"
    rb"|jeg|a|m.j|and the|patient'?s?|customer'?s?|client'?s?|mother'?s?|father'?s?|wife'?s?|husband'?s?|son'?s?"
    rb"|daughter'?s?|boss'?s?)(?: (?:full|first|last|maiden|legal|real|middle|complete|family|given|birth))?"
    rb"|\b(?:full|first|last|maiden|legal)) $|(?:^|[.!?,\n\"] ?)$"
)
_SAID = re.compile(rb"[ ](?:si\? |se |m. )?(?=[a-z?])")
_LABELLED = re.compile(
    rb"(?:[ _-]{0,2}(?:\(s\)|s|name|names|nome|nombre|nom|naam|navn|by|to|holder|person|lengkap|complet[oa]?|contact"
    rb"|/?(?:first|last|surname|prenume|prenom)|y apellidos|e cognome|et pr.noms?|dan|h.ng|saya)){0,3}"
    rb"(?:[ ]?\([^()\n]{1,24}\))?[\"'*_\]]{0,4}[ \t]{0,3}(?::|[ ]?=(?=[ ]?[\"'])|[ ]?\|)[ \t]{0,4}[\"'*|]{0,3}[ "
    rb"]{0,2}(?=[a-z?])"
)
_FIELD = re.compile(rb"\\{0,3}[\"'\]]{0,2}(?:[ ]?[:=][ ]?\\{0,3}[\"']?|>)(?=[a-z?])")
_END_OF_FIELD = re.compile(r"\\{0,3}[\"'<&,;\n|]|\s+\w+=|$")
_PARTED_FIELD = re.compile(
    rb"(?:first|last|full|given|family|maiden|middle|patient|customer|passenger|guest|holder|legal|recipient"
    rb"|beneficiary|contact|employee|card_?holder|sender|user|display|account)[_ -]?$"
)
_OF_PERSON = re.compile(rb"[, ]{1,2}(?=[a-z?])")
_RELATED = re.compile(rb",?[ ](?=[a-z?])")
_OWN = re.compile(
    rb"\b(?:my|our|her|his|your|their|meine?r?|unsere?|mi|tu|su|nuestr[oa]|ma|mon|notre|sa|son|mia|mio|nostr[oa]|la mia"
    rb"|il mio|minha|meu|nossa|mijn|onze|min|mitt|moja|m.j|mojej|moj) $"
)
_WITH = re.compile(rb"[ ](?:with|to)[ ](?=[a-z?])|[ ](?=[a-z?])")
_SIGNED = re.compile(rb",?[ \t]{0,2}\r?\n{1,2}[ \t]{0,2}(?:[-~]{1,2} ?)?(?=[a-z?])")


# What must stand between such a word and a first and a last name.
_NEXT = re.compile(rb"[: ]{1,2}(?=[a-z?])")
_TO_BE = re.compile(rb"[ ](?:to|for|by|is)[ ](?=[a-z?])")
_CONTEXTS = {
    b"i am": _NEXT,
    b"i'm": _NEXT,
    b"this is": _NEXT,
    b"it's": _NEXT,
    b"ich bin": _NEXT,
    b"je suis": _NEXT,
    b"sou": re.compile(rb"[ ](?:[oa] )?(?=[a-z?])"),
    b"ik ben": _NEXT,
    b"jag": re.compile(rb"[ ].r[ ](?=[a-z?])"),
    b"jeg er": _NEXT,
    b"ako si": _NEXT,
    b"c/o": _NEXT,
    b"order of": _NEXT,
    b"behalf of": _NEXT,
    b"care of": _NEXT,
    b"account": re.compile(rb"[ ](?:holder )?(?:of|is|belongs to|belonging to)[ ](?=[a-z?])"),
    b"signed": _TO_BE,
    **dict.fromkeys((b"soy", b"sono", b"jestem", b"aku", b"n?e"), _NEXT),
    **dict.fromkeys(
        (b"belongs", b"registered", b"issued", b"addressed", b"billed", b"payable", b"prescribed", b"diagnosed",
         b"referred", b"customer", b"patient", b"client", b"employee", b"user", b"claimant"),
        _TO_BE,
    ),
}  # fmt: skip
_NAMED = re.compile(
    rb"\b(?:man|woman|person|guy|girl|boy|lady|someone|somebody|patient|customer|client|employee|friend|doctor|nurse"
    rb"|neighbour|neighbor|colleague|student|teacher|child|tenant) $"
)
_HERE = re.compile(rb"(?:^|\n|\" ?)(?:hey|hi|hello|yo)?,? ?(?=[a-z?]{2,20} [a-z?]{2,20} here\b)")
# Jane Roe <jane.roe@example.com>
_ADDRESSED = re.compile(
    r"(?<![^\s\"':,;(<])([^\W\d_a-z][\w'\u2019.-]{0,24}(?:,? (?:[a-z]{2,3} "
    r")?[^\W\d_a-z][\w'\u2019.-]{0,24}){1,3})[\"']? ?<(?=[^<>@\s]{1,64}@)"
)
_PNR = re.compile(r"(?<![\w/])[A-Z]{2,24}/[A-Z]{2,24}(?: ?[A-Z]{1,20})? ?(?:MR|MRS|MS|MISS|MSTR|CHD|INF|DR)(?!\w)")
_ZONE = re.compile(
    r"(?<![A-Z0-9_<])[PIACV][A-Z<][A-Z]{3}([A-Z]{2,30}(?:<[A-Z]{1,30}){0,3}<<[A-Z]{2,30}(?:<[A-Z]{1,30}){0,4})<"
)
_TRACK = re.compile(r"\^([A-Z]{2,26}/[A-Z .]{2,26})\^[0-9]{4}")
_VCARD = re.compile(r"^(?:FN|N|NICKNAME)(?:;[A-Z=0-9-]{1,40})*:([^\n:=]{2,80})$", re.MULTILINE)
_ATTENDEE = re.compile(r"(?:ATTENDEE|ORGANIZER)[^\n:]{0,120}?;CN=\"?([^;:\"\n]{2,60})")
_DISTINGUISHED = re.compile(
    r"\b(?:cn|CN|uid|givenName|sn)=([^\W\d_][^,=\n\"+]{2,60}),\s?(?=(?:ou|OU)=(?i:people|users|staff|employees|persons|members|accounts|customers)\b)"
)


_APART = frozenset({b".", b")", b";"})
"""After which nothing is said of a word."""
_BEFORE_COMMA = lead_words.PERSONS | lead_words.RELATIVES | lead_words.ACQUAINTANCES | lead_words.CLOSINGS


def find(subject: Subject) -> Iterator[Match]:
    """Find the names that a word before them tells of."""
    said = [_SAID_BY.get(word, word) for word in subject.words(_TOPIC)]
    shape = subject.shape if said else b""
    for words, start, end in telling_words.places(subject.low, said):
        sign = subject.low[end : end + 1]
        if (sign in _APART and words not in lead_words.TITLES) or (sign == b"," and words not in _BEFORE_COMMA):
            continue
        if subject.ascii and shape.find(b"A", end, end + _NEAR) < 0:
            continue
        for judge in _JUDGES[words]:
            if found := judge(subject, start, end):
                yield found
                break
    yield from _structured(subject)


def _match(subject: Subject, first: int, least: int) -> Match | None:
    """Return the name of ``least`` words that begins at ``first``."""
    end = end_of_name(subject.text, first, least)
    return Match(first, end, _KIND) if end else None


def _titled(subject: Subject, start: int, end: int) -> Match | None:
    title = subject.raw[start:end]
    # A short title in small letters is none: "10 ms. Requires".
    if title.islower() and len(title) <= _SHORT_TITLE:
        return None
    way = _TITLE.match(subject.low, end)
    return _match(subject, way.end(), 1) if way else None


def _greeted(subject: Subject, _start: int, end: int) -> Match | None:
    way = _GREETED.match(subject.low, end)
    found = _match(subject, way.end(), 1) if way else None
    return found if found and _SIGN_BEHIND.match(subject.text, found.end) else None


def _called(subject: Subject, start: int, end: int) -> Match | None:
    """Judge what follows "hi", which must begin a line or a text and end with a comma."""
    lead = subject.low[max(0, start - 6) : start].rstrip(b" ")
    way = _GREETED.match(subject.low, end)
    if way is None or (lead and lead[-1:] not in b"\n\">'.!:" and lead != b"good"):
        return None
    found = _match(subject, way.end(), 1)
    return found if found and subject.low[found.end : found.end + 1] == b"," else None


def _introduced(subject: Subject, _start: int, end: int) -> Match | None:
    way = _SAID.match(subject.low, end)
    return _match(subject, way.end(), 1) if way else None


def _named(subject: Subject, start: int, end: int) -> Match | None:
    """Judge what is said after a word for names: one word if the name is somebody's, else a full name."""
    way = _NAME_IS.match(subject.low, end)
    if way is None:
        return None
    least = 1 if _WHOSE.search(subject.low, max(0, start - _NEAR), start) else 2
    return _match(subject, way.end(), least)


def _labelled(subject: Subject, start: int, end: int) -> Match | None:
    way = _LABELLED.match(subject.low, end)
    # In files "name" is that of a thing.
    if way is None or (subject.low[start:end] == b"name" and not _is_name_of_person(subject, start)):
        return None
    return _match(subject, way.end(), 2)


def _is_name_of_person(subject: Subject, start: int) -> bool:
    """Whether "name" begins a line in capitals, or is that of a person by the word before."""
    lead = subject.raw[max(0, start - _NEAR) : start]
    if _PARTED_FIELD.search(lead.lower()):
        return True
    return subject.raw[start : start + 1].isupper() and lead.rstrip(b" \t\"'*_#>|(-")[-1:] in (
        b"",
        b"\n",
        b".",
        b",",
        b";",
    )


def _of_field(subject: Subject, _start: int, end: int) -> Match | None:
    """Judge the value of a field whose name says that it is a name."""
    way = _FIELD.match(subject.low, end)
    found = _match(subject, way.end(), 1) if way else None
    return found if found and _END_OF_FIELD.match(subject.text, found.end) else None


def _of_parted_field(subject: Subject, start: int, end: int) -> Match | None:
    is_personal = _PARTED_FIELD.search(subject.low, max(0, start - _NEAR), start)
    return _of_field(subject, start, end) if is_personal else None


def _person(subject: Subject, _start: int, end: int) -> Match | None:
    way = _OF_PERSON.match(subject.low, end)
    return _match(subject, way.end(), 2) if way else None


def _relative(subject: Subject, start: int, end: int) -> Match | None:
    return _related(subject, start, end, 1)


def _acquaintance(subject: Subject, start: int, end: int) -> Match | None:
    return _related(subject, start, end, 2)


def _related(subject: Subject, start: int, end: int, least: int) -> Match | None:
    way = _RELATED.match(subject.low, end)
    if way is None or not _OWN.search(subject.low, max(0, start - _NEAR), start):
        return None
    return _match(subject, way.end(), least)


def _encountered(subject: Subject, _start: int, end: int) -> Match | None:
    way = _WITH.match(subject.low, end)
    return _match(subject, way.end(), 2) if way else None


def _in_context(subject: Subject, start: int, end: int) -> Match | None:
    way = _CONTEXTS[subject.low[start:end]].match(subject.low, end)
    return _match(subject, way.end(), 2) if way else None


def _of_someone(subject: Subject, start: int, end: int) -> Match | None:
    way = _GREETED.match(subject.low, end)
    if way is None or not _NAMED.search(subject.low, max(0, start - _NEAR), start):
        return None
    return _match(subject, way.end(), 1)


def _signed(subject: Subject, _start: int, end: int) -> Match | None:
    """Judge what a letter is signed with, on a line of its own."""
    way = _SIGNED.match(subject.low, end)
    found = _match(subject, way.end(), 1) if way else None
    return found if found and subject.low[found.end : found.end + 1] in (b"", b"\n", b"\r", b" ", b'"') else None


_BY_WORDS: tuple[tuple[Collection[bytes], _Judge], ...] = (
    (lead_words.TITLES, _titled),
    (lead_words.GREETINGS, _greeted),
    (lead_words.CALLS, _called),
    (lead_words.INTRODUCTIONS, _introduced),
    (lead_words.NAME_WORDS, _named),
    ((b"name", b"names"), _of_parted_field),
    (lead_words.FIELDS, _of_field),
    (lead_words.LABELS, _labelled),
    (lead_words.PERSONS, _person),
    (lead_words.RELATIVES, _relative),
    (lead_words.ACQUAINTANCES, _acquaintance),
    (lead_words.ENCOUNTERS, _encountered),
    (_CONTEXTS, _in_context),
    ((b"named", b"called"), _of_someone),
    (lead_words.CLOSINGS, _signed),
)


def _judges() -> dict[bytes, tuple[_Judge, ...]]:
    words = {word for group, _ in _BY_WORDS for word in group}
    return {word: tuple(judge for group, judge in _BY_WORDS if word in group) for word in words}


_JUDGES = _judges()
# What is said in two words is looked for where the rarer of them is.
_SAID_BY = {
    b"am": b"i am", b"m": b"i'm", b"this": b"this is", b"it": b"it's", b"bin": b"ich bin", b"suis": b"je suis",
    b"ben": b"ik ben", b"jeg": b"jeg er", b"ako": b"ako si", b"o": b"c/o", b"order": b"order of",
    b"behalf": b"behalf of", b"care": b"care of",
}  # fmt: skip
WORDS = frozenset(_JUDGES.keys() - _SAID_BY.values() | _SAID_BY.keys())
_TOPIC = telling_words.register(WORDS.__contains__)


def end_of_name(text: str, first: int, least: int) -> int | None:
    """Return where the name ends that begins at ``first``, if it has ``least`` words, and none that no name has."""
    at = end = first
    count = 0
    for _ in range(_MOST_WORDS):
        word = _WORD.match(text, at)
        if word is None:
            break
        plain = word[0].rstrip(".").lower()
        if plain in lead_words.COMPANIES:
            return None
        at = word.end() + 1
        if plain in lead_words.PARTICLES and (end > first or word[0][0].isupper()):
            end = end if count else word.end()
            continue
        if not word[0][0].isupper() or plain in lead_words.NO_NAMES:
            break
        is_last = _ends_sentence(word[0], plain)
        end = word.end() - is_last
        count += _counts(plain)
        if count == 1 and _is_in_reverse(text, word):
            at += 1
        elif is_last or text[at - 1 : at] != " ":
            break
    return end if count >= least else None


def _ends_sentence(word: str, plain: str) -> bool:
    """Whether the dot behind a word ends the sentence, as that of an initial and of a title does not."""
    return word.endswith(".") and len(plain) > _INITIAL and plain not in lead_words.TITLES_OF_NAMES


def _counts(plain: str) -> bool:
    """Whether this is a first or last name, and neither an initial nor a title."""
    return len(plain) >= _INITIAL and plain not in lead_words.TITLES_OF_NAMES


def _is_in_reverse(text: str, word: re.Match[str]) -> bool:
    """Whether the first name follows behind a comma: "OKONKWO, CHIDI"."""
    end = word.end()
    return word[0].isupper() and text[end : end + 2] == ", " and text[end + 2 : end + 3].isupper()


def _structured(subject: Subject) -> Iterator[Match]:
    """Find the names in files of contacts, calendars, directories, journeys, papers and hospitals."""
    raw, text = subject.raw, subject.text
    patterns = [_STRUCTURES[word] for word in subject.words(_STRUCTURE)]
    if b"<" in raw:
        patterns += [_ADDRESSED] * (b"@" in raw) + [_ZONE] * (b"<<" in raw)
    if b"^" in raw:
        patterns += [_TRACK]
    for pattern in patterns:
        yield from (Match(*name.span(1), _KIND) for name in pattern.finditer(text))
    if b"A/A" in subject.shape and subject.words(_PASSENGER):
        yield from (Match(*name.span(), _KIND) for name in _PNR.finditer(text))
    if subject.words(_HEREBY):
        for said in _HERE.finditer(subject.low):
            if found := _match(subject, said.end(), 2):
                yield found


_STRUCTURES = {
    **dict.fromkeys((b"attendee", b"organizer"), _ATTENDEE),
    b"vcard": _VCARD,
    b"cn": _DISTINGUISHED,
}
_PASSENGER = telling_words.register(frozenset({b"mr", b"mrs", b"ms", b"miss", b"mstr", b"chd", b"dr"}).__contains__)
_STRUCTURE = telling_words.register(_STRUCTURES.__contains__)
_HEREBY = telling_words.register(b"here".__eq__)
