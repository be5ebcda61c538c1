"""OpenAI's scenario set; the files beside it show call modes, the other endpoints and faults."""

from __future__ import annotations

from tests.instrumentors.openai import family

_OLDEST = "1.26.0, oldest"

LIBRARY = family.library(
    "openai",
    {
        # Releases before 1.56 pass httpx an argument that httpx 0.28 has dropped.
        _OLDEST: ("openai==1.26.0", "httpx<0.28"),
        "1, newest": ("openai<2",),
        "2.0.0": ("openai==2.0.0",),
        "2, newest": ("openai>=2,<3",),
        "3, newest": ("openai>=3,<4",),
    },
    family.embeddings("openai", "float"),
    family.completions("openai"),
    more=("test_modes.py", "test_faults.py", "test_endpoints.py"),
    # It has neither responses nor most of the media.
    less={_OLDEST: ("test_endpoints.py",)},
)
