"""What to look at where a destination refuses OTLP, by the status of its protocol."""

from __future__ import annotations

_CREDENTIALS = "look at OTEL_EXPORTER_OTLP_HEADERS: it knows no key, or not this one"
_PLACE = "look at OTEL_EXPORTER_OTLP_ENDPOINT and _PROTOCOL: nothing takes this there"
_ELSEWHERE = "look at OTEL_EXPORTER_OTLP_ENDPOINT: it is somewhere else"
_LARGE = "look at OBS_BATCH_BYTES: it takes no requests as large"
_OTHERWISE = "look at OTEL_EXPORTER_OTLP_ENDPOINT and _PROTOCOL, or the log of the server"
_BY_STATUS = {
    **dict.fromkeys(("401", "403", "407", "UNAUTHENTICATED", "PERMISSION_DENIED"), _CREDENTIALS),
    **dict.fromkeys(("404", "405", "406", "415", "UNIMPLEMENTED", "NOT_FOUND"), _PLACE),
    **dict.fromkeys(("413", "RESOURCE_EXHAUSTED", "OUT_OF_RANGE"), _LARGE),
}


def of(status: str) -> str:
    """Return what to do about a refusal."""
    if len(status) == 3 and status.startswith("3"):  # noqa: PLR2004 (HTTP's redirections)
        return _ELSEWHERE
    return _BY_STATUS.get(status, _OTHERWISE)
