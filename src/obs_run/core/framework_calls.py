"""Model calls as frameworks tell of them; what a provider's client then tells of the same call takes their place."""

from __future__ import annotations

from typing import ClassVar

from obs_run.core.late_dataclasses import late_dataclass
from obs_run.core.operations import Embedding, Inference, Rerank

__all__ = ["FrameworkEmbedding", "FrameworkInference", "FrameworkRerank"]


@late_dataclass
class FrameworkInference(Inference):
    """A model's answer as a framework tells of it."""

    IS_FRAMEWORKS: ClassVar[bool] = True


@late_dataclass
class FrameworkEmbedding(Embedding):
    """Texts turned into vectors, as a framework tells of it."""

    IS_FRAMEWORKS: ClassVar[bool] = True


@late_dataclass
class FrameworkRerank(Rerank):
    """Documents put in order, as a framework tells of it."""

    IS_FRAMEWORKS: ClassVar[bool] = True
