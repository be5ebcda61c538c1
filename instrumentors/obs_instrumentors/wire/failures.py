"""Errors that an answer tells of itself: they come with status 200, and no client raises them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload

if TYPE_CHECKING:
    from obs_run.core.operations import Operation

UNKNOWN = "_OTHER"
"""The conventions' name of an error that has none."""
_KINDS = ("type", "status", "error_type")
# What gateways write in place of an answer, beside or instead of an error.
_COMPLAINTS = ("message", "detail", "msg", "error_msg", "errors")


def error_code(error: Any) -> str | None:
    """Return the code by which a provider names an error, which some write as a number; None where it has none."""
    if error is None:
        return None
    for name in ("code", "error_code", "status_code"):
        code = payload.get(error, name)
        if isinstance(code, str) and code:
            return code
        if isinstance(code, int) and not isinstance(code, bool) and code:
            return str(code)
    return None


def error_type(error: Any) -> str | None:
    """Return what an answer's ``error`` is to be called; None where there is none: it may be null, false or empty."""
    if not error:
        return None
    inner = payload.get(error, "error")
    if inner and not isinstance(inner, str):
        return error_type(inner)
    code = error_code(error)
    if code is not None:
        return code
    for name in _KINDS:
        kind = payload.get_text(error, name)
        if kind is not None and kind != "error":
            return kind
    return UNKNOWN


def read_error(operation: Operation, answer: dict[str, Any]) -> None:
    """Read the error that an answer, or a piece of a stream, consists of or has beside what was answered."""
    error = answer.get("error")
    if not error and answer.get("object") == "error":
        error = answer
    found = error_type(error) if error else None
    if found is None and "base_resp" in answer:
        # MiniMax's own field, which is there in good answers too.
        found = error_code(answer["base_resp"])
    if found is not None:
        operation.error_type = found


def read_missing_answer(operation: Operation, answer: dict[str, Any], field: str) -> None:
    """Read the complaint of a gateway that stands in place of the answer, whose ``field`` is missing then."""
    if operation.error_type is not None or answer.get(field) is not None:
        return
    if any(answer.get(name) for name in _COMPLAINTS):
        operation.error_type = error_code(answer) or UNKNOWN
