"""Functions that are called for much else than what is recorded: most calls cost one question and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.stand_in import hide_frame, passed_over

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.hooks import Wrapper

    Concerns = Callable[[tuple[Any, ...], dict[str, Any]], bool]

__all__ = ["wrap_where"]


def wrap_where(concerns: Concerns, wrapper: Wrapper) -> Wrapper:
    """Return ``wrapper`` for the calls that ``concerns(args, kwargs)`` says yes to; the others go their way."""

    @passed_over
    def filtered(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            is_concerned = concerns(args, kwargs)
        except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
            guard.failed("begin", error)
            is_concerned = False
        try:
            if is_concerned:
                return wrapper(wrapped, instance, args, kwargs)
            return wrapped(*args, **kwargs)
        except BaseException as error:
            hide_frame(error, error.__traceback__)
            raise

    return filtered
