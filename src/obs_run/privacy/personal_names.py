"""Which names of fields tell that the value is personal."""

from __future__ import annotations

from obs_run.privacy.field_names import NameRule, parts

_NAMES = {
    ("email", "email"): "email|mail|e mail|emails|email address|mail address|emailaddress|useremail|correo",
    ("phone", "digits"): (
        "phone|phones|telephone|mobile|cell|cellphone|fax|tel|msisdn|whatsapp|phone number|phonenumber|mobile number|"
        "telefon|telefonnummer|handynummer|telefono|telefone"
    ),
    ("card", "digits"): "card number|cardnumber|credit card|creditcard|credit card number|cc number|ccnumber|card no",
    ("iban", "digits"): "iban",
    ("us.ssn", "digits"): "ssn|social security number|social security",
    ("us.itin", "digits"): "itin",
    ("gb.nino", "digits"): "nino|national insurance number",
    ("gb.nhs", "digits"): "nhs number",
    ("de.idnr", "digits"): "steuer id|steuerid|idnr|steueridentifikationsnummer",
    ("fr.nir", "digits"): "nir",
    ("es.dni", "digits"): "dni",
    ("es.nie", "digits"): "nie",
    ("it.codicefiscale", "digits"): "codice fiscale|codicefiscale",
    ("nl.bsn", "digits"): "bsn|burgerservicenummer",
    ("pl.pesel", "digits"): "pesel",
    ("ro.cnp", "digits"): "cnp",
    ("ru.inn", "digits"): "inn",
    ("hr.oib", "digits"): "oib",
    ("my.nric", "digits"): "mykad|mykad no",
    ("device_id", "digits"): "idfa|gaid|aaid|imei|imsi|udid|advertising id|android id",
    ("se.personnummer", "digits"): "personnummer",
    ("dk.cpr", "digits"): "cpr|cpr nummer",
    ("no.fodselsnummer", "digits"): "fodselsnummer",
    ("fi.hetu", "digits"): "hetu|henkilotunnus",
    ("pt.nif", "digits"): "nif",
    ("br.cpf", "digits"): "cpf",
    ("in.aadhaar", "digits"): "aadhaar|aadhar|aadhaar number",
    ("tr.tckimlik", "digits"): "tckn|tc kimlik|tc kimlik no",
    ("mx.curp", "digits"): "curp",
    ("national_id", "digits"): (
        "national id|national identity number|nationalid|tax id|taxid|personal id|passport|passport number|"
        "passportnumber|identity number|id card number|drivers license|driving licence number|driver license number|"
        "drivers license number|passport no|insurance number|medical record number|mrn|license plate|steuernummer|"
        "nric|uinfin|nin|curp|rut|doc no|document no|document number|id document number|personalausweisnummer"
    ),
    ("person_name", "worded"): (
        "first name|firstname|last name|lastname|full name|fullname|surname|given name|givenname|family name|"
        "familyname|maiden name|middle name|patient name|customer name|cardholder name|card holder|vorname|"
        "nachname|familienname|prenom|nom de famille|apellido|apellidos|nombre completo|cognome|sobrenome|"
        "nome completo|achternaam|voornaam|nazwisko|imie|fornavn|etternavn|efternavn|vezeteknev|keresztnev|prenume"
    ),
    ("postal_address", "dated"): (
        "street|street address|streetaddress|address line|address line 1|address line 2|address 1|address 2|"
        "home address|shipping address|billing address|delivery address|postal address|mailing address|"
        "residential address|strasse|anschrift|calle|direccion|endereco|indirizzo|adresse|straat|ulica"
    ),
    ("bank_account", "digits"): (
        "account number|accountnumber|bank account|bank account number|routing number|sort code|sortcode|"
        "kontonummer|iban number"
    ),
    ("date_of_birth", "dated"): "dob|birthdate|birthday|date of birth|dateofbirth|birth date|geburtsdatum",
    ("coordinates", "decimal"): "lat|latitude|lng|lon|longitude",
}
KINDS = frozenset({"national_id", "bank_account", "person_name", "postal_address"})
_RULES = {
    tuple(name.split(" ")): NameRule(kind, form) for (kind, form), names in _NAMES.items() for name in names.split("|")
}
_LONGEST = max(map(len, _RULES))


def personal_name(name: str) -> NameRule | None:
    """Return what ``name`` tells of its value, None where it is no name of personal data."""
    words = parts(name[-80:])
    for length in range(min(_LONGEST, len(words)), 0, -1):
        rule = _RULES.get(tuple(words[-length:]))
        if rule is not None:
            return rule
    return None
