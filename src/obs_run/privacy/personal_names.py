"""Which names of fields tell that the value is personal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.privacy.field_names import NameRule, parts

if TYPE_CHECKING:
    from collections.abc import Collection

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
    ("device_id", "digits"): (
        "vin|chassis number|vehicle identification number|iccid|meid|"
        "idfa|gaid|aaid|imei|imsi|udid|advertising id|android id"
    ),
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
        "nric|uinfin|nin|curp|rut|doc no|document no|document number|id document number|personalausweisnummer|"
        "policy number|member id|subscriber id|medicare number|health card number|student id|voter id|cpf cnpj|npi|"
        "insurance id|insurance number|patient id|versichertennummer"
    ),
    ("national_id", "plate"): (
        "plate|plate number|number plate|registration plate|vehicle registration|kennzeichen|nummernschild|targa|"
        "immatriculation|kenteken|placa|matricula|vrn|reg plate|licence plate"
    ),
    ("person_name", "named"): (
        "contact person|contact name|recipient name|sender name|account holder|holder name|owner name|driver name|"
        "guest name|passenger|passenger name|patient|employee|employee name|student name|student|tenant name|"
        "insured name|beneficiary name|attendee|payee name|doctor|physician|next of kin|emergency contact|"
        "applicant name|caller name|spouse|witness|ansprechpartner|teacher|guest"
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


_WORDS_FOR_CODES = (
    "zip zipcode zip_code postalcode postal_code postalCode postcode plz postleitzahl cep cp code_postal codigo_postal "
    "postnummer postnr pincode pin_code eircode"
)
_POSTAL_CODES = frozenset(_WORDS_FOR_CODES.split())
_HALVES_OF_NAMES = frozenset({"given", "family"})
NEIGHBOURS = _POSTAL_CODES | _HALVES_OF_NAMES
"""Names of fields that tell something beside others."""
_CODE = NameRule("postal_address", "postal")
_HALF = NameRule("person_name", "worded")


def beside(names: Collection[str]) -> dict[str, NameRule]:
    """Return what those of ``names`` tell that tell it together: a postal code with a street, two halves of a name."""
    halves = _HALVES_OF_NAMES.intersection(names)
    rules = dict.fromkeys(halves, _HALF) if len(halves) == len(_HALVES_OF_NAMES) else {}
    codes = [name for name in names if name in _POSTAL_CODES or name.lower() in _POSTAL_CODES]
    if codes and any((rule := personal_name(name)) and rule.kind == _CODE.kind for name in names):
        rules.update(dict.fromkeys(codes, _CODE))
    return rules
