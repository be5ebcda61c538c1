"""Together's scenario set."""

from __future__ import annotations

from tests.instrumentors.openai import family

LIBRARY = family.library(
    "together",
    {"2.0.0, oldest": ("together==2.0.0",), "2, newest": ("together>=2,<3",), "3, newest": ("together>=3,<4",)},
    family.embeddings("together_ai"),
    family.completions("together_ai"),
)
