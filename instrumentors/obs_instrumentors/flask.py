"""Flask's routes, for the requests that reach the server which it runs on.

Chosen: a patch of what dispatches a request, as nobody outside of it knows which route was taken.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from obs_run.base import payload
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.message_steps import wrap_step
from obs_run.core.server_requests import current_step

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def note_route(_: Call) -> None:
    """Note the rule by which a request is dispatched; None where there is none."""
    step = current_step()
    if step is not None:
        step.note_route(payload.get_text(sys.modules.get("flask"), "request", "url_rule", "rule"))


INSTRUMENTORS = (
    Instrumentor(
        "flask",
        "flask",
        ">=2,<4",
        (Target("flask.app", "Flask.full_dispatch_request", wrap_step(note_route)),),
        ("routes of requests",),
        is_server=True,
    ),
)
