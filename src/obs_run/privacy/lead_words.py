"""Words before names of people, in many languages, as the bytes of a text in lower case have them."""

from __future__ import annotations

from obs_run.privacy.telling_words import folded


def _words(words: str) -> frozenset[str]:
    return frozenset(words.lower().split())


_TITLES = (
    "mr mrs ms miss mx dr prof professor herr herrn frau doktor monsieur madame mademoiselle mme mlle señor señora "
    "señorita sr sra srta don doña signor signora signorina sig dott dottore dottoressa ing avv senhor senhora dhr "
    "mevr mevrouw meneer heer fru hr fröken pan pani panie panu paní pana domnul doamna dl dna bay bayan herra rouva "
    "kyrie gospodin gospođa gđa úr kedves tisztelt sayın sayin bapak ibu pak bu encik puan cik anh chị ông bà khun"
)
TITLES = folded(_TITLES)
"""After which one word is a name."""
TITLES_OF_DEGREE = frozenset({"dr", "prof", "ing", "mag", "dipl", "med", "phil", "ssa", "dott", "dott.ssa", "st"})
"""Between a title and a name."""
TITLES_OF_NAMES = _words(_TITLES) | TITLES_OF_DEGREE
GREETINGS = folded(
    "dear geehrter geehrte lieber liebe cher chère caro cara gentile egregio egregia estimado estimada querido "
    "querida prezado prezada caro beste geachte kjære kære kära bästa szanowny szanowna drogi droga vážený vážená "
    "kedves tisztelt dragă stimate stimată sayın sayin hyvä poštovani poštovana"
)
"""After which a name is one if a sign ends it."""
CALLS = folded(
    "hi hello hey morning afternoon evening hola bonjour salut hallo moin ciao olá oi salve buongiorno cześć ahoj hej "
    "hei szia merhaba halo servus grüezi bună zdravo bok tere sveiki"
)
"""After which it is one if a comma ends it."""
INTRODUCTIONS = folded(
    "appelle llamo chiamo heiße heisse heet heter hedder jmenuji jmenuju numesc cheamă hívnak chamo adım ismim zovem "
    "nazywam nevem"
)
"""Of which one word after it is a name."""
NAME_WORDS = folded(
    "name nombre nom nome naam navn navnet namn nimi nimeni jméno jmeno nume numele ime név neve imię imie nama "
    "jina tên pangalan ad adı adım isim ismi vardas nimeks"
)
"""After which a name follows a form of "is"."""
LABELS = folded(
    "name names patient patientin customer client kunde kundin claimant applicant bewerber employee mitarbeiter "
    "recipient empfänger destinataire destinatario destinatário beneficiary cardholder accountholder kontoinhaber "
    "titular titulaire holder insured versicherter versicherte policyholder passenger passagier reisender guest gast "
    "tenant mieter landlord resident student schüler attn attention contact ansprechpartner signed signature spouse "
    "witness defendant plaintiff caller subscriber member sender absender driver doctor physician arzt nurse attendee "
    "kin caregiver guardian father mother nom prénom prenom prénoms nome cognome sobrenome apellido apellidos nombre "
    "paciente cliente empleado paziente utente naam voornaam achternaam klant patiënt navn namn fornavn etternavn "
    "efternavn förnamn efternamn nimi sukunimi etunimi imię nazwisko imie pacjent klient pacjentka jméno příjmení "
    "meno priezvisko név vezetéknév nume prenume ime prezime ad soyad soyadı adı hasta müşteri pacient vorname "
    "nachname familienname geburtsname zuname reporter reported assigned assignee requester requested submitted "
    "approved approver reviewer reviewed interviewer interviewee candidate candidato candidata bewerberin payee payer "
    "remitter debtor creditor owner inhaber inhaberin eigentümer propietario proprietario propriétaire occupant "
    "lessee lessor buyer seller käufer verkäufer comprador vendedor acheteur vendeur consignee shipper bride groom "
    "deceased teacher lehrer lehrerin professor supervisor manager referee complainant borrower trustee executor "
    "nominee parent husband wife child son daughter hausarzt médecin medico médico doctor nama lengkap pasien "
    "pelanggan penerima tên khách pangalan jina surname forename firstname lastname fullname forenames surnames "
    "interpreter operator attorney lawyer counsel anwalt abogado avocat avvocato advogado therapist dentist surgeon "
    "biller"
)
"""Before a colon; a full name, of two words or more, follows."""
FIELDS = folded(
    "firstname lastname fullname surname givenname familyname maidenname middlename forename cardholdername guestname "
    "patientname customername passengername vorname nachname familienname prenom cognome sobrenome achternaam voornaam "
    "nazwisko apellidos apellido"
)
"""Names of fields that hold one, written as one word."""
PERSONS = folded(
    "patient patientin paciente paziente employee claimant applicant passenger witness defendant plaintiff "
    "tenant patiënt pacjent pacjentka pacient customer"
)
"""Before a full name, without any sign."""
RELATIVES = folded(
    "husband wife daughter son mother father mum mom dad sister brother aunt uncle cousin nephew niece grandmother "
    "grandfather grandma grandpa fiancé fiancée fiance girlfriend boyfriend stepson stepdaughter "
    "frau mann tochter sohn mutter vater schwester bruder oma opa femme mari fille fils mère père soeur frère "
    "esposa esposo marido mujer hija hijo madre padre hermana hermano moglie figlia figlio sorella fratello "
    "filha filho mãe pai irmã irmão vrouw dochter zoon moeder zus żona mąż córka syn kone mand datter søn fru dotter"
)
"""After which one word is a name, where a word says whose they are."""
ACQUAINTANCES = folded(
    "manager boss colleague coworker neighbour neighbor friend partner teacher doctor dentist landlord roommate "
    "flatmate assistant therapist lawyer accountant supervisor tenant client customer patient student nurse nanny "
    "chef kollege kollegin nachbar nachbarin vermieter amigo amiga jefe jefa vecino vecina ami amie collègue voisin "
    "voisine capo collega vicino chefe colega vizinho"
)
"""The same, of a full name."""
ENCOUNTERS = folded("spoke spoken speaking talked met meeting chatted interviewed lunch")
"""After which a full name stands behind "with" or "to"."""
CLOSINGS = folded(
    "sincerely regards wishes faithfully truly cheers love thanks best yours respectfully warmly "
    "grüßen gruß grüße gruss grüsse cordialement saludos saludo atentamente saluti saluto "
    "atenciosamente cumprimentos abraço abraços groet groeten hilsen hälsningar vennlig pozdrawiam pozdravem "
    "üdvözlettel salutări saygılarımla terveisin ystävällisin szacunkiem amicalement bisous gracias danke merci"
)
"""After which a name is signed, on the next line."""
COMPANIES = _words(
    "inc ltd llc gmbh ag corp corporation company co bv sa spa srl plc oy ab university universität bank group "
    "foundation institute team support labs services systems software solutions technologies studio code"
)
"""The last word of names of companies and programs."""
PARTICLES = frozenset({
    "von", "van", "de", "der", "den", "da", "das", "dos", "do", "del", "della", "di", "la", "le", "du", "des", "bin",
    "ibn",
    "al", "el", "ter", "ten", "zu", "zum", "zur", "af", "av", "y", "e", "und", "san", "st", "mac", "ap", "ben",
    "bint", "vom",
})  # fmt: skip
"""Small words inside of names."""
NO_NAMES = _words(
    "team all sir sirs madam customer customers user users client friends friend colleague colleagues hiring "
    "manager members member student students parent parents guest editor support santa diary god lord world "
    "everyone reader readers recipient admin administrator developer developers engineer engineering software "
    "senior junior lead director president minister chancellor chair chairman secretary judge speaker professor "
    "doctor captain committee board department office service services the this that a an and or in on at of for "
    "to from with by is not no none null true false unknown anonymous n/a tbd your my our grüße gruesse grüsse "
    "grüßen damen herren kolleginnen kollegen kunden kundin kunde freunde freundin freund leute alle eltern "
    "mitglieder monsieur madame messieurs mesdames collègues clients amis tous equipe équipe señores señoras "
    "cliente clientes amigos todos equipo colegas cordiali saluti clienti tutti amici państwo panie wszyscy "
    "collega's klanten allemaal hilsen hälsningar api http https url sdk cli ai llm gpt id json yaml sql inc ltd "
    "llc gmbh ag corp corporation company co bv sa spa srl plc oy ab university universität bank group foundation "
    "institute school college hospital airport station street city county labs lab studio code server cloud "
    "platform system systems project workspace windows linux ubuntu android chrome visual google microsoft amazon "
    "apple claude chatgpt gemini assistant agent model test example sample default monday tuesday wednesday "
    "thursday friday saturday sunday january february march april may june july august september october november "
    "december error warning info debug new york los angeles san francisco united states kingdom north south east "
    "west street-level us it you we they he she what how why when where who which yes there hello hi world siri "
    "google alexa cortana copilot python javascript java kubernetes docker github gitlab reviewer area universe am "
    "so then than here please thanks thank best kind regards sincerely cheers note notes see also if as but was were "
    "are be been has have had will would can could should do does did get set run runs build tests testing install "
    "upload download deploy release publish check checkout lint format cache create update delete remove add list "
    "node job step matrix setup task name type value key field string str int integer float boolean bool varchar text "
    "optional any object array null undefined date number charfield textfield column required unknown global root ca "
    "certificate authority trust identity card number resident registration social security insurance ssl tls http "
    "server network security data center centre version release stable "
    "beta alpha dev production staging internal external public private general main first last middle full next "
    "previous new old open closed close status pending active inactive high low medium urgent normal critical hr it "
    "finance sales marketing legal operations accounting billing shipping returns help desk helpdesk bot "
    "automation scheduler pipeline worker queue gateway proxy router database db sql mysql postgres redis kafka "
    "elasticsearch mongodb oracle sap salesforce slack jira zoom teams office excel word outlook sharepoint azure aws "
    "gcp intel amd nvidia arm ibm cisco dell hp lenovo sony samsung nokia philips siemens bosch toyota honda ford "
    "tesla boeing airbus nasa esa cern mit stanford harvard oxford cambridge wikipedia mozilla firefox safari edge "
    "opera reddit twitter facebook instagram linkedin youtube netflix spotify amazon ebay paypal visa mastercard "
    "club society association department ministry committee council union party church museum theatre theater "
    "hotel restaurant cafe bar park bridge river lake mount mountain island bay sea ocean road avenue lane court "
    "mr mrs unit area zone region district state country republic federal national international european american "
    "british german french italian spanish chinese japanese indian english latin greek arabic russian portuguese "
    "monday's today tomorrow yesterday morning afternoon evening night day week month year time hour minute second"
)
"""What follows such words and is no name."""
