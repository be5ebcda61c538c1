"""What numbers of papers, vehicles, accounts and devices are called, in many languages.

A word tells by itself, or together with a word for numbers behind it, or with the words that follow it here.
"""

from __future__ import annotations

from obs_run.privacy.telling_words import folded

PAPERS = folded(
    "passport passports reisepass reisepasses passnummer passeport pasaporte passaporto passaporte paspoort "
    "paszport paszportu pasaport pașaport pașaportului útlevél cestovní putovnica passnr "
    "personalausweis ausweis dowód dowodu identiteitskaart identitetskort identitetskaart "
    "personnummer personnr samordningsnummer fødselsnummer kennitala henkilötunnus hetu isikukood "
    "führerschein rijbewijs patente körkort førerkort kørekort ajokortti ehliyet cnh "
    "aufenthaltstitel kpp ktp kitas mykad aadhaar aadhar nric hkid cnic tckn pesel snils edrpou "
    "cédula cedula curp cuit cuil cpf cnpj dni nie nif rut rnc npwp "
    "bsn burgerservicenummer sofinummer rijksregisternummer rijksregister nino ssn itin medicare medicaid centrelink "
    "ehic ohip ramq amka emšo emso jmbg oib kvnr svnr ahv avs steuernummer steueridentifikationsnummer idnr "
    "rentenversicherungsnummer sozialversicherungsnummer versichertennummer krankenversichertennummer "
    "versicherungsnummer mitgliedsnummer patientennummer matrikelnummer personalnummer kundennummer "
    "matricola codfiscale cnps sécu utente homoclave umid philhealth pagibig cccd cmnd bpjs mykid "
    "adóazonosító tajszám personnumber uscis mrz fnr uinfin docno documentno documentnumber docnumber passportno "
    "passportnumber idnumber idno licenceno licenseno "
)
"""After which a number is one of a person's papers."""
ABBREVIATIONS = folded(
    "npi dea ptin "
    "dl tin nin nid nic bvn kra ird phn nhi mbi hicn taj rfc nit ruc rif pan sin tfn rg bi cc ci ic fin uan pis ctps "
    "nss nuss nis nuit epic cnp egn utr pps ppsn sss gsis crn ein vat nip siren siret ine mrn chi nhs hic cns nuip kt "
    "tc cf kvk upn nrn urn emp sus pid bpn dui cui dpi rtn nsn bn np gha"
)
"""Of which the same is true where they are written in capitals."""
NUMBERED = folded(
    "license licence licenses id identity identification national personal member patient policy policyholder student "
    "employee staff hospital subscriber beneficiary insurance insured voter elector health medical security "
    "resident residence citizen citizenship alien permit registration vehicle car taxpayer tax ration "
    "sozialversicherung rentenversicherung krankenversicherung renten kranken ausländerzentralregister "
    "personalausweis lohnsteuer steuer umsatzsteuer identité "
    "identità identidad identidade identitate permis permiso carnet carné licencia conduire conducir guida condução "
    "jazdy séjour vitale sanitaria sanitario ciudadanía cidadão eleitor contribuinte contribuyente fiscal fiscale "
    "seguridad segurança sociale social sociala socială afiliado póliza polizza polis polisnummer assuré assurance "
    "tessera tarjeta cartão carte carta carteira karte kort karta kaart osobisty osobistego občanský občianskeho "
    "osobna lična rodné rodne asmens personas persoana kods kodas průkaz medlem försäkring forsikring "
    "verzekering ubezpieczenia pojistné zaměstnanec claim chart record rx prescription "
    "versicherten krankenversicherten mitglieds ausweis visa grant preparer ptin npi dea doc document officer "
    "employé ausländer seri seria serie versicherung mitglied patienten kunden "
    "emirates ghana green work birth death marriage certificate uk us eu sa ni kimlik vergi nik"
)
"""After which it is one if a word for numbers, or another of these, stands between."""
PHRASES = (
    "social security|social insurance|national insurance|national id|national identity|tax id|tax file|health card|"
    "id card|identity card|green card|emirates id|ghana card|voter id|ration card|residence permit|work permit|"
    "driving licence|driving license|driver licence|driver license|driver s licence|driver s license|"
    "drivers license|drivers licence|medical record|alien registration|carte d identit?|carta d identit?|"
    "carte nationale|carte vitale|permis de conduire|patente di guida|permiso de conducir|carnet de conducir|"
    "carn? de conducir|licencia de conducir|carta de condu??o|carteira de motorista|carteira de identidade|"
    "tarjeta sanitaria|tessera sanitaria|cart?o de cidad?o|cart?o sus|cartao sus|documento de identidad|"
    "documento de identidade|t?tulo de eleitor|titulo de eleitor|clave de elector|codice fiscale|rodn? ??slo|"
    "rodne cislo|personas kods|asmens kodas|dow?d osobisty|dowodu osobistego|prawo jazdy|prawa jazdy|"
    "ob?ansk? pr?kaz|?idi?sk? pr?kaz|vezet?i enged?ly|osobna iskaznica|li?na karta|s?curit? sociale|"
    "securite sociale|seguridad social|num?ro fiscal|numero fiscal|n?mero de utente|ni number|nomor ktp|"
    "kartu keluarga|kad pengenalan|kimlik no|vergi no|sa id|thai id|member id|patient id|student id|citizen id|"
    "persoonsnummer|carte bancaire n|partita iva|health insurance|personal number|personal id|"
    "id kaart|eid kaart|id kort|ust id|ust idnr|ust idnr|steuer id|taj sz?m|case file|insurance id|subscriber id"
    "|policy id|employee id|medicare beneficiary|personal identification|"
    "taxpayer identification|rekening bank|immigration number|uid nr|idade n"
)
"""Words that tell together."""
PLATES = folded(
    "immatriculé immatriculée "
    "plate plates kennzeichen autokennzeichen nummernschild targa kenteken immatriculation matrícula matricula placa "
    "placas patente plaka plakası nummerplade nummerplate regnummer regnr registreringsnummer rekisterinumero "
    "rekisteritunnus rendszám rendszáma spz rz registracija tablice rejestracyjny rejestracyjna rejestracyjne rej rego "
    "nopol vrn vrm "
)
"""After which the number is one of a vehicle."""
PLATE_PHRASES = (
    "license plate|licence plate|number plate|registration plate|vehicle registration|car registration|vehicle number|"
    "vehicle no|nr rej|plat nomor|vehicle reg|reg no|reg number|reg nr|car reg|registration number|registration no"
    "|plat nomor|"
    "nomor polisi|kenteken|bi?n s?|numer rejestracyjny|amtliches kennzeichen"
)
ACCOUNTS = folded(
    "kontonummer kontonr konto kto konta compte cuenta conta conto rekening rekeningnummer blz bankleitzahl bsb aba "
    "clabe cbu cvu rib ifsc micr bankgiro plusgiro tilinumero routing sortcode rachunku účtu bankszámlaszám "
    "számlaszám hesap acct swift bic transit clearing rekeningnya norek"
)
"""After which it is one of an account."""
ACCOUNT_PHRASES = (
    "account number|account no|account nr|account num|acct no|acct number|bank account|checking account|"
    "savings account|sort code|routing number|routing no|transit number|"
    "aba number|conta corrente|n?mero de cuenta|num?ro de compte|numero di conto|hesap no|nomor rekening|no rekening|"
    "no rek|acc no|acc number|account|acc"
)
DEVICES = folded(
    "imei imeisv imsi meid iccid udid idfa gaid aaid vin chassis châssis bastidor telaio fahrgestellnummer fahrgestell"
)
"""After which it is one of a device or a vehicle."""
DEVICE_PHRASES = (
    "android id|device serial|device id|chassis number|chassis no|sim serial|sim card|"
    "advertising id|vehicle identification|fahrzeug ident"
)
ENDS_OF_COMPOUNDS = folded("nummer number nummern nr numarası nummeret numret száma szám")
"""Behind which the word before tells: ``Reisepassnummer``."""

