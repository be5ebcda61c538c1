"""Model calls as frameworks tell of them; what a provider's client then tells of the same call takes their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from obs_run.core.operations import Inference

__all__ = ["FrameworkInference"]


@dataclass(eq=False, repr=False)
class FrameworkInference(Inference):
    """A model's answer as a framework tells of it."""

    IS_FRAMEWORKS: ClassVar[bool] = True
