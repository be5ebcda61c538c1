"""Postal addresses: by the names of streets, by a postal code behind one, or by the word before them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

_KIND = "postal_address"
_NEAR = 64
_LABEL = re.compile(
    r"(?:(?:ship|deliver|send|mail|bill|return|post)(?:ped|ping|ed)? ?to|(?:[\w-]{0,20}[ -])?address(?:e[ns]?)?"
    r"|\w{0,16}(?:adresse|anschrift)|wohnhaft(?: in)?|wohnort|adres\w{0,6}|(?:lak)?cím|osoite|bydliště|bydlisko"
    r"|endere[çc]o|morada"
    r"|direcci[óo]n|domicilio|indirizzo|residenza|domicile|adresa|aadress|адрес|адреса|διεύθυνση)"
    r"(?: \([a-z ]{1,16}\))?\s?[:：]\s{0,2}$"
)
LAST_WORDS = frozenset({
    *(b"to", b"address", b"adresse", b"lieferadresse", b"rechnungsadresse", b"anschrift", b"postanschrift",
    b"lieferanschrift",
      b"wohnadresse", b"privatadresse", b"postadresse", b"wohnhaft", b"wohnort", b"adres", b"adresi", b"adress",
      b"adressen",
      b"c?m", b"lakc?m", b"osoite", b"bydli?t?", b"bydlisko", b"endere?o", b"endereco", b"morada", b"direcci?n",
      b"direccion",
      b"domicilio", b"indirizzo", b"residenza", b"domicile", b"adresa", b"aadress", b"besuchsadresse", b"heimadresse"),
})  # fmt: skip
"""The last words before a colon that an address stands behind."""
# What follows the number of a house where English is spoken.
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court|Ct|Square|Sq|Terrace|Terr|Parkway|Pkwy"
    r"|Highway|Hwy|Close"
    r"|Crescent|Cres|Gardens|Gdns|Grove|Mews|Circle|Cir|Broadway|Kingsway|Quay|Wharf|Esplanade|Parade|Pde|Turnpike"
    r"|Embankment|Nagar|Marg|Chowk)"
)
# These are other things as well, so that more of an address must follow.
_OTHER_STREET = (
    r"(?:Way|Place|Pl|Hill|Row|Walk|Trail|Trl|Loop|Alley|Green|Park|Mount|Rise|View|Heights|Plaza|Pike|Run|Path|Bend"
    r"|Cove|Crossing|Ridge|Vale)"
)
_GOES_ON = re.compile(r" (?!in\b|and\b|near\b|please|on\b|at\b|from\b|to\b|by\b|with\b|is\b|for\b)[a-z]|[:=_/(]")
_OTHER_NUMBER = re.compile(
    r"(?:version|section|step|chapter|phase|level|day|page|line|part|figure|table|top|release|in|since|issue|type"
    r"|item|unit test|port|code) $",
    re.IGNORECASE,
)
_NUMBER_FIRST = re.compile(
    r"(?:(?:Flat|Apt|Unit|Suite|Apartment) [0-9A-Z]{1,4}, )?(?<![\w.:/-])[0-9]{1,5}[A-Za-z]?(?:[-/][0-9]{1,4})? "
    rf"(?:[NSEW]\.? )?(?:[A-Z][\w'\u2019.-]{{1,20}} |[0-9]{{1,3}}(?:st|nd|rd|th) ){{1,4}}(?:{_STREET}"
    rf"|(?P<other>{_OTHER_STREET}))\b\.?(?: [NSEW]{{1,2}}\b)?"
)
# The rest: flat, town, region and postal code.
_REST = re.compile(
    r"(?:,? (?:#|No\.? ?|Apt\.? ?|Apartment |Suite |Ste\.? ?|Unit |Flat |Floor )[0-9A-Za-z-]{1,6}\b)?"
    r"(?:,? (?:(?:A-|D-|CH-|B-|F-)?[0-9]{4,6}(?:-[0-9]{3,4})?|[0-9]{4} ?[A-Z]{2}|[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3}"
    r"|[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]"
    r"|[A-Z]{2,3}\b|[^\W\d_][^\W\d_'\u2019.-]{2,24}(?=,| [A-Z0-9]|\.?$|\.?\s|[)\"';]))(?![\w-])){0,6}"
)
_TOWN = re.compile(
    r",? (?:(?:[A-Z]{1,2}-)?[0-9]{4,6}(?:-[0-9]{3,4})?|[0-9]{4} ?[A-Z]{2}|[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3})"
    r" [^\W\d_][\w'\u2019.-]{2,24}(?: (?:am|an der|a\.|sur|de|del|la|upon|ob der) [^\W\d_]\w{2,20}| [A-Z][\w-]{1,20})?"
)
# Streets whose name has the word in it, with the number behind.
_GLUED = re.compile(
    r"(?:\b(?:Am|An der|Auf der|Im|Zum|Zur|Unter den|Op de"
    r"|De) )?(?:[^\W\d_][\w.'-]{1,20}[ -]){0,2}[^\W\d_][\w'-]{1,24}?"
    r"(?:stra(?:ß|ss)e|str\.?|weg|platz|allee|gasse|ring|damm|ufer|chaussee|steig|pfad|markt|hof|graben|promenade"
    r"|zeile|kai"
    r"|straat|laan|plein|gracht|kade|singel|dijk|steeg|gatan|vägen|gata|veien|vegen|vej|gade|plads|torget|torg|katu"
    r"|tie|kuja|polku|tänav"
    r"|[ -](?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Ring|utca|út|útja|tér|körút|[Cc]addesi|[Ss]okak|Sok\.|Cad\."
    r"|Bulvarı|iela|gatvė))"
    r",? (?:[Nn]o[.:]? ?)?[0-9]{1,4}(?:[ ]?[a-zA-Z]\b)?(?:[-/][0-9]{1,4}[a-zA-Z]?)?(?![\w.:%-])"
)
# Streets that begin with the word.
_BEFORE = re.compile(
    r"(?<![\w])(?:[0-9]{1,4}(?: ?(?:bis|ter|[a-dA-D])\b)?,? (?:rue|avenue|av\.|boulevard|bd|place|chemin|allée"
    r"|impasse|quai|cours|route|passage"
    r"|square|faubourg)(?: (?:de|du|des|la|le|les|d['\u2019]"
    r"|l['\u2019])){0,2} ?[^\W\d_][\w'\u2019-]{1,24}(?:[ -][^\W\d_][\w'\u2019-]{1,20}){0,3}"
    r"|(?:[Cc]alle|C/|Avenida|Avda\.?|Av\.|Plaza|Paseo|P\.º|Carrer|Carretera|Ronda|Travesía|Camino|Cra\.?|Carrera"
    r"|Cl\.|Via|Viale|V\.le|Piazza|P\.za"
    r"|Piazzale|Corso|Largo|Vicolo|Lungotevere|Strada|Str\.|Bulevardul|Bd\.|Calea|Aleea|Șoseaua|Rua|R\.|Travessa"
    r"|Praça|Alameda|Estrada|Rodovia"
    r"|[Uu]l\.|[Uu]lica|[Aa]l\.|[Oo]s\.|[Pp]l\.|Aleja|Jalan|Jl\.|ул\.|улица|вул\.|проспект|пр-т|пр\.|пер\.|бул\.|Οδός)"
    r" ?(?:[^\W_][\w'\u2019.-]{0,24} ){0,4}?[^\W\d_][\w'\u2019.-]{1,24},? (?:n[.º°]?\s?|[Nn]o\.? |д\. ?|буд\. "
    r"|nr\.? ?|#)?[0-9]{1,5}"
    r"(?:[ ]?[a-zA-Z]\b)?(?:[-/][0-9]{1,4}[A-Za-z]?)?(?: ?[mkл]\. ?[0-9]{1,4})?(?![\w:%]|\.[0-9])"
    r"|(?:P\.? ?O\.? ?Box|Postfach|Apartado(?: de Correos)?|Casilla|Boîte postale|BP|Postbus|Postboks|Box"
    r"|Caixa Postal|Casella postale)"
    r" [0-9]{1,6}(?=,? [A-Z0-9]|\n))"
)
_GLUED_ENDS = (
    b"stra?e", b"strasse", b"str.", b"weg", b"platz", b"allee", b"gasse", b"ring", b"damm", b"ufer", b"chaussee",
    b"steig",
    b"pfad", b"markt", b"hof", b"graben", b"promenade", b"zeile", b"kai", b"straat", b"laan", b"plein", b"gracht",
    b"kade",
    b"singel", b"dijk", b"steeg", b"gatan", b"v?gen", b"gata", b"veien", b"vegen", b"vej", b"gade", b"plads", b"torget",
    b"torg", b"katu", b"tie", b"kuja", b"polku", b"t?nav", b"utca", b" ?t", b"?tja", b" t?r", b"k?r?t", b"caddesi",
    b"sokak",
    b"sok.", b"cad.", b"bulvar?", b"iela", b"gatv?", b" no:", b" no.", b" no",
)  # fmt: skip
_BEHIND_NUMBER = (
    b"rue ", b"avenue ", b"av. ", b"boulevard ", b"bd ", b"place ", b"chemin ", b"all?e ", b"impasse ", b"quai ",
    b"cours ",
    b"route ", b"passage ", b"square ", b"faubourg ", b"is ", b"er ", b"venue ", b"v. ", b"oulevard ", b"llee ",
    b"hemin ", b"ours ",
)  # fmt: skip
_STREET_WORDS = frozenset({
    *(b"calle", b"c/", b"avenida", b"avda", b"avda.", b"av.", b"plaza", b"paseo", b"carrer", b"carretera", b"ronda",
    b"camino",
      b"cra.", b"cra", b"carrera", b"cl.", b"via", b"viale", b"v.le", b"piazza", b"p.za", b"piazzale", b"corso",
      b"largo", b"vicolo",
      b"lungotevere", b"strada", b"str.", b"bulevardul", b"bd.", b"calea", b"aleea", b"rua", b"r.", b"travessa",
      b"pra?a", b"alameda",
      b"estrada", b"rodovia", b"ul.", b"ulica", b"al.", b"os.", b"pl.", b"aleja", b"jalan", b"jl.", b"box",
      b"postfach", b"apartado",
      b"casilla", b"postale", b"bp", b"postbus", b"postboks", b"postal", b"??.", b"?????", b"????"),
})  # fmt: skip
_LONGEST_WORD = 24
_LONGEST_NUMBER, _NEAR_UNIT = 8, 12
_GOES_WITH_STREET = (b" A", b" a", b"a ", b"A ")
_LINE = re.compile(r"[^\n\"<>|;{}\t]{8,160}")
_IS_ADDRESS = re.compile(r"(?=.*[0-9])(?=.*[^\W\d_]{3})(?!.*(?:[@=_]|://|0x|\\))")
_OF_OTHERS = re.compile(
    r"(?:〒? ?[0-9]{3}-[0-9]{4}\s?)?[一-龠]{2,4}[都道府県][一-龠ぁ-んァ-ヶ]{1,12}[市区町村郡]"
    r"[一-龠ぁ-んァ-ヶ0-9０-９丁目番地号-]{2,30}"
    r"|(?:[一-龠]{2,7}(?:省|自治区))?[一-龠]{2,6}市(?:[一-龠]{1,6}[区县])?[一-龠0-9]{1,16}(?:路|街|道"
    r"|巷)[一-龠]{0,2}[0-9]{1,5}[号弄][一-龠0-9A-Za-z]{0,16}"
    r"|[가-힣]{2,8}(?:특별시|광역시|시|도) (?:[가-힣]{1,8}[시군구] ?){1,2}[가-힣0-9]{1,12}(?:로|길"
    r"|동) ?[0-9]{1,4}(?:-[0-9]{1,4})?(?:번길 [0-9]{1,4})?"
)
_OTHER_HINTS = ("都", "県", "府", "市", "시", "도 ")
_CYRILLIC_HINTS = ("ул.", "улица", "вул.", "пр-т", "проспект", "пер.", "Οδός")
_LABELS_OF_OTHERS = re.compile(
    r"(?:住所|地址|주소|адрес\w{0,3}|כתובת|العنوان|पता|ที่อยู่|địa chỉ"
    r"|διεύθυνση)\s?[:：]\s?([^\n\"]{6,120})",
    re.IGNORECASE,
)


def may_be_of_address(shape: bytes, first: int) -> bool:
    """Whether a street may stand before or behind the number at ``first``."""
    behind = shape[first : first + _LONGEST_NUMBER].lstrip(b"0")[:2]
    return behind in _GOES_WITH_STREET or shape.rfind(b"A", max(0, first - _LONGEST_WORD), first) >= 0


def at_number(subject: Subject, first: int) -> Iterator[Match]:
    """Find the address that has the number at ``first``."""
    shape, text = subject.shape, subject.text
    behind = shape[first : first + _LONGEST_NUMBER].lstrip(b"0")
    if behind[:2] in _GOES_WITH_STREET:
        if behind.lstrip(b"aA")[:2] == b" A":
            for street in _NUMBER_FIRST.finditer(text, max(0, first - _NEAR_UNIT), first + _NEAR):
                yield from _english(text, street)
        elif (
            subject.low[first : first + _NEAR].lstrip(b"0123456789,abcd ").startswith(_BEHIND_NUMBER)
            or b" ter " in subject.low[first : first + 12]
        ):
            for street in _BEFORE.finditer(text, first, first + _NEAR):
                yield _with_rest(text, street)
    if shape.rfind(b"A", max(0, first - _LONGEST_WORD), first) >= 0:
        start = max(0, first - _NEAR)
        lead = subject.low[start:first]
        pattern = _GLUED if lead.rstrip(b": ,").endswith(_GLUED_ENDS) else _BEFORE
        if pattern is _GLUED or not _STREET_WORDS.isdisjoint(lead.split()):
            for street in pattern.finditer(text, start, first + 16):
                yield _with_rest(text, street)


def labelled(subject: Subject, first: int) -> Match | None:
    """Return the rest of the line from ``first``, if the words before say that it is an address."""
    text = subject.text
    if not _LABEL.search(text[max(0, first - _NEAR) : first].lower()):
        return None
    line = _LINE.match(text, first)
    if line is None or not _IS_ADDRESS.match(line[0]):
        return None
    return Match(first, first + len(line[0].rstrip(" .,")), _KIND)


def _english(text: str, street: re.Match[str]) -> Iterator[Match]:
    found = _with_rest(text, street)
    is_whole = found.end > street.end()
    if _OTHER_NUMBER.search(text, max(0, street.start() - 16), street.start()):
        return
    if is_whole or (street["other"] is None and not _GOES_ON.match(text, street.end())):
        yield found


def _with_rest(text: str, street: re.Match[str]) -> Match:
    rest = _REST.match(text, street.end())
    return Match(street.start(), rest.end() if rest else street.end(), _KIND)


def of_other_scripts(subject: Subject) -> Iterator[Match]:
    """Find the addresses of scripts other than Latin."""
    if not subject.has_digits:
        return
    text = subject.text
    if any(hint in text for hint in _OTHER_HINTS):
        for address in _OF_OTHERS.finditer(text):
            yield Match(*address.span(), _KIND)
    for line in _LABELS_OF_OTHERS.finditer(text):
        if any(sign.isdigit() for sign in line[1]):
            yield Match(*line.span(1), _KIND)
    if any(hint in text for hint in _CYRILLIC_HINTS):
        for street in _BEFORE.finditer(text):
            yield _with_rest(text, street)
