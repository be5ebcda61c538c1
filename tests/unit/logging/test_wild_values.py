from __future__ import annotations

import json
import math
import threading
import warnings
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from obs_run.base.plain_values import Snapshot
from obs_run.logging import ConsoleLogHandler, DistributedLogger, FileLogHandler, LogCategory, LogLevel
from tests.examples import examples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.logging.conftest import Sent


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__


class Liar:
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return dict

    __str__ = __len__ = lambda _: 7  # type: ignore[assignment]


class BrokenDict(dict[Any, Any]):
    def __iter__(self) -> Any:
        raise RuntimeError("no")

    items = keys = values = copy = __len__ = __iter__


class BrokenList(list[Any]):
    def __iter__(self) -> Any:
        raise ValueError("no")

    __len__ = __iter__


class BrokenText(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise ValueError("no")

    __len__ = encode = isascii = __str__  # type: ignore[assignment]


class BrokenError(Exception):
    def __str__(self) -> str:
        raise ValueError("no")


class Figure(float, Enum):
    HALF = 0.5


def cycle() -> dict[str, Any]:
    around: dict[str, Any] = {"list": []}
    around["self"] = around
    around["list"].append(around)
    return around


def deep() -> list[Any]:
    inner: list[Any] = []
    for _ in range(2000):
        inner = [inner]
    return inner


VALUES: list[Any] = [
        Unshowable(), Liar(), BrokenDict(a=1), BrokenList([1]), BrokenText("x"), BrokenError("x"), Figure.HALF, cycle(),
        deep(), math.nan, math.inf, -math.inf, 2**70, 10**5000, b"\xff\x00", bytearray(b"x" * 5000), memoryview(b"ab"),
        "\ud800", "\x00\x1b[31m\n\u2028", "x" * 300_000, {1: 2, None: 3, ("a",): 4, Unshowable(): 5}, object(),
        LogLevel.INFO, range(10**9), {"a", "b"}, frozenset({1}), ..., type, print, [1] * 10_000, BaseException("base"),
]  # fmt: skip


@st.composite
def wild(draw: Any) -> Any:
    # By its place, because hypothesis shows what it samples from.
    return VALUES[draw(st.integers(0, len(VALUES) - 1))]


ANY = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers(), wild()
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.text(max_size=5), st.integers(), st.none()), inner, max_size=4),
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wild")


@given(
    message=ANY, data=ANY, tags=ANY, metrics=ANY, error=ANY, category=ANY, override=ANY, level=st.sampled_from(LogLevel)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=examples(200))
def test_whatever_is_logged_there_is_a_record_and_no_exception(  # noqa: PLR0917 (hypothesis gives them by name)
    sent: Sent, folder: Path, capsys: Any, message: Any, data: Any, tags: Any, metrics: Any, error: Any, category: Any,
    override: Any, level: LogLevel,
) -> None:  # fmt: skip
    sent.clear()
    logger = DistributedLogger("wild")
    file = folder / "wild.log"
    file.unlink(missing_ok=True)
    logger.add_handler(FileLogHandler("file", file))
    logger.add_handler(ConsoleLogHandler(json=True))
    logger.add_handler(ConsoleLogHandler("human"))

    with logger.context(field=override):
        answer = logger.log(
            level, message, category=category, data=data, exception=error, performance_metrics=metrics, tags=tags,
            override=override,
        )  # fmt: skip

    assert answer
    assert len(sent) == 1
    line = json.loads(file.read_text(encoding="utf-8"))
    assert json.loads(capsys.readouterr().out.partition("\n")[0]) == line
    assert line["level"] == level.value
    assert logger.get_metrics()["failed_logs"] == 0
    for value in sent[0].attributes.values():
        assert type(value) in (str, int, float, bool, tuple)
        if type(value) is str:
            value.encode()


@given(value=ANY)
@settings(deadline=None)
def test_a_snapshot_is_json_of_bounded_size(value: Any) -> None:
    taken = Snapshot().value(value)
    text = json.dumps(taken, ensure_ascii=False, allow_nan=False)
    assert len(text.encode()) < 8 * 1024 * 1024


def test_values_keep_what_they_say(sent: Sent) -> None:
    data = {
        "n": 1,
        "f": 0.5,
        "b": True,
        "none": None,
        "nan": math.nan,
        "big": 2**70,
        "bytes": b"ab",
        "d": {"a": [1]},
    }
    DistributedLogger("x").info("m", data=data, tags="one", performance_metrics={"p": 1})
    told = sent[0].attributes
    assert {name: told.get(name) for name in data} == {
        "n": 1, "f": 0.5, "b": True, "none": None, "nan": "nan", "big": str(2**70), "bytes": "b'ab'", "d": '{"a":[1]}',
    }  # fmt: skip
    assert told["obs.log.tags"] == ("one",)


def test_names_that_clash_are_put_aside(sent: Sent) -> None:
    logger = DistributedLogger("x")
    logger.info("m", data={"user_id": "other", "code.line.number": 7, "free": 1}, user_id="u1")
    told = sent[0].attributes
    assert (told["user_id"], told["data.user_id"], told["data.code.line.number"], told["free"]) == ("u1", "other", 7, 1)
    assert told["code.line.number"] != 7


def test_what_is_logged_is_taken_at_the_call(sent: Sent) -> None:
    data: dict[str, Any] = {"list": [1], "n": 1}
    DistributedLogger("x").info("m", data=data)
    data["n"] = 2
    data["list"].append(2)
    assert (sent[0].attributes["n"], sent[0].attributes["list"]) == (1, "[1]")


def test_a_dict_that_another_thread_changes(sent: Sent) -> None:
    logger = DistributedLogger("x")
    shared: dict[Any, Any] = {number: {number} for number in range(50)}
    done = threading.Event()

    def change() -> None:
        number = 50
        while not done.is_set():
            shared[number % 200 + 1] = {number}
            shared[0].add(number % 300)
            shared.pop(number % 170 + 1, None)
            shared[0].discard(number % 299)
            number += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(500):
            logger.info("m", data=shared)
    finally:
        done.set()
        thread.join()
    assert len(sent) == 500
    assert all(item.body == "m" and "0" in item.attributes for item in sent)


def test_wrong_levels_and_categories_are_said_once(sent: Sent, caplog: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("obs_run.base.guard._said", set())
    logger = DistributedLogger("x")
    for _ in range(2):
        logger.log("loud", "m", category="gossip")
    logger.log("warn", "m", category="API")
    logger.log(25, "m", category=LogCategory.USER)
    assert [item.severity for item in sent] == [9, 9, 13, 9]
    assert [item.attributes["obs.log.category"] for item in sent] == ["system", "system", "api", "user"]
    assert [record.getMessage() for record in caplog.records] == [
        "obs_run.logging: level loud is not allowed; allowed: TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL; using INFO",
        "obs_run.logging: category gossip is not allowed; allowed: "
        + ", ".join(category.name for category in LogCategory)
        + "; using SYSTEM",
    ]


def test_nothing_is_warned_of_when_nothing_is_awaited(sent: Sent) -> None:
    import gc

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        DistributedLogger("x").info("m")
        gc.collect()
    assert not caught
    assert sent
