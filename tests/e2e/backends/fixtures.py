"""The fixtures of every test that needs a backend; the one place that decides between skip and failure."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.e2e.backends import install, servers
from tests.e2e.backends.recipes import MissingError

FindTool: TypeAlias = Callable[[str], Path]


@pytest.fixture(scope="session")
def backend_tool() -> FindTool:
    """Give a backend's program; where it cannot be had the test is skipped and says why, in CI it fails."""

    def find(name: str) -> Path:
        try:
            return install.find(name)
        except MissingError as error:
            if install.required():
                pytest.fail(str(error), pytrace=False)
            pytest.skip(str(error))

    return find


@pytest.fixture(scope="session")
def backends(backend_tool: FindTool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Backends]:
    """Run Collector, Jaeger and Prometheus for the whole session."""
    for name in ("collector", "jaeger", "prometheus"):
        backend_tool(name)
    with servers.backends(tmp_path_factory.mktemp("backends")) as running:
        yield running
