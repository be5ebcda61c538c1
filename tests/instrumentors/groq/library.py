"""Groq's scenario set."""

from __future__ import annotations

from tests.instrumentors.openai import family

_OLDEST = "0.5.0, oldest"

LIBRARY = family.library(
    "groq",
    {_OLDEST: ("groq==0.5.0", "httpx<0.28"), "1, newest": ("groq>=1,<2",)},
    family.embeddings("groq", unless=(_OLDEST,)),
)