OTHER_SCRIPTS = {
    "national_id": (
        "身份证|身分證|身份證|护照|護照|旅券|パスポート番号|個人番号|マイナンバー|免許証|驾驶证|驾照|駕照|保険証|保険者|社保|医保|社会保障|健保|"
        "居留证|居留證|여권|주민|외국인등록|운전면허|건강보험|الهوية|القومي|البطاقة|الجواز|جواز|الإقامة|کد ملی|کدملی"
        "|کدملی|شناسنامه|گذرنامه|"
        'זהות|ת.ז|ת"ז|דרכון|רישיון|паспорт|снилс|инн|иин|полис|удостоверени|водительск|рнокпп|іпн|егн|єгн|лнч|јмбг|јмбг|'
        "матични|личн|αφμ|α.φ.μ|αμκα|α.μ.κ.α|αδτ|α.δ.τ|ταυτότητ|διαβατήρι|บัตรประชาชน|ประจำตัว|หนังสือเดินทาง|พาสปอร์ต|ใบขับขี่|आधार|"
        "पैन|नागरिकता|पासपोर्ट|ড়|পাসপোর্ট|জাতীয় পরিচয়|cccd|cmnd|hộ chiếu|căn cước"
    ),
    "bank_account": (
        "口座|银行卡|銀行卡|账号|账户|帳號|帳戶|賬號|计좌|계좌|"
        "счет|счёт|р/с|расч|рахун|حساب|חשבון|λογαριασμ|บัญชี|खाता|số tài khoản|stk"
    ),
    "plate": "车牌|車牌|ナンバー|차량번호|госномер|номерной|номер авто|لوحة|רכב|πινακίδ|ทะเบียน|biển số",
}
"""Pieces of words of other scripts, and those that the bytes of a text cannot tell apart."""
