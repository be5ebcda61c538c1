"""The names of the built-in kinds, and the presets: what finds personal data is loaded only where it is wanted."""

from __future__ import annotations

from obs_run.privacy import assignments, headers, held_secrets, tokens, urls

SECRETS = tokens.KINDS | urls.KINDS | headers.KINDS | assignments.KINDS | held_secrets.KINDS
_NATIONAL_IDS = (
    "ar.cuit at.vnr au.tfn be.nn bg.egn br.cpf ca.sin ch.ssn cl.rut cn.ric cz.rc de.idnr dk.cpr ee.ik es.dni es.nie "
    "fi.hetu fr.nir gb.nhs gb.nino gb.utr gr.amka hr.oib id.nik ie.pps il.idnr in.aadhaar in.pan is.kennitala "
    "it.codicefiscale jp.in kr.rrn lt.asmens mx.curp my.nric nl.bsn no.fodselsnummer pl.pesel pt.cc pt.nif ro.cnp "
    "ru.inn se.personnummer si.emso sk.rc th.pin tr.tckimlik ua.rntrc us.itin us.ssn za.idnr"
)
NATIONAL_IDS = frozenset(_NATIONAL_IDS.split())
"""After the modules of python-stdnum that check them."""
PERSONAL = NATIONAL_IDS | {
    *(
        "email",
        "phone",
        "card",
        "iban",
        "ip",
        "mac",
        "date_of_birth",
        "coordinates",
        "national_id",
        "bank_account",
        "device_id",
        "crypto_wallet",
        "account_name",
        "person_name",
        "postal_address",
    ),
}
BUILT_IN = SECRETS | PERSONAL
PRESETS = {"secrets": SECRETS, "personal": PERSONAL, "national_ids": NATIONAL_IDS | {"national_id"}}
