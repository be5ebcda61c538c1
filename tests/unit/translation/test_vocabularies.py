"""A span in another vocabulary leaves in the conventions' words: each sample goes through a launched process."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.semconv import conformance, exceptions
from tests.unit import agents
from tests.unit.translation.samples import SAMPLES, Sample

if TYPE_CHECKING:
    from pathlib import Path

AGENT = """
import json
from opentelemetry import trace
tracer = trace.get_tracer("theirs", "1.0")
with open("samples.json") as file:
    samples = json.load(file)
for name, attributes in samples:
    tracer.start_span(name, attributes=attributes).end()
import telemetry_probe
telemetry_probe.show()
"""
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
ALL = [(vocabulary, at) for vocabulary, samples in SAMPLES.items() for at in range(len(samples))]
COSTS = "obs.cost."


def emitted(
    folder: Path, samples: list[tuple[str, dict[str, Any]]], environment: dict[str, str]
) -> list[dict[str, Any]]:
    """Return what leaves of spans that an agent makes, in their order; that of the run is left out."""
    (folder / "samples.json").write_text(json.dumps(samples))
    seen = agents.run(folder, AGENT, start=True, **environment).seen
    return [span for span in seen["spans"] if span["scope"] == "theirs"]


def _all(tmp_path_factory: pytest.TempPathFactory, **environment: str) -> dict[tuple[str, int], dict[str, Any]]:
    samples = [(sample.name, sample.attributes) for vocabulary, at in ALL for sample in (SAMPLES[vocabulary][at],)]
    spans = emitted(tmp_path_factory.mktemp("agent"), samples, environment)
    return dict(zip(ALL, spans, strict=True))


@pytest.fixture(scope="module")
def with_content(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], dict[str, Any]]:
    return _all(tmp_path_factory, **{CONTENT: "SPAN_ONLY"})


@pytest.fixture(scope="module")
def without_content(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], dict[str, Any]]:
    return _all(tmp_path_factory)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], dict[str, Any]]:
    return _all(tmp_path_factory, OBS_KEEP_FOREIGN_ATTRIBUTES="true", **{CONTENT: "SPAN_ONLY"})


def _sample(vocabulary: str, at: int) -> Sample:
    return SAMPLES[vocabulary][at]


def _told(span: dict[str, Any]) -> dict[str, Any]:
    attributes = span["attributes"].items()
    return {name: value for name, value in attributes if not name.startswith(COSTS) and name not in exceptions.VIEWERS}


@pytest.mark.parametrize(("vocabulary", "at"), ALL)
def test_a_span_is_said_in_the_conventions_words(
    with_content: dict[tuple[str, int], dict[str, Any]], vocabulary: str, at: int
) -> None:
    sample, span = _sample(vocabulary, at), with_content[vocabulary, at]
    told = _told(span)
    content = {name: told.pop(name) for name in sample.content}
    assert told == sample.said
    assert {name: _read(said) for name, said in content.items()} == sample.content
    assert (span["name"], span["kind"]) == (sample.new_name, sample.kind)


def _read(said: str) -> Any:
    try:
        return json.loads(said) if said[:1] in "[{" else said
    except ValueError:
        return said


@pytest.mark.parametrize(("vocabulary", "at"), ALL)
def test_it_keeps_to_the_conventions(
    with_content: dict[tuple[str, int], dict[str, Any]], vocabulary: str, at: int
) -> None:
    span = with_content[vocabulary, at]
    shown = SimpleNamespace(
        name=span["name"],
        kind=SimpleNamespace(name=span["kind"]),
        status=SimpleNamespace(status_code=SimpleNamespace(name=span["status"])),
        attributes=span["attributes"],
        events=(),
    )
    unknown = [name for name in _sample(vocabulary, at).attributes if name in span["attributes"]]
    found = [
        fault
        for fault in conformance.findings([shown], [], [])
        if not any(f" {n} is unknown" in fault for n in unknown)
    ]
    assert found == []


@pytest.mark.parametrize(("vocabulary", "at"), ALL)
def test_without_content_it_stays_in_the_words_of_its_author(
    without_content: dict[tuple[str, int], dict[str, Any]], vocabulary: str, at: int
) -> None:
    sample, told = _sample(vocabulary, at), _told(without_content[vocabulary, at])
    theirs = {
        name: value for name, value in sample.attributes.items() if sample.sources and name.startswith(sample.sources)
    }
    # Why an answer ended is none of its content.
    theirs = {name: value for name, value in theirs.items() if not name.endswith(".finish_reason")}
    assert told == {**sample.said, **theirs}


@pytest.mark.parametrize(("vocabulary", "at"), ALL)
def test_the_originals_stay_where_the_user_wants_them(
    kept: dict[tuple[str, int], dict[str, Any]], vocabulary: str, at: int
) -> None:
    sample, told = _sample(vocabulary, at), _told(kept[vocabulary, at])
    originals = {name: value for name, value in sample.attributes.items() if name not in sample.said}
    gone = {name for name in originals if name not in told}
    assert gone <= {"gen_ai.operation.name", *exceptions.VIEWERS}
    assert {name: told[name] for name in sample.said} == sample.said
    assert sample.content.keys() <= told.keys()


def test_a_model_call_of_others_has_a_price(with_content: dict[tuple[str, int], dict[str, Any]]) -> None:
    chats = [
        span
        for span in with_content.values()
        if span["attributes"].get("gen_ai.operation.name") == "chat"
        and "gen_ai.usage.input_tokens" in span["attributes"]
    ]
    assert len(chats) == len(SAMPLES)
    assert all(span["attributes"]["obs.cost.total"] > 0 for span in chats)
    assert not any("obs.cost.total" in span["attributes"] for span in with_content.values() if "agent" in span["name"])
