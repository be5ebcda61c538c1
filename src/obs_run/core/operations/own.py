"""What an agent's own code does that no library tells of: functions that its author has named to be recorded."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar

from obs_run.core import semconv
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .fields import attribute
from .operation import Attributes, Operation

CONTRACT_VIOLATED = "contract_violated"
"""The ``error.type`` of a check that found what it looked for, and raised nothing."""


@sparse_dataclass
class OwnCall(Operation):
    """One call of a function; ``name`` is the span's. No convention knows such spans."""

    function: str | None = attribute(semconv.CODE_FUNCTION_NAME)
    outcome: str | None = attribute(semconv.OBS_OUTCOME)
    """Why it is over where that is neither success nor failure."""
    contents: dict[str, Any] = field(default_factory=dict)
    """Content by the names of its attributes."""

    KIND: ClassVar[str] = "INTERNAL"

    def content(self) -> Attributes:
        """Return the content that is known under its attribute names."""
        return {**super().content(), **self.contents}


@sparse_dataclass
class ContractCheck(OwnCall):
    """A check whether a message is as the contract of an interface says: ``check``."""

    contract: str | None = attribute(semconv.OBS_CONTRACT_NAME)
    is_met: bool | None = attribute(semconv.OBS_CONTRACT_MET)

    SUBJECT: ClassVar[str | None] = "contract"
