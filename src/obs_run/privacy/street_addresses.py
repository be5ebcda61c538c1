"""Postal addresses: by the words for streets, with a number and a town beside them, or by the word before them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy import telling_words
from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.privacy.matches import Subject

_KIND = "postal_address"
_NEAR = 64


def _any_of(words: str) -> str:
    """Return a pattern of words, the longest first, in which ``_`` is a space."""
    escaped = (re.escape(word.replace("_", " ")) for word in sorted(words.split(), key=len, reverse=True))
    return "|".join(escaped)


def _ends(words: str) -> tuple[bytes, ...]:
    return tuple(word.lower().encode("ascii", "replace") for word in words.split())


_LABELS = (
    "address adresse lieferadresse rechnungsadresse anschrift postanschrift lieferanschrift wohnadresse privatadresse "
    "postadresse wohnhaft wohnort adres adresi adress adressen bezorgadres woonadres cím lakcím osoite bydliště "
    "bydlisko endereço endereco morada dirección direccion domicilio domicílio indirizzo residenza domicile adresa "
    "aadress besuchsadresse heimadresse alamat address1 address2 address_line line1 addr addresse ship deliver mail "
    "bill post send shipping billing mailing zamieszkania zameldowania korrespondenzadresse heimatadresse"
)
_LABELLED = re.compile(
    rb"(?:[ _-]?(?:ped|ping|ed|to|line|address|adresse|rumah|lengkap|is|lautet|zamieszkania|de|entrega|legal|fiscal"
    rb"|[0-9])){0,3}(?: \([a-z ]{1,16}\))?\\{0,3}[\"'*]{0,3}[ ]?(?::|=(?=[ ]?\\{0,3}[\"']))[ "
    rb"\n]{0,2}\\{0,3}[\"'*]{0,3}[ ]{0,2}(?=[^\s\"'])"
)
# What follows the number of a house where English is spoken.
_STREETS = (
    "Street St Avenue Ave Road Rd Drive Dr Lane Ln Boulevard Blvd Court Ct Square Sq Terrace Terr Parkway Pkwy Highway "
    "Hwy Close Crescent Cres Gardens Gdns Grove Mews Circle Cir Broadway Kingsway Quay Wharf Esplanade Parade Pde "
    "Turnpike Embankment Nagar Marg Chowk Colony Layout"
)
# These are other things as well, so that more of an address must follow.
_OTHER_STREETS = (
    "Way Place Pl Hill Row Walk Trail Trl Loop Alley Green Park Mount Rise View Heights Plaza Pike Run Path Bend Cove "
    "Crossing Ridge Vale Hollow Residency Apartments Towers Enclave Phase Sector"
)
# The ends of words for streets, with the number behind, and such words where they stand alone.
_GLUED = (
    "straße strasse str weg platz allee gasse ring damm ufer chaussee steig pfad markt hof graben promenade zeile kai "
    "straat laan plein gracht kade singel dijk steeg gatan vägen gata veien vegen vej gade plads torget torg katu tie "
    "kuja polku tänav"
)
_BEHIND_NAMES = (
    "Straße Strasse Str. Weg Platz Allee Gasse Ring utca út útja tér körút caddesi Caddesi sokak Sokak Sok. Cad. "
    "Bulvarı bulvarı iela gatvė mahallesi Mahallesi Mah. prospekts"
)
# Streets whose name begins with the word, and those where the number stands before it.
_BEFORE_NAMES = (
    "calle Calle C/ Avenida avenida Avda Avda. Av. Plaza Paseo P.º Carrer Carretera Ronda Travesía Camino Cra. "
    "Carrera Cl. "
    "via Via viale Viale V.le piazza Piazza P.za Piazzale Corso corso Largo Vicolo Lungotevere Strada Str. Bulevardul "
    "Bd. "
    "Calea Aleea Șoseaua rua Rua R. Travessa Praça Alameda Estrada Rodovia Jalan Jl. ul. Ul. ulica Ulica al. Al. os. "
    "Os. pl. Pl. Aleja Rue rue ulice Ulica naměstí náměstí Insurgentes"
)
_BEHIND_NUMBERS = (
    "rue avenue av. boulevard boul. bd place chemin allée impasse quai cours route passage square faubourg ruelle"
)
_BOXES = (
    "P.O._Box PO_Box P.O.Box P_O_Box Postfach Apartado Casilla Boîte_postale BP Postbus Postboks Box Caixa_Postal "
    "Casella_postale Private_Bag GPO_Box"
)
_CYRILLIC = "ул. улица вул. вулиця проспект пр-т пр. просп. пер. бул. шоссе наб. пл. Οδός οδός"
_TOWN = r"[^\W\d_a-zà-öø-ÿ](?:[^\W\d_]|['\u2019.-]){1,24}"
_CODE = (
    r"(?:(?:A|D|CH|B|F|L|LV|LT|SE|DK|NO|FI|IT|E|P)-)?(?:[0-9]{4,6}(?:-[0-9]{3,4})?(?: ?[A-Z]{2}\b)?|[0-9]{3} "
    r"[0-9]{2,3}|[0-9]{2}-[0-9]{3}"
    r"|[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[A-Z][0-9]{2} ?[0-9A-Z]{4}"
    r"|[A-Z][0-9]{4}[A-Z]{3})(?![\w])"
)
_UNIT = (
    r"(?:#|№|[Nn][oº°]\.? ?|[Aa]pto?s?\.? ?|ap\. ?|lgh ?|lejl\. ?|citofono |interno |[Aa]pt\.? ?"
    r"|[Aa]partment |Suite |Ste\.? ?|Unit |Flat |Floor |Level "
    r"|[Bb]lock |[Bb]lk |[Bb]loco |sala "
    r"|[Pp]iso |[Ee]sc\.? ?|[Pp]uerta |[Ii]nt\.? ?|[Dd]epto\.? ?|[Cc]ol\. ?|кв\. ?|д\. ?|корп\. ?|стр\. ?|буд\. ?|м\. "
    r"?|m\. ?|[Tt]op |[Tt]ür |[Kk]at:? ?|D: ?|K: ?"
    r"|bus |bte |boîte |[Dd]aire:? ?|App\.? ?)[0-9A-Za-z-]{1,12}\b"
)
# The rest: flat, town, region and postal code.
_REST = re.compile(
    rf"(?:(?:, ?| - |\s-\s|,?\n| )(?:{_UNIT}|{_CODE}|[0-9]{{1,3}}(?:\.|[ºª°])+ ?[A-Za-z]{{0,4}}\b\.?|[0-9]{{1,2}}/F"
    rf"|[A-Z]{{2,3}}\b"
    rf"|{_TOWN}(?: (?:am|an der|a\.|sur|de|del|la|upon|ob der|do|da|di|i|v)(?= [^\W\d_a-zà-öø-ÿ])| "
    rf"[^\W\d_a-zà-öø-ÿ](?:[^\W\d_]|['-]){{1,20}}(?![\w])){{0,3}}"
    rf"(?=,|\.?$|\.?\s|[)\"';])|\([A-ZÀ-Ý][\w ]{{1,14}}\)| ?[0-9]{{2}} {_TOWN})){{0,9}}"
)
_GOES_ON = re.compile(
    r" (?!in\b|and\b|near\b|please|on\b|at\b|from\b|to\b|by\b|with\b|is\b|for\b|last\b|this\b|next\b)[a-z]|[:=_/(]"
)
_OTHER_NUMBER = re.compile(
    r"(?:version|section|step|chapter|phase|level|day|page|line|part|figure|table|top|release|in|since|issue|type"
    r"|item|unit test|port|code|copyright|\(c\)|©|rfc|python) $",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2} ")
_NUMBER_FIRST = re.compile(
    r"(?:(?:(?:Flat|Apt|Unit|Suite|Apartment|Shop|Villa|House|Blk|Block) [0-9A-Z]{1,5},? |[0-9]{1,3}/F,? ){0,2})"
    r"(?<![\w.:-])(?:(?:[Hh]\.? ?)?[Nn]o\.? ?)?[0-9]{1,5}[A-Za-z]?(?:[-/][0-9]{1,4}[A-Z]?)?,? "
    rf"(?:[NSEW]{{1,2}}\.? )?(?:[A-Z][\w'\u2019.-]{{0,20}},? |[0-9]{{1,3}}(?:st|nd|rd|th) "
    rf"){{1,4}}?(?:(?:{_any_of(_STREETS)})"
    rf"|(?P<other>(?:{_any_of(_OTHER_STREETS)})(?! (?:{_any_of(_STREETS)})\b)))\b\.?"
    r"(?: [0-9]{1,3}\b(?= ?#|,))?(?: [NSEW]{1,2}\b)?"
)
# Without the number of a house: "MG Road, Bengaluru 560001".
_STREET_OF_TOWN = re.compile(
    rf"(?:[A-Z][\w'\u2019.-]{{0,20}} ){{1,3}}(?:{_any_of(_STREETS)})\.?(?=, ?{_TOWN}(?: {_TOWN})?(?:,? -?,? "
    rf"?(?:[A-Z]{{2,3}} )?[0-9]{{5,6}}\b))"
)
_BEHIND_NAME = re.compile(
    rf"(?:[0-9]{{4,5}} {_TOWN}, )?(?:\b(?:Am|An der|Auf der|Im|Zum|Zur|Unter den|Op de|De|Het) "
    rf")?(?:[^\W\d_][\w.'-]{{1,20}}[ -]){{0,2}}"
    rf"(?:[^\W\d_][\w'-]{{1,24}}?(?:{_any_of(_GLUED)})\.?|[^\W\d_][\w'-]{{1,24}}[ -](?:{_any_of(_BEHIND_NAMES)})"
    r"|(?:Am|An der|Auf dem|Im|Zum|Zur|Alter|Alten|Neuer) (?:[^\W\d_]\w{1,20} )?[^\W\d_]\w{2,20})"
    r",? (?:[Nn]o[.:]? ?)?[0-9]{1,4}(?:[ ]?[a-zA-Z]\b)?(?:[-/.] ?[0-9]{1,4}[a-zA-Z]?|-[a-z]{1,3}|-[IVX]{1,4}|-hs|-bis)?"
    r"(?: [A-Z] "
    r"[0-9]{1,3}\b)?(?![\w:%-]|\.[0-9])"
)
_BEFORE_NAME = re.compile(
    rf"(?<![\w])(?:[0-9]{{1,4}}(?: ?(?:bis|ter|quater|[a-dA-D])\b)?,? (?:{_any_of(_BEHIND_NUMBERS)})"
    r"(?: (?:de|du|des|la|le|les|De|d['\u2019]|l['\u2019])){0,3} ?[^\W\d_][\w'\u2019-]{1,24}(?:[ "
    r"-][^\W\d_][\w'\u2019-]{1,20}){0,3}"
    rf"|(?:г\. ?[А-Я][а-яё-]+, ?)?(?:{_any_of(_BEFORE_NAMES)}|{_any_of(_CYRILLIC)})"
    r" ?(?:(?:de|del|la|las|los|el|da|do|das|dos|di|dei|della|delle|al|pod|nad|na) "
    r"){0,3}(?:[^\W_a-zà-öø-ÿа-я][\w'\u2019.-]{0,24} ){0,4}?"
    r"[^\W_a-zà-öø-ÿа-я][\w'\u2019.-]{1,24},? (?:n[.º°]{0,2}\s?|[Nn]o\.? |д\. ?|буд\. |nr\.? ?|# ?)?[0-9]{1,5}"
    r"(?:[ ]?[a-zA-Z]\b)?(?:[-/][0-9]{1,4}[A-Za-z]?)?(?: ?[mkл]\. ?[0-9]{1,4})?(?![\w:%]|\.[0-9])"
    rf"|(?:{_any_of(_BOXES)}) [0-9]{{1,6}}(?=,? [A-Z0-9]|\n|$))"
)
_ENGLISH = telling_words.folded(f"{_STREETS} {_OTHER_STREETS}")
_FIRST_WORDS = frozenset(
    re.split(rb"[^a-z?]+", b" ".join(_ends(f"{_BEFORE_NAMES} {_BEHIND_NUMBERS} {_BOXES}".replace("_", " "))))
)
_BEFORE = frozenset(word for word in _FIRST_WORDS if word.strip(b"?")) - {
    b"c",
    b"p",
    b"o",
    b"r",
    b"private",
    b"le",
    b"za",
}
_CAPITALISED = _ENGLISH - _BEFORE
_LABEL_WORDS = telling_words.folded(_LABELS)
_GLUED_ENDS = _ends(_GLUED)
_BEHIND = frozenset(word.strip(b".") for word in _ends(_BEHIND_NAMES))
WORDS = _ENGLISH | _BEFORE | _LABEL_WORDS | _BEHIND
_OTHER_ENDS = (b"string", b"uring", b"ering", b"oring", b"aring", b"iring")
_DELIVERIES = telling_words.folded("ship deliver mail bill post send shipping billing mailing")
_TO = re.compile(rb"[a-z]{0,5}[ _-]?(?:to|address)")
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


def find(subject: Subject) -> Iterator[Match]:
    """Find the addresses of Latin script."""
    telling = subject.words(_TOPIC)
    if not telling:
        return
    for word, start, end in telling_words.places(subject.low, (word for word in telling if word not in _CAPITALISED)):
        if found := _beside(subject, word, start, end):
            yield found
    # Names of streets are written with a capital, or in capitals; the words alone are often something else.
    english = [form for word in telling if word in _ENGLISH for form in (word.capitalize(), word.upper())]
    for _, start, end in telling_words.places(subject.raw, english):
        if found := _english(subject.text, start, end):
            yield found


def _is_telling(word: bytes) -> bool:
    """Whether a word may be of an address."""
    return word in WORDS or (word.endswith(_GLUED_ENDS) and not word.endswith(_OTHER_ENDS))


_TOPIC = telling_words.register(_is_telling)


def _beside(subject: Subject, word: bytes, start: int, end: int) -> Match | None:
    """Judge what stands around a word that may be of an address."""
    text = subject.text
    if word in _LABEL_WORDS and (found := _labelled(subject, word, end)):
        return found
    if word in _BEFORE:
        street = _containing(_BEFORE_NAME, text, start, end, _LEAD_OF_NUMBER)
        if street:
            return _with_rest(text, street)
    if (word in _BEHIND or word.endswith(_GLUED_ENDS)) and _HAS_NUMBER.match(subject.raw, end):
        street = _containing(_BEHIND_NAME, text, start, end, _NEAR)
        if street:
            return _with_rest(text, street)
    return None


_LEAD_OF_NUMBER = 22
_HAS_NUMBER = re.compile(rb"\.?,? (?:[Nn]o[.:]? ?)?[0-9]")


def _containing(pattern: re.Pattern[str], text: str, start: int, end: int, lead: int) -> re.Match[str] | None:
    """Return the match in which the word from ``start`` to ``end`` stands."""
    for street in pattern.finditer(text, max(0, start - lead), end + _NEAR):
        if street.start() <= start:
            if street.end() >= end:
                return street
        else:
            break
    return None


def _english(text: str, start: int, end: int) -> Match | None:
    lead = text[max(0, start - _NEAR) : start]
    street = _containing(_NUMBER_FIRST, text, start, end, _NEAR) if _DIGIT.search(lead) else None
    if street is None:
        street = _containing(_STREET_OF_TOWN, text, start, end, _NEAR)
        return _with_rest(text, street) if street else None
    found = _with_rest(text, street)
    has_code = _DIGIT.search(text, street.end(), found.end) is not None
    if _OTHER_NUMBER.search(text, max(0, street.start() - 16), street.start()):
        return None
    is_other = street["other"] is not None or _YEAR.match(street[0]) is not None
    if has_code or (not is_other and (found.end > street.end() or not _GOES_ON.match(text, street.end()))):
        return found
    return None


_DIGIT = re.compile("[0-9]")


def _labelled(subject: Subject, word: bytes, end: int) -> Match | None:
    """Return the rest of the line, if the word before it says that it is an address."""
    way = _LABELLED.match(subject.low, end)
    if way is None or (word in _DELIVERIES and not _TO.match(way[0])):
        return None
    line = _LINE.match(subject.text, way.end()) if way else None
    if line is None or not _IS_ADDRESS.match(line[0]) or _IS_OTHER.match(line[0]):
        return None
    return Match(line.start(), line.start() + len(line[0].rstrip(" .,")), _KIND)


# Addresses of networks, memory and files; counts and times.
_IS_OTHER = re.compile(
    r"\[?[0-9a-fA-F]*[:.][0-9a-fA-F:.]*(?:/[0-9]+|:[0-9]+)?\]?(?:\s|$)|0x"
    r"|[\w.-]+\.[a-z]{2,}(?:[:/]|$)|[A-Z][a-z]{2},? [0-9]|[a-z_]+[(\[.]"
)


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
        for street in _BEFORE_NAME.finditer(text):
            yield _with_rest(text, street)
