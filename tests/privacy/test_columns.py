"""Personal data in tables with a head, and in SQL's INSERT."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose

TABLE = 'id;nachname;vorname;stadt\n1;Obermoser;Liesbeth;Ulm\n2;"Fitz; Weber";Jo;Bonn'


def test_cells_under_personal_names_are_found_and_no_others(choose: Choose) -> None:
    masked = "id;nachname;vorname;stadt\n1;[person_name];[person_name];Ulm\n2;"
    assert choose("personal").text(TABLE).startswith(masked)


def test_a_table_in_json_is_read(choose: Choose) -> None:
    scrubber = choose("personal")
    assert json.loads(scrubber.text(json.dumps({"content": TABLE})))["content"] == scrubber.text(TABLE)


def test_a_postal_code_is_one_beside_a_street(choose: Choose) -> None:
    scrubber = choose("personal")
    assert "83706" not in scrubber.text('street,city,zip\n"902 Pinecrest Loop",Boise,83706')
    assert scrubber.text("file,zip\nreport,83706") == "file,zip\nreport,83706"


def test_the_values_of_an_insert_are_found_by_their_columns(choose: Choose) -> None:
    text = "INSERT INTO guests (first_name, last_name, nights) VALUES ('Ignatius', 'Broekhuizen', 3), ('Mo', 'Roe', 2);"
    scrubbed = choose("personal").text(text)
    assert scrubbed.endswith("('[person_name]', '[person_name]', 3), ('[person_name]', '[person_name]', 2);")


@pytest.mark.parametrize(
    "text",
    [
        "step,status\nbuild,passed",
        "So, first name, last name and age\nare asked for",
        "-p, --password  prompt for the password instead of reading it from the keyring",
        "  POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?must be set}",
        "resolver 8.8.8.8 1.1.1.1 valid=30s ipv6=off;",
        "link/ether 00:00:00:00:00:00 brd ff:ff:ff:ff:ff:ff",
        "route 172.16.0.0/12 and 198.51.100.0/24 via eth0",
        "Set-Cookie: theme=dark; Max-Age=31536000; SameSite=Lax",
        'curl -H "Authorization: Bearer <YOUR_TOKEN>" https://api.example.com/v3/items',
        "ошибка в Великий Новгород",
        "皆さんが来ました。保険会社さんが来ました。",
    ],
)
def test_what_is_like_it_is_left_alone(text: str, choose: Choose) -> None:
    assert choose("secrets,personal").text(text) == text
