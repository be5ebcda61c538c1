"""The SDK sets a warning filter for each tracer, which makes Python forget what it has shown once: kept from that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.util.instrumentation import InstrumentationInfo

if TYPE_CHECKING:
    from collections.abc import Callable


def leave_alone() -> None:
    """Have tracers made without a look at the filters, and without the warning that they were to hide."""
    initialize = getattr(InstrumentationInfo.__init__, "__wrapped__", None)
    if initialize is not None and hasattr(sdk, "filterwarnings"):
        setattr(sdk, "InstrumentationInfo", _silent(initialize))  # noqa: B010 (the module declares another)
        setattr(sdk, "filterwarnings", _do_nothing)  # noqa: B010 (as above)


def _silent(initialize: Callable[..., None]) -> type:
    class Silent(InstrumentationInfo):
        """Makes the SDK's own object, which its constructor calls outdated."""

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            info = object.__new__(InstrumentationInfo)
            initialize(info, *args, **kwargs)
            return info

    return Silent


def _do_nothing(*_: Any, **__: Any) -> None:
    """Leave the filters as they are."""
