from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obs_run.core import sink
from obs_run.privacy import forget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.sink import LogRecord


class Sent(list["LogRecord"]):
    """Stands for the sink and keeps the records that it gets."""

    def is_exporting(self) -> bool:
        return False

    def log(self, record: LogRecord) -> None:
        self.append(record)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sent]:
    items = Sent()
    monkeypatch.setattr(sink, "current", lambda: items)
    monkeypatch.delenv("OTEL_SDK_DISABLED", raising=False)
    forget()
    yield items
    forget()
