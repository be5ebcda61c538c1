"""The signals of OpenTelemetry that are exported."""

from __future__ import annotations

from typing import Literal

Signal = Literal["traces", "metrics", "logs"]
