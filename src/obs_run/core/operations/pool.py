"""Waiting for a connection of a pool."""

from __future__ import annotations

from typing import ClassVar

from obs_run.core import semconv
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .fields import attribute
from .operation import Operation


@sparse_dataclass
class PoolAcquire(Operation):
    """A wait for a connection of a pool that was long enough to be shown."""

    name: str = "acquire"
    pool_name: str | None = attribute(semconv.POOL_NAME)

    KIND: ClassVar[str] = "INTERNAL"
    SUBJECT: ClassVar[str | None] = "pool_name"
