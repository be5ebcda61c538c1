"""Names, addresses, papers, devices and accounts of people, which words of many languages stand before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose

NAMES = [
    ("Hola, me llamo María José García y quiero cancelar.", "María José García"),
    ("Guten Tag, mein Name ist Łukasz Wójcik.", "Łukasz Wójcik"),
    ("Mi chiamo Giulia Esposito", "Giulia Esposito"),
    ("O meu nome é João Batista da Silva", "João Batista da Silva"),
    ("Nazywam się Katarzyna Nowak.", "Katarzyna Nowak"),
    ("Jmenuji se Petr Dvořák a volám kvůli", "Petr Dvořák"),
    ("Меня зовут Дмитрий Соколов, номер заказа 5", "Дмитрий Соколов"),
    ("私の名前は田中太郎です。", "田中太郎"),
    ("Hi, I'm Priya Raghunathan from accounting", "Priya Raghunathan"),
    ("Chère Madame Dubois,", "Dubois"),
    ("Dear Oluwaseun,\nthanks", "Oluwaseun"),
    ("Dr. Amelia Chen will see you", "Amelia Chen"),
    ("Vor- und Nachname: Hans Peter Müller", "Hans Peter Müller"),
    ("I spoke with Annika Bergström this morning", "Annika Bergström"),
    ("my husband Ferdinand Kowalski is on the policy", "Ferdinand Kowalski"),
    ("Geachte heer Van der Meulen,", "Van der Meulen"),
    ("PATIENT NAME: OKONKWO, CHIDI", "OKONKWO, CHIDI"),
    ("<givenName>Wanjiru</givenName>", "Wanjiru"),
    ("Thanks,\nMarguerite", "Marguerite"),
    ("BEGIN:VCARD\nFN:Noor van den Berg\nEND:VCARD", "Noor van den Berg"),
    ("Sincerely,\nRebecca Thornton", "Rebecca Thornton"),
    ("Yesterday Annika Bergström called about her parcel.", "Annika Bergström"),
    ("ValueError: no mark for Giulia Esposito", "Giulia Esposito"),
    ("7,Katarzyna Nowak,gold", "Katarzyna Nowak"),
    ("Köszönjük, Kovács Piroska! A csomag", "Kovács Piroska"),
    ("Nowak, Katarzyna - absent", "Nowak, Katarzyna"),
    ("guest <Ines de la Cruz> moved", "Ines de la Cruz"),
    ("Заявку оформил Кузнецов Аристарх Игнатьевич, груз", "Кузнецов Аристарх Игнатьевич"),
    ("租客欧阳晓晴说厨房漏水", "欧阳晓晴"),
    ("担当の久保さつき様より連絡", "久保さつき"),
    ("श्रीमती सुनीता देशपांडे का पार्सल", "सुनीता देशपांडे"),
    ("السيد عبد الرحمن الحمداني طلب", "عبد الرحمن الحمداني"),
    ("ζήτησε κ. Γεώργιος Παπαδόπουλος αντίγραφο", "Γεώργιος Παπαδόπουλος"),
    ("שלום, מדברת רחל כהן מבית הספר", "רחל כהן"),
    ("host Annikas-iPad joined", "Annikas-iPad"),
    ('{"contact_person": "Quxley Vrandt"}', "Quxley Vrandt"),
]
ADDRESSES = [
    ("ich wohne in der Goethestr. 12a, 80336 München", "Goethestr. 12a, 80336 München"),
    ("Dirección: Calle de Alcalá 45, 28014 Madrid", "Calle de Alcalá 45, 28014 Madrid"),
    ("j'habite 3 bis avenue Foch, 75116 Paris", "3 bis avenue Foch, 75116 Paris"),
    ("mieszkam przy ul. Długa 7, 31-147 Kraków", "ul. Długa 7, 31-147 Kraków"),
    ("Sveavägen 44, 111 34 Stockholm", "Sveavägen 44, 111 34 Stockholm"),
    ("Please deliver to 221B Baker Street, London NW1 6XE", "221B Baker Street, London NW1 6XE"),
    ("PO Box 1234, Anchorage, AK 99501", "PO Box 1234"),
    ("地址: 北京市朝阳区建国路88号", "北京市朝阳区建国路88号"),
    ("Absender: Buchenwinkel 23a, 79104 Freiburg", "Buchenwinkel 23a, 79104 Freiburg"),
    ("the meter at 2274 Rang Saint-Luc, Granby, QC J2X 4K9", "2274 Rang Saint-Luc, Granby, QC J2X 4K9"),
    ("a tank for Ballyduff, Co. Cork, P12 XK67", "Ballyduff, Co. Cork, P12 XK67"),
    ("my postcode is SY23 4QJ", "SY23 4QJ"),
    ("4418 Quail Hollow Rd Apt 12\nMurfreesboro, TN 37128", "4418 Quail Hollow Rd"),
    ('{"adresse":"8 impasse des Lilas","cp":"42160"}', "42160"),
]
NUMBERS = [
    ("Passeport n° 19AB45678", "19AB45678", "national_id"),
    ("driver license number F255-9215-0094", "F255-9215-0094", "national_id"),
    ("HKID A123456(3)", "A123456(3)", "national_id"),
    ("СНИЛС: 112-233-445 95", "112-233-445 95", "national_id"),
    ("Medicaid ID: AB12345C", "AB12345C", "national_id"),
    ("Sozialversicherungsnummer: 12 345678 A 901", "12 345678 A 901", "national_id"),
    ("kenteken XR-482-B", "XR-482-B", "national_id"),
    ("Immatriculation : AB-123-CD", "AB-123-CD", "national_id"),
    ("IMSI 310150123456789", "310150123456789", "device_id"),
    ("CLABE 032180000118359719", "032180000118359719", "bank_account"),
    ("send SOL to 7EqQdEULxWcraVx3mXKFjc84LhCkMGZCkRuDpvcMwJeK", "7EqQdEULxWcraVx3mXKFjc84", "crypto_wallet"),
    ("Fahrzeug KS-HB 4482 steht vor der Schranke", "KS-HB 4482", "national_id"),
    ('{"plate":"LK19 ZVB","vin":"WVWZZZ1K2NH487020"}', "LK19 ZVB", "national_id"),
    ("X264538201UTO7906156F3108228<<<<<<<<<<<<<<<6", "X264538201UTO7906156F3108228", "national_id"),
    ("PID|1||77949665^^^NW^MR||ROE^JANE||19430722|F", "77949665", "national_id"),
    ("4111 1111 1111 1111, expiry 08/27", "08/27", "card"),
    ("liga no (31) 98877-4021 hoje", "(31) 98877-4021", "phone"),
    ("arp 3c22.fb9a.41d7 on Gi0/2", "3c22.fb9a.41d7", "mac"),
    ("Discord: shadowfox#4821", "shadowfox#4821", "account_name"),
    ("https://www.linkedin.com/in/tobias-lindgren-8a12b3", "tobias-lindgren-8a12b3", "account_name"),
    ("I'm standing at 40.689247,-74.044502 right now", "40.689247,-74.044502", "coordinates"),
]
CLEAN = [
    "Monte Carlo and Santa Elena, Mount Everest, Puerto Vallarta",
    "Claude Opus, Gemini Pro, Mistral Large and Llama Guard",
    "Jenkins Pipeline, Apache Cassandra, Amazon Aurora",
    "Mark Task Done, Bill Usage, Grant Access, Max Size",
    "Order 12, 12345 Items sold; Version 3, 2024 XL Model",
    "On July 4, 15000 Americans marched",
    "the car has part no. 8K0-615-301, 184 HP, built 12-JAN-25",
    "doi:10.1038/s41586-021-03819-2, part no. 448-219-7301-B",
    "ping 10.0.0.1, 192.168.1.74 and fe80::1%lo0; tcp6 ::1:631",
    '{"font": {"family": "Open Sans"}, "zip": "report 12"}',
    '{"customer": "Acme Industries", "tenant": "Blue Ocean"}',
    "Dear Team,\nthe build is green.",
    "Dear Hiring Manager,",
    "Liebe Grüße, das Team",
    "The name is Python for a reason.",
    "Upstream-Name: Apache Maven",
    "a file called HEAD in the tree",
    "print('Hello World!')",
    "data, addr = await s1.recvfrom(10)",
    "Copyright 2021 Anthony Green and others",
    "Name: Visual Studio Code",
    "Customer: Acme Corp",
    "I am Groot",
    "rounded to 10 ms. Requires a restart",
    "Address: 0x7ffe12ab34cd",
    "section 12 Main Road map shows 3 items",
    "Via HTTP 1.1 proxy",
    "License: Apache-2.0",
    "license GPL-3.0-or-later",
    "RFC 9110 defines it",
    "Ticket ID: PROJ-12345",
    "member 1234567 was evicted",
    "00 61 73 6d 01 00 00 00 01 07 01 60 02 7f 7f 01 7f",
    "the loss is at 0.51783, 1.38810 after two epochs",
    "0x8f9ca384f10665b74ab40a8b3b1288187f050dd3 is the contract address",
    '@app.route("/signal")',
    "npm install @types/node for twitter",
]


@pytest.mark.parametrize(("text", "name"), NAMES)
def test_a_name_is_taken_out(text: str, name: str, choose: Choose) -> None:
    assert choose("personal").text(text) == text.replace(name, "[person_name]")


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_an_address_is_taken_out(text: str, address: str, choose: Choose) -> None:
    scrubbed = choose("personal").text(text)
    assert "[postal_address]" in scrubbed
    assert not {*address.split()} & {*scrubbed.split()}


@pytest.mark.parametrize(("text", "number", "kind"), NUMBERS)
def test_a_number_or_a_name_of_an_account_is_taken_out(text: str, number: str, kind: str, choose: Choose) -> None:
    scrubbed = choose("personal").text(text)
    assert f"[{kind}]" in scrubbed
    assert number not in scrubbed


@pytest.mark.parametrize("text", CLEAN)
def test_what_looks_like_that_and_is_none_is_left_alone(text: str, choose: Choose) -> None:
    scrubber = choose("secrets,personal")
    assert scrubber.text(text) is text


def test_two_halves_of_a_name_tell_together(choose: Choose) -> None:
    scrubber = choose("personal")
    halves = '{"patient":{"given":"Wanjiru","family":"Kiprotich"}}'
    assert scrubber.text(halves) == '{"patient":{"given":"[person_name]","family":"[person_name]"}}'
    assert scrubber.text('{"font":{"family":"Arial"}}') == '{"font":{"family":"Arial"}}'
