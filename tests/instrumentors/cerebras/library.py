"""Cerebras' scenario set."""

from __future__ import annotations

from tests.instrumentors.openai import family

_OLDEST = "1.0.0, oldest"

LIBRARY = family.library(
    "cerebras",
    {_OLDEST: ("cerebras-cloud-sdk==1.0.0", "httpx<0.28"), "1, newest": ("cerebras-cloud-sdk>=1,<2",)},
    family.completions("cerebras", unless=(_OLDEST,)),
)
