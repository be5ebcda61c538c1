"""OpenAI's scenario set; the files beside it show call modes, the other endpoints and faults."""

from __future__ import annotations

from tests.instrumentors.openai import family

_OLDEST = "1.26.0, oldest"
_WEBSOCKET = "responses_websocket.py"
_LANES = "responses_lanes.py"
_SESSIONS = ("realtime.py", _WEBSOCKET, _LANES)

LIBRARY = family.library(
    "openai",
    {
        # Releases before 1.56 pass httpx an argument that httpx 0.28 has dropped.
        _OLDEST: ("openai==1.26.0", "httpx<0.28"),
        "1, newest": ("openai[realtime]<2",),
        "2.0.0": ("openai[realtime]==2.0.0",),
        "2, newest": ("openai[realtime]>=2,<3",),
        "3, newest": ("openai[realtime]>=3,<4",),
    },
    family.embeddings("openai", "float"),
    family.completions("openai"),
    more=("test_modes.py", "test_faults.py", "test_endpoints.py", *_SESSIONS),
    # The oldest has neither responses nor most of the media nor WebSockets, which the others have step by step.
    less={
        _OLDEST: ("test_endpoints.py", *_SESSIONS),
        "1, newest": (_WEBSOCKET, _LANES),
        "2.0.0": (_WEBSOCKET, _LANES),
        "2, newest": (_LANES,),
    },
)
