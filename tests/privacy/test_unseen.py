"""The two lists that were written before anyone looked at the patterns; docs/privacy.md has the first measurement."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.privacy import scoring, unseen

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose

LISTS = ("development", "sealed")


@pytest.mark.parametrize("name", LISTS)
def test_the_lists_are_found_and_clean_texts_left_alone(name: str, choose: Choose) -> None:
    counts = unseen.count(unseen.read(name), choose("secrets"), choose("secrets,personal"))
    assert counts.all["secret"] >= 115
    assert counts.all["personal"] >= 55
    assert counts.all["clean"] >= 190
    assert counts.share("secret") >= 0.94, counts.wrong
    assert counts.share("personal") >= 0.98, counts.wrong
    assert counts.share("clean") == 1, counts.wrong


def test_what_is_found_in_a_text_is_found_in_json_around_it(choose: Choose) -> None:
    scrubber = choose("secrets,personal")
    texts = [one.text for one in scoring.corpus()] + [one.text for name in LISTS for one in unseen.read(name)]
    for text in texts:
        if text.lstrip().startswith(("{", "[", '"')):
            continue  # JSON in JSON
        plain = scrubber.text(text)
        message = json.dumps({"role": "user", "parts": [{"type": "text", "content": text}]}, ensure_ascii=False)
        assert json.loads(scrubber.text(message))["parts"][0]["content"] == plain


@pytest.mark.parametrize("name", LISTS)
def test_what_was_scrubbed_once_is_not_touched_again(name: str, choose: Choose) -> None:
    scrubber = choose("secrets,personal")
    for one in unseen.read(name):
        scrubbed = scrubber.text(one.text)
        assert scrubber.text(scrubbed) == scrubbed
