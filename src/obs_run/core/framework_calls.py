"""Model calls as frameworks tell of them; what a provider's client then tells of the same call takes their place."""

from __future__ import annotations

from typing import ClassVar

from obs_run.core.operations import Embedding, Inference, Rerank
from obs_run.core.sparse_dataclasses import sparse_dataclass

__all__ = ["FrameworkEmbedding", "FrameworkInference", "FrameworkRerank"]


@sparse_dataclass
class FrameworkInference(Inference):
    """A model's answer as a framework tells of it."""

    IS_FRAMEWORKS: ClassVar[bool] = True


@sparse_dataclass
class FrameworkEmbedding(Embedding):
    """Texts turned into vectors, as a framework tells of it."""

    IS_FRAMEWORKS: ClassVar[bool] = True


@sparse_dataclass
class FrameworkRerank(Rerank):
    """Documents put in order, as a framework tells of it."""

    IS_FRAMEWORKS: ClassVar[bool] = True
