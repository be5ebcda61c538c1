"""OpenTelemetry's current context for the length of a ``with`` block, wherever the block is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context as api_context

from obs_run.base import guard

if TYPE_CHECKING:
    from opentelemetry.context import Context


class Current:
    """Makes a context current from entering to leaving."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._token: Any = None

    def __enter__(self) -> Context:
        """Make it current."""
        self._token = attach(self._context)
        return self._context

    def __exit__(self, *_: object) -> None:
        """Make the one before current again."""
        detach(self._token)


def attach(context: Context) -> Any:
    """Make ``context`` current and return what ``detach`` wants."""
    try:
        return api_context.attach(context)
    except Exception as error:  # noqa: BLE001 (a context of the agent's own making)
        guard.failed("context", error)
        return None


def detach(token: Any) -> None:
    """Make the context current that was current before ``attach``.

    A generator that is closed by another task leaves in that task's context, where there is nothing to take back; the
    API's own ``detach`` writes that to the log as an error.
    """
    variable = getattr(token, "var", None)
    if variable is not None:
        try:  # noqa: SIM105 (suppress() takes half a microsecond)
            variable.reset(token)
        except ValueError:
            pass
    elif token is not None:
        guard.call("context", api_context.detach, token)
