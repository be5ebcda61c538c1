from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.privacy import (
    account_names,
    birth_dates,
    email_addresses,
    kinds,
    national_ids,
    network_addresses,
    numbers,
    people,
    personal_names,
    wallets,
)
from tests.privacy import scoring

if TYPE_CHECKING:
    from tests.privacy.conftest import Choose


def test_the_corpus_is_large_and_a_third_of_it_is_clean() -> None:
    corpus = scoring.corpus()
    assert len(corpus) >= 650
    assert len([one for one in corpus if not one.spans]) >= 150
    assert len({one.text for one in corpus}) == len(corpus)


def test_the_names_of_personal_kinds_are_those_that_are_looked_for() -> None:
    modules = (
        account_names, email_addresses, network_addresses, birth_dates, numbers, people, personal_names, wallets,
    )  # fmt: skip
    assert frozenset().union(*(module.KINDS for module in modules)) == kinds.PERSONAL
    assert kinds.NATIONAL_IDS == national_ids.KINDS


def test_every_built_in_kind_is_in_it() -> None:
    marked = {kind for one in scoring.corpus() for _, _, kind in one.spans}
    assert kinds.BUILT_IN - marked == set()
    assert marked - kinds.BUILT_IN == set()


def test_recall_and_precision_do_not_fall(choose: Choose) -> None:
    score = scoring.score(choose("secrets,personal"))
    assert score.recall_of(kinds.SECRETS) >= 0.975, score.notes
    assert score.recall_of(kinds.PERSONAL) >= 0.97, score.notes
    assert score.precision() >= 0.98, score.notes
    assert min(score.recall(kind) for kind in {*score.found, *score.missed}) >= 0.9, score.notes


def test_the_default_takes_no_personal_data_for_a_secret(choose: Choose) -> None:
    scrubber = choose("secrets")
    personal = [one for one in scoring.corpus() if one.file == "personal"]
    assert [one.text for one in personal if scrubber.text(one.text) is not one.text] == []


def test_what_was_scrubbed_once_is_not_touched_again(choose: Choose) -> None:
    scrubber = choose("secrets,personal")
    for one in scoring.corpus():
        scrubbed = scrubber.text(one.text)
        assert scrubber.text(scrubbed) is scrubbed, one
