"""Which calls are recorded, and what one costs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from tests.instrumentors.run_scenarios import LIBRARY, instrumented


@pytest.mark.parametrize(("value", "names"), [("none", []), ("", ["retrieval"]), ("all", ["add", "retrieval"])])
def test_setting(value: str, names: list[str], stub: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_FAISS", value)
    driver: Any = LIBRARY.driver("sync", stub)
    with instrumented():
        index = driver.index()
        index.add(driver.vectors((4, 0)))
        index.search(driver.vectors((4, 0)), 1)
        assert [span.name for span in telemetry.spans()] == names
    driver.close()


def test_every_index(stub: Any, telemetry: Any) -> None:
    faiss = import_module("faiss")
    driver: Any = LIBRARY.driver("sync", stub)
    plain = {name: vars(kind)["search"] for name, kind in vars(faiss).items() if _searches(kind)}
    assert len(plain) > 30
    with instrumented():
        assert all(vars(getattr(faiss, name))["search"] is not method for name, method in plain.items())
        binary = faiss.IndexBinaryFlat(8)
        binary.search(driver.numpy.zeros((1, 1), "uint8"), 1)
        assert telemetry.span().attributes["db.response.returned_rows"] == 0
    assert all(vars(getattr(faiss, name))["search"] is method for name, method in plain.items())
    driver.close()


def _searches(kind: Any) -> bool:
    return isinstance(kind, type) and kind.__name__.startswith("Index") and "search" in vars(kind)
