"""Numbers of papers, accounts, vehicles and devices: without a check digit in common, known by the words before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from obs_run.privacy.matches import Match

if TYPE_CHECKING:
    from obs_run.privacy.matches import Subject

KINDS = frozenset({"national_id", "bank_account", "device_id"})
_NUMBER = (
    r"(?:[ _-]{0,2}(?:numbers?|nummer\w{0,2}|numm?er|numero|número|numéro|numer|number|num|no|nro|nr|#|code|card|id"
    r"|n[º°.]"
    r"|č\.?|číslo|broj|szám\w{0,2}|nº|идентификатор|номер))?\.?"
)
_SIGN = (
    r"[\"']?[ ]{0,2}(?:\([a-z]{2,9}\)[ ]?)?(?:[:=#\uff1a]|is|was|ist|lautet|est|es|er|jest|to|это|-)?"
    r"[ ]{0,2}[\"'(]?(?:[a-z]{2} )?$"
)
_DOCUMENT = re.compile(
    r"(?:\b(?:passports?|reisepass\w{0,2}|passeport|pasaporte|passaporto|paspoort|paszport\w{0,2}|passnummer|pasaport"
    r"|pașaport"
    r"|útlevél|pas|passi|pasu|cestovní(?:ho)? pas\w{0,2}|putovnica|загранпаспорт\w{0,2}|паспорт\w{0,2}"
    r"|(?:personal)?ausweis\w{0,2}|carte (?:nationale )?d'identité|cni|carta d'identità|documento de identidad"
    r"|dowód osobisty|dowodu osobistego|dowód|identiteitskaart|identitetskort|občanský průkaz|občianskeho preukazu"
    r"|lična karta|osobna iskaznica"
    r"|driver'?s?'? licen[cs]e|driving licen[cs]e|driver licen[cs]e|dl|führerschein\w{0,2}"
    r"|permis(?: de conduire)?|permiso de conducir"
    r"|carn[eé] de conducir|licencia de conducir|carta de condução|cnh|rijbewijs|patente(?: di guida)?|prawo jazdy"
    r"|prawa jazdy|körkort\w{0,2}"
    r"|førerkort|kørekort|ajokortti|řidičský průkaz|vezetői engedély|ehliyet|водительск\w{2,4} (?:удостоверени\w|права)"
    r"|residence permit|aufenthaltstitel|titre de séjour|green card|alien registration|a-number|uscis|visa (?:number"
    r"|no)|identity card|id card"
    r"|(?:health|medical|social|national|travel) (?:insurance|security)|(?:insurance|member|patient|policy|student"
    r"|employee|hospital|badge|subscriber|beneficiary)[ _-](?:policy |member )?(?:id|number|no|nr)|policyholder"
    r"|(?:health|medicare|medicaid|medical|nhs|nhi|ehic|ohip|healthcare)(?: card| beneficiary| identifier| member"
    r"| number| id| identification){0,3}|mbi|phn|hicn"
    r"|kranken(?:versicherung|kasse|versicherten|version)s?|versicherten|versicherungs|carte vitale|tessera sanitaria"
    r"|tarjeta sanitaria|nss"
    r"|(?:kranken|renten|sozial)versicherungs|(?:sv|rv|kv)-|medical record|mrn|tax(?:payer)? ?(?:id|identification"
    r"|file|ref\w{0,6}|reference)?"
    r"|steuer|steuer-id|adóazonosító|taj|rfc(?: con homoclave)?"
    r"|nit|ruc|rif|npwp|cnic|nin|bvn|kra(?: pin)?|ird|hkid|nric|fin|nuit"
    r"|cédula(?: de (?:ciudadanía|identidad))?|cedula"
    r"|c\.c\.|tin|itin|snils|снилс|иин|огрнип|edrpou|rg|título de eleitor|pis|ctps|dni|ruc|curp|personas kods"
    r"|isikukood|asmens kod\w{0,3}|kennitala|henkilötunnus|rodné číslo|лнч|егн|αμκα|αφμ|voter(?: id)?|epic|electoral"
    r"|clave de elector|ration card"
    r"|uan|matrikel\w{0,6}|personalnummer|matricola|inps|numéro fiscal|numero fiscal|fiscal(?: code)?|vat|nip"
    r"|ust-?id\w{0,3}|p\.? ?iva|partita iva|siret|siren"
    r"|license plate|number plate|registration(?: plate| number| no)|plates?|kennzeichen|targa|kenteken"
    r"|immatriculation|matrícula|matricula|rejestracyjn\w{1,2}"
    r"|rego|reg\.? (?:no|nr)|plaka|nummerplade|registreringsnummer|reg\.?nr|rekisteri\w{0,9}|rendszám|spz|госномер"
    r"|номерной знак)s?)" + _NUMBER + _SIGN
)
_ACCOUNT = re.compile(
    r"\b(?:(?:bank |checking |savings |current |giro )?account (?:number|no|nr|#)\.?|acct\.?(?: (?:number|no|#)\.?)?"
    r"|(?<=[0-9]) account:?|a/c(?: no\.?)?"
    r"|konto(?:nummer|nr\.?)?|numéro de compte|número de cuenta|cuenta|numero di conto|conto(?: corrente)?"
    r"|rekeningnummer|rekening|conta corrente"
    r"|numer konta|nr konta|rachunku|číslo účtu|bankszámla\w{0,6}|kontonummer|clabe|cbu|cvu|rib|ifsc|micr|bankgiro"
    r"|plusgiro|tilinumero"
    r"|routing (?:number|no|transit number)|routing|transit(?: number)?|sort ?code|blz|bankleitzahl|bsb"
    r"|aba(?: number)?|счет\w?|сч[её]т|bik|бик)" + _SIGN
)
_DEVICE = re.compile(
    r"\b(?:imei(?:sv)?[12]?|imsi|meid|esn|iccid|sim(?: card)?(?: serial)?|eid|udid|idfa|gaid|aaid|advertising id"
    r"|android[ _]id|device (?:id|serial)"
    r"|vin|vehicle identification|chassis|fahrgestell|fahrzeug-ident\w{0,12}|fin|n° de châssis|número de bastidor"
    r"|bastidor|numero di telaio|telaio"
    r"|serial (?=n))" + _NUMBER + _SIGN
)
_NEAR = 56
FEWEST_DIGITS = 5
_NUMBERS = (
    "number numbers nummer no nr num numero numéro número numer nro broj id card record code is ist was lautet est "
    "es er jest to "
    "number: номер č číslo"
)
_PAPERS = (
    "passport passports reisepass passeport pasaporte passaporto paspoort paszport paszportu pasaport pașaport passi "
    "pas passnummer "
    "ausweis personalausweis identité identità identidad osobisty osobistego identiteitskaart identitetskort průkaz "
    "license licence "
    "licenses führerschein permis conduire conducir condução cnh rijbewijs guida patente jazdy körkort førerkort "
    "kørekort ajokortti "
    "engedély ehliyet permit aufenthaltstitel séjour mrn mbi phn hicn medicare medicaid nhi ehic ohip beneficiary "
    "identifier patient "
    "taj rfc homoclave "
    "nit ruc rif npwp cnic nin bvn kra pin ird hkid nric fin nuit cédula cedula ciudadanía tin itin snils снилс "
    "иин "
    "edrpou rg dni dl curp kods isikukood kodas kennitala henkilötunnus číslo лнч егн αμκα αφμ cardnumber eleitor "
    "pis nis voter epic elector ine uan nip vat iva siret siren fiscal vitale sanitaria nss паспорт паспорта "
    "удостоверение права taxpayer uscis "
)
_PLATES = (
    "plate plates kennzeichen registration targa kenteken immatriculation matrícula matricula rejestracyjny "
    "rejestracyjna rejestracyjne rego reg "
    "plaka nummerplade registreringsnummer regnr rekisterinumero rendszám spz госномер "
)
_ACCOUNTS = (
    "acct account account: konto konta compte cuenta conto corrente rekening conta blz bankleitzahl bsb aba clabe "
    "cbu cvu rib ifsc bankgiro plusgiro "
    "tilinumero routing transit sortcode rachunku účtu бик "
)
_DEVICES = "imei imei1 imei2 imsi meid esn iccid eid udid idfa gaid aaid vin chassis châssis bastidor telaio serial "
# The last word before such a number; hardly any other number follows one.
_WORDS = frozenset(f"{_NUMBERS} {_PAPERS} {_PLATES} {_ACCOUNTS} {_DEVICES}".split())
LAST_WORDS = frozenset(word.encode("ascii", "replace").lstrip(b"?") for word in _WORDS)
_ENDS = ("nummer", "number", "nummern", "numero", "nr", "szám", "numarası", "ausweis", "schein")
ENDS_OF_WORDS = tuple(end.encode("ascii", "replace") for end in _ENDS)
_BETWEEN = " \t:=#\"'(.)-\uff1a"
_OTHER = re.compile(r"[\s_/.:,\"'{(\[-]")
_TOKEN = re.compile(
    r"(?:[A-Z]{2} (?=[A-Z]))?((?:[A-Z]{1,6}"
    r"|[0-9]{1,4})(?:[-. /]?[A-Z0-9]{1,14}){1,6}(?:\([0-9A-Z]\))?)(?![\w])"
)
_SPACED = re.compile(
    r"[A-ZÄÖÜ]{1,3}[- ](?:[A-ZÄÖÜ]{1,2} ?[0-9]{1,4}[EH]?|[0-9]{2,4}[- ]?[A-Z]{0,3})(?!\w)"
    r"|[A-Z]{2}[0-9]{2} ?[A-Z]{3}(?!\w)|[0-9]{1,4}[ -]?[A-Z]{1,3}[ -]?[0-9]{1,4}(?!\w)"
    r"|[A-Z]{1,3}[ -]?[0-9]{2,5}[ -]?[A-Z]{0,3}(?!\w)"
)
_PLATE = re.compile(
    r"(?:licen[cs]e plate|number plate|registration(?: plate)?|plates?|kennzeichen|targa|kenteken|immatriculation"
    r"|matr[ií]cula|rejestracyjn\w{1,2}"
    r"|rego|reg(?:\.? ?nr)?|plaka|nummerplade|registreringsnummer|rekisterinumero|rendszám|spz)\b[^\n]{0,16}$"
)
_FEWEST_OF_LETTERS, _SHORTEST, _SHORTEST_PLATE = 2, 8, 5
_FEWEST_DIGITS_OF_WORD = 4


def kind_after(before: str) -> str | None:
    """Return the kind of a number after the lower-case text ``before``, None where that says nothing of it."""
    words = before[-_NEAR:].rstrip(_BETWEEN)
    if not _tells(words) and not (words[-3:-2] in (" ", ":") and _tells(words[:-2].rstrip(_BETWEEN))):
        return None
    near = before[-_NEAR:]
    if _DEVICE.search(near):
        return "device_id"
    if _ACCOUNT.search(near):
        return "bank_account"
    return "national_id" if _DOCUMENT.search(near) else None


def _tells(words: str) -> bool:
    """Whether the last of ``words`` is one that such a number follows."""
    last = _OTHER.split(words[-32:])[-1]
    return last in _WORDS or last.endswith(_ENDS)


def after(subject: Subject, first: int) -> Match | None:
    """Return the number that begins at ``first``, with a letter or before one."""
    text = subject.text
    before = text[max(0, first - _NEAR) : first].lower()
    kind = kind_after(before)
    if kind is None:
        return None
    plate = _SPACED.match(text, first) if _PLATE.search(before) else None
    token = plate or _TOKEN.match(text, first)
    if token is None:
        return None
    group = token.lastindex or 0
    value = token[group]
    digits = sum(map(str.isdigit, value))
    least = FEWEST_DIGITS if digits == len(value) else _FEWEST_DIGITS_OF_WORD
    if (plate and len(value) >= _SHORTEST_PLATE) or digits >= least:
        is_number = digits >= 1
    else:
        is_number = digits >= _FEWEST_OF_LETTERS and len(value) >= _SHORTEST and value.isalnum()
    return Match(*token.span(group), kind) if is_number else None
