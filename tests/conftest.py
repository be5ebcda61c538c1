from __future__ import annotations

import gc
import os
import signal
import sys
from collections import Counter
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests import ports
from tests.e2e.backends import install
from tests.examples import examples
from tests.launch import environments
from tests.port_guard import PortGuard

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

# What asserts for the tests of others, registered before any of them is collected.
pytest.register_assert_rewrite("tests.launch.beside_plain", "tests.launch.fleet", "tests.launch.running")

if find_spec("hypothesis") is not None:  # the environments of the libraries do without
    from hypothesis import settings

    # A busy machine is no fault of an example. CI draws the same examples each time, so that what it says is about the
    # change; developers' runs and `make explore` draw others.
    settings.register_profile("any machine", deadline=None, max_examples=examples(100), derandomize=install.required())
    settings.load_profile("any machine")

_SAMPLED = 3
BUILD_SECONDS = 1800  # making the backends for the first time takes minutes

# Whoever starts the tests may ignore these, as nohup and shells do for what runs in the background; agents inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)

# Where the developer's own telemetry goes is no business of the tests, nor of the agents that inherit from them.
# A library's tests in an environment of their own have what they need from run_tests.
if "OBS_TEST_LIBRARY" not in os.environ:
    for name in [
        each for each in os.environ if each.startswith(("OTEL_", "OBS_")) and not each.startswith("OBS_TESTS_")
    ]:
        del os.environ[name]


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, None, None]:
    """Mark the tests that need backends, before those that are not wanted are taken out; then order what is left."""
    for item in items:
        if "backend_tool" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.backends)
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))
            item.add_marker(pytest.mark.xdist_group("backends"))  # one Collector and one Jaeger for all
    _mark_what_is_not_sampled(items)
    yield
    # The longest first, whatever the order of the others: at the end no one waits for a last long one.
    items.sort(key=lambda item: item.path.name != "test_versions.py")


def _mark_what_is_not_sampled(items: list[pytest.Item]) -> None:
    """Of each function marked ``sampled``, leave one in three of its cases to each change, and mark the others slow."""
    quick: Counter[str] = Counter()
    for item in items:
        if item.get_closest_marker("sampled") is None or item.get_closest_marker("slow") is not None:
            continue
        function = item.nodeid.partition("[")[0]
        if quick[function] % _SAMPLED:
            item.add_marker(pytest.mark.slow)
        quick[function] += 1


def pytest_collection_finish() -> None:
    """Take what was collected out of the reach of ``gc.collect``, which many tests call: it stays to the end anyway."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_tool_is_waited_for() -> Iterator[None]:
    """A model that was asked in one test must not have its tools in another."""
    yield
    tool_windows = sys.modules.get("obs_run.core.tool_windows")
    if tool_windows is not None:
        tool_windows.windows.forget()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that is skipped proves nothing, and fails: an interpreter or a program is missing."""
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Nor may a whole module be skipped there."""
    report = yield
    _fail_if_skipped(report)
    return report


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and install.required():
        report.outcome = "failed"
        report.longrepr = f"skipped, where nothing may be: {report.longrepr}"


@pytest.fixture(scope="session")
def port_guard() -> Iterator[PortGuard]:
    with PortGuard(ports.NOT_OURS) as guard:
        yield guard


@pytest.fixture(autouse=True)
def only_ports_of_our_own(port_guard: PortGuard) -> Iterator[None]:
    """Fail a test that speaks to, or listens on, a port which belongs to whoever uses this machine."""
    yield
    assert port_guard.used() == []


@pytest.fixture(autouse=True)
def environments_where_they_are_marked(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that makes an environment and is not marked so: the quick ring must do without the network."""
    is_marked = request.node.get_closest_marker("environments") is not None
    token = environments.may_be_made.set(is_marked)
    yield
    environments.may_be_made.reset(token)
