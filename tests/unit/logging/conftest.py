from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from obs_run.logging import record
from obs_run.privacy import forget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.pipeline.items import LogItem


class Sent(list["LogItem"]):
    """Stands for the queue of the pipeline and keeps what is put into it."""

    def in_export_thread(self) -> bool:
        return False

    def put(self, item: Any) -> None:
        self.append(item)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sent]:
    items = Sent()
    monkeypatch.setattr(record, "queue", lambda: items)
    monkeypatch.setattr(record, "_exported", True)
    forget()
    yield items
    forget()
