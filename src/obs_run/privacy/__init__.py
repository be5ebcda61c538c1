"""Takes secrets, and by choice personal data, out of what leaves the process: ``scrubber()`` is the one to ask."""

from __future__ import annotations

from obs_run.privacy.engine import Scrubber, forget, scrubber

__all__ = ["Scrubber", "forget", "scrubber"]
