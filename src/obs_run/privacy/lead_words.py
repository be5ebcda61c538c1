"""Words before names and addresses of people, in many languages, as a text in lower case has them.

A letter that is none of ASCII is a question mark, as it is in the bytes that are searched.
"""

from __future__ import annotations


def _words(words: str) -> frozenset[str]:
    return frozenset(words.lower().split())


def _plain(words: str) -> frozenset[str]:
    return _words(words.encode("ascii", "replace").decode())


TITLES = _plain(
    "mr mrs ms miss mx dr prof professor herr herrn frau doktor monsieur madame mademoiselle mme mlle señor señora "
    "señorita sr sra srta don doña signor signora signorina sig dott dottore dottoressa ing avv senhor senhora dhr "
    "mevr mevrouw meneer fru hr fröken pan pani panie panu domnul doamna dl dna bay bayan herra rouva kyrie gospodin "
    "gospođa gđa"
)
"""After which one word is a name."""
TITLES_OF_DEGREE = frozenset({"dr", "prof", "ing", "mag", "dipl", "med", "phil", "ssa", "dott", "dott.ssa", "st"})
"""Between a title and a name."""
GREETINGS = _plain(
    "dear geehrter geehrte lieber liebe cher chère caro cara gentile egregio egregia estimado estimada querido "
    "querida prezado prezada caro beste geachte kjære kære kära bästa szanowny szanowna drogi droga vážený vážená "
    "kedves tisztelt dragă stimate stimată sayın sayin hyvä poštovani poštovana mr/mrs"
)
"""After which a name is one if a sign ends it."""
INTRODUCTIONS = _plain(
    "m'appelle llamo chiamo heiße heisse heet heter hedder jmenuji jmenuju numesc cheamă hívnak chamo adım ismim zovem"
)
"""Of which one word after it is a name."""
NAMED_BY = _plain(
    "am i'm się se meno sa ime zovem nimeni ad soy bin suis sono sou jestem ben is called named ist est es er é è är "
    "on jest je nombre to for from by with of"
)
"""Which say so together with what stands before them."""
LABELS = _plain(
    "name names patient patientin customer client kunde kundin claimant applicant bewerber employee mitarbeiter "
    "recipient empfänger destinataire destinatario beneficiary cardholder accountholder kontoinhaber titular "
    "titulaire holder insured versicherter versicherte policyholder passenger passagier reisender guest gast tenant "
    "mieter landlord resident student schüler attn attention contact ansprechpartner signed signature spouse witness "
    "defendant plaintiff caller subscriber member sender absender driver doctor physician arzt nurse attendee kin "
    "caregiver guardian father mother nom prénom prenom nome cognome sobrenome apellido apellidos nombre paciente "
    "cliente empleado paziente utente naam voornaam achternaam klant patiënt navn namn fornavn etternavn efternavn "
    "förnamn efternamn nimi sukunimi etunimi imię nazwisko imie pacjent klient pacjentka jméno příjmení meno "
    "priezvisko név vezetéknév nume prenume ime prezime ad soyad soyadı adı hasta müşteri pacient vorname nachname "
    "familienname geburtsname zuname vollständiger"
)
"""Before a colon; a full name, of two words or more, follows."""
PERSONS = _plain(
    "patient patientin paciente paziente employee claimant applicant passenger witness defendant plaintiff resident"
)
"""Before a full name, without any sign."""
CLOSINGS = _plain(
    "sincerely regards wishes faithfully truly cheers love grüßen gruß grüße cordialement saludos atentamente saluti "
    "atenciosamente cumprimentos groet groeten hilsen hälsningar vennlig pozdrawiam pozdravem üdvözlettel salutări "
    "saygılarımla terveisin ystävällisin szacunkiem"
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
    "west street-level us it you we they he she what how why when where who which yes"
)
"""What follows such words and is no name."""
