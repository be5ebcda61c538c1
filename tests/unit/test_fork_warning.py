from __future__ import annotations

import sys
import warnings

import pytest

from obs_run.process import fork_warning


@pytest.mark.parametrize(
    ("action", "module", "shown"),
    [("ignore", "", False), ("always", "", True), ("error", "other", False), ("default", __name__, True)],
)
def test_filters_decide(action: str, module: str, shown: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.setattr(fork_warning, "_COUNTED_LATE", True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings(action, "", DeprecationWarning, module)  # type: ignore[arg-type]
        assert fork_warning.would_be_shown(sys._getframe()) is shown


def test_python_that_counts_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_warning, "_COUNTED_LATE", False)
    assert not fork_warning.would_be_shown(sys._getframe())
