"""Numbers of papers and accounts, which only the words before them tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose


@pytest.mark.parametrize(
    ("text", "number", "kind"),
    [
        ("my passport is C01X99179, issued in Bonn", "C01X99179", "national_id"),
        ("Passport no. 515518163", "515518163", "national_id"),
        ("Reisepassnummer: C4VJK9012", "C4VJK9012", "national_id"),
        ("driving licence number MORGA657054SM9IJ", "MORGA657054SM9IJ", "national_id"),
        ("health insurance number A581995228", "A581995228", "national_id"),
        ("medical record number: MRN4418263", "MRN4418263", "national_id"),
        ("account number 1709864657", "1709864657", "bank_account"),
        ("Kontonummer 0532013000, BLZ 37040044", "0532013000", "bank_account"),
        ("sort code 20-62-07", "20-62-07", "bank_account"),
        ("cédula de ciudadanía colombiana: 1.049.998.003", "1.049.998.003", "national_id"),
        ("Alien Registration Number A012-345-678", "A012-345-678", "national_id"),
        ("DNI (Perú): 42715976", "42715976", "national_id"),
        ("여권번호 M12345678", "M12345678", "national_id"),
        ("الرقم القومي: 26603020138568", "26603020138568", "national_id"),
        ("matrícula de mi coche: 4471 LKS", "4471 LKS", "national_id"),
        ("nr rej. WX 12345", "WX 12345", "national_id"),
        ("BSB 062-000 Acc 12345678", "12345678", "bank_account"),
        ("android_id=9774d56d682e549c", "9774d56d682e549c", "device_id"),
        ('{"routing_number": "021000021"}', "021000021", "bank_account"),
    ],
)
def test_the_number_is_taken_out(text: str, number: str, kind: str, choose: Choose) -> None:
    scrubbed = choose("personal").text(text)
    assert number not in scrubbed
    assert f"[{kind}]" in scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "account number of rows 123456",
        "passport number is optional since 2026",
        "the case number 1234567 was closed",
        "license 12345 granted",
        "id 1234567 of patient",
        "order no 12345678",
        "Serial Number: 1234567890 of the certificate",
        "national_number_pattern='242300'",
        "RFC 1738. We do",
        "0E05A9E0B6CF EF2929E02922 CF13B980041275B0",
        '{"full_name": "octocat/hello-world"}',
        '{"properties": {"first_name": {"type": "string"}}}',
    ],
)
def test_other_numbers_and_names_are_left_alone(text: str, choose: Choose) -> None:
    scrubber = choose("personal")
    assert scrubber.text(text) is text


def test_names_and_addresses_of_people_by_the_name_of_the_field(choose: Choose) -> None:
    text = '{"first_name": "Oluwaseun", "lastName": "Adeyemi", "street": "Lindenallee 44b", "city": "Essen"}'
    assert choose("personal").text(text) == (
        '{"first_name": "[person_name]", "lastName": "[person_name]", "street": "[postal_address]", "city": "Essen"}'
    )
    assert choose("secrets").text(text) is text
