"""The lists that were written before anyone looked at the patterns; docs/privacy.md has the first measurement."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.privacy import scoring, unseen

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose

LISTS = {
    # What of secrets, personal data and clean texts must be right. Those of scanners and strangers have
    # names and addresses of people in sentences, and passwords that nothing tells of.
    "development": (0.94, 0.98, 1.0),
    "sealed": (0.94, 0.98, 1.0),
    "scanners_development": (0.97, 0.96, 0.97),
    "scanners_sealed": (0.95, 0.94, 0.98),
    "strangers_development": (0.98, 0.98, 0.995),
    # Looked at when it had been measured.
    "strangers_sealed": (0.93, 0.96, 0.98),
    # The same.
    "strangers_three": (0.94, 0.98, 0.995),
    "strangers_four": (0.95, 0.98, 0.995),
    # No secrets; clean texts like "Mr. Coffee makers".
    "scanners_kinds": (None, 0.93, 0.97),
}


@pytest.mark.sampled
@pytest.mark.parametrize("name", LISTS)
def test_the_lists_are_found_and_clean_texts_left_alone(name: str, choose: Choose) -> None:
    counts = unseen.count(unseen.read(name), choose("secrets"), choose("secrets,personal"))
    if LISTS[name][0] is not None:
        assert counts.all["secret"] >= 115
    assert counts.all["personal"] >= 55
    assert counts.all["clean"] >= 130
    for group, least in zip(("secret", "personal", "clean"), LISTS[name], strict=True):
        assert least is None or counts.share(group) >= least, counts.wrong


@pytest.mark.slow
def test_what_is_found_in_a_text_is_found_in_json_around_it(choose: Choose) -> None:
    scrubber = choose("secrets,personal")
    texts = [one.text for one in scoring.corpus()] + [one.text for name in LISTS for one in unseen.read(name)]
    for text in texts:
        if text.lstrip().startswith(("{", "[", '"')):
            continue  # JSON in JSON
        plain = scrubber.text(text)
        message = json.dumps({"role": "user", "parts": [{"type": "text", "content": text}]}, ensure_ascii=False)
        assert json.loads(scrubber.text(message))["parts"][0]["content"] == plain


@pytest.mark.sampled
@pytest.mark.parametrize("name", LISTS)
def test_what_was_scrubbed_once_is_not_touched_again(name: str, choose: Choose) -> None:
    scrubber = choose("secrets,personal")
    for one in unseen.read(name):
        scrubbed = scrubber.text(one.text)
        assert scrubber.text(scrubbed) == scrubbed
