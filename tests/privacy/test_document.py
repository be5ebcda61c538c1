from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from obs_run.privacy import kinds

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose

DOCUMENT = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_example_of_own_rules_does_what_it_says(tmp_path: Path, choose: Choose) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(example("yaml"), encoding="utf-8")
    scrubber = choose("acme", rules=rules, hash_key="k")
    text = "KD-123456 jane.roe@example.com support@example.com 192.0.2.7 SSN 526-01-8159 password=hunter2"
    assert re.fullmatch(
        r"\[customer:[0-9a-f]{12}\] \[email:ja….com\] support@example.com 192.0.2.7 SSN  password=\[password\]",
        scrubber.text(text),
    )
    assert scrubber.attributes({"public_key": "x", "crm.kunde": "Jane", "ssn": "526-01-8159"}).keys() == {
        "public_key",
        "crm.kunde",
    }
    assert "jwt" not in scrubber.kinds


def test_the_choices_in_the_table_are_what_they_say(choose: Choose) -> None:
    table = {
        "secrets": kinds.SECRETS,
        "personal": kinds.BUILT_IN,
        "email,card": kinds.SECRETS | {"email", "card"},
        "personal,-ip": kinds.BUILT_IN - {"ip"},
        "none,iban": {"iban"},
        "none": set(),
    }
    for words, chosen in table.items():
        assert f"`{words}` |" in DOCUMENT
        assert choose(words).kinds.keys() == chosen
    assert choose("").kinds.keys() == kinds.SECRETS


def test_the_actions_in_the_table_are_what_they_say(tmp_path: Path, choose: Choose) -> None:
    rules = tmp_path / "rules.yaml"
    for action, shape in {
        "mask": r"\[email\]",
        "drop": "",
        "hash": r"\[email:[0-9a-f]{12}\]",
        "{truncate: {first: 2, last: 4}}": r"\[email:ja….com\]",
    }.items():
        rules.write_text(f"actions: {{email: {action}}}")
        assert re.fullmatch(shape, choose("email", rules=rules).text("jane.roe@example.com"))
