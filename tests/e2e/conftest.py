import pytest

from tests.e2e.backends.fixtures import backend_tool, backends

__all__ = ["backend_tool", "backends"]

BUILD_SECONDS = 1800  # making the backends for the first time takes minutes


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    for item in items:
        if "backend_tool" in item.fixturenames:
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))
