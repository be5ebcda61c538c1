"""What keeps the rings apart, and the tests away from what is not theirs, does so."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests import ports
from tests.examples import examples
from tests.launch import environments
from tests.port_guard import PortGuard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CONNECT = "import socket, sys; socket.socket().connect_ex(('127.0.0.1', int(sys.argv[1])))"


@pytest.fixture
def guard() -> Iterator[PortGuard]:
    # A port of our own stands for the Collector's.
    with PortGuard((ports.free_port(),)) as guard:
        yield guard


def test_a_connection_of_this_process_is_seen(guard: PortGuard) -> None:
    (port,) = guard._ports
    with socket.socket() as asking:
        asking.connect_ex((ports.HOST, port))
    assert guard.used() == [f"socket.connect ('127.0.0.1', {port}) by this test"]
    assert guard.used() == []


@pytest.mark.parametrize("options", [[], ["-I"]])
def test_a_connection_of_a_child_is_seen_whatever_its_variables(guard: PortGuard, options: list[str]) -> None:
    (port,) = guard._ports
    subprocess.run([sys.executable, *options, "-c", _CONNECT, str(port)], env={}, check=True)
    # Python reads the file twice in an environment that is not its own.
    assert set(guard.used()) == {f"socket.connect ('127.0.0.1', {port}) by ['-c', '{port}']"}


def test_who_listens_is_seen_and_other_ports_are_nobodys_business(guard: PortGuard) -> None:
    (port,) = guard._ports
    with socket.create_server((ports.HOST, port)), socket.create_server((ports.HOST, 0)) as other:
        socket.create_connection(other.getsockname()).close()
    assert guard.used() == [f"socket.bind ('127.0.0.1', {port}) by this test"]


def test_nothing_of_the_guard_is_left() -> None:
    with PortGuard((1,)) as guard:
        pass
    assert not list(guard._site.glob(f"{guard._mine}*"))
    assert not guard._report.exists()


def test_the_guard_is_on_in_every_test(port_guard: PortGuard) -> None:
    assert port_guard._ports == ports.NOT_OURS == (4317, 4318, 9464)
    assert (port_guard._site / f"{port_guard._mine}.pth").exists()


def test_an_environment_is_made_only_where_it_is_marked(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="mark the test"):
        environments.make(tmp_path / "venv", sys.executable)
    assert not (tmp_path / "venv").exists()


def test_a_free_port_is_not_one_that_the_kernel_gives_away() -> None:
    found = ports.free_ports(50)
    assert len(set(found)) == 50
    assert max(found) < 32_768
    assert not set(found) & set(ports.NOT_OURS)


@pytest.mark.parametrize(("wanted", "number"), [("all", 100), ("", 20)])
def test_examples_are_all_where_that_is_wanted(wanted: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_TESTS_EXAMPLES", wanted)
    assert examples(100) == number


@pytest.mark.parametrize(("target", "wanted"), [("quick", ""), ("test", "all"), ("test-all", "all")])
def test_make_wants_all_examples_of_what_goes_in(
    target: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OBS_TESTS_EXAMPLES", "MAKEFLAGS"):
        monkeypatch.delenv(name, raising=False)
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "examples=$OBS_TESTS_EXAMPLES $*"\n')
    python.chmod(0o755)
    words = ["make", "--silent", "--assume-old=install", f"BIN={tmp_path}", target]
    done = subprocess.run(words, cwd=environments.ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"examples={wanted} -m pytest -n "), done.stdout


def _collect(wanted: str, where: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", wanted, where]
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    return subprocess.run(words, cwd=environments.ROOT, env=env, capture_output=True, text=True, check=True)


@pytest.mark.parametrize(("wanted", "is_there"), [("backends", True), ("not backends", False)])
def test_what_needs_a_backend_is_marked_before_the_ring_is_chosen(wanted: str, is_there: bool) -> None:  # noqa: FBT001
    done = _collect(wanted, "tests/configs")
    assert ("test_alertmanager_is_there" in done.stdout) == is_there, done.stdout


@pytest.mark.parametrize(("wanted", "of_six"), [("not slow", 2), ("slow", 4), ("", 6)])
def test_one_in_three_of_what_is_sampled_is_quick(wanted: str, of_six: int) -> None:
    done = _collect(wanted, f"{__file__}::test_six")
    assert done.stdout.count("::test_six") == of_six, done.stdout


@pytest.mark.sampled
@pytest.mark.parametrize("number", range(6))
def test_six(number: int) -> None:
    assert number in range(6)
