"""For those who start with ``opentelemetry-instrument``: the same set-up behind OpenTelemetry's own entry points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined]  # the package switches checking off
from opentelemetry.sdk._configuration import _BaseConfigurator

from obs_run.base import guard

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Distro(BaseDistro):  # type: ignore[misc]  # the package ships no types
    """Starts obs-run in the process and keeps instrumentors from stopping one another."""

    def _configure(self, **_: Any) -> None:
        from obs_run.launch import start

        start.start("distro")

    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Load one instrumentor that is not looked at when its library arrives; a failing one is said and skipped."""
        from obs_run.coexistence import third_party

        if not third_party.waits_for_library(entry_point.module):
            guard.call(f"instrumentor {entry_point.name}", super().load_instrumentor, entry_point, **kwargs)


class Configurator(_BaseConfigurator):
    """Sets our providers up."""

    def _configure(self, **_: Any) -> None:
        from obs_run.runtime.process_runtime import runtime

        runtime().set_up()
