"""The libraries that are waited for: those of installed instrumentors, and what of theirs has to be fitted."""

from __future__ import annotations

from obs_run.coexistence import third_party
from obs_run.process import import_hooks

TYPE_CHECKING = False  # the module typing costs more than all that happens at a process's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_WITH_HEADERS = (
    *(f"opentelemetry.instrumentation.{name}" for name in ("aiohttp_client", "grpc", "httpx", "requests", "urllib")),
    "opentelemetry.instrumentation.botocore",
    "opentelemetry.instrumentation.urllib3",
    "anthropic._tracing",  # it puts the trace context into its requests by itself
)
# Module of others to watch for, module of ours and function in it that is called with the module.
_FITTED = (
    ("opentelemetry.instrumentation.instrumentor", "obs_run.coexistence.explicit_activation", "notice_explicit"),
    ("opentelemetry.instrumentation.botocore", "obs_run.coexistence.choice", "leave_bedrock"),
    ("opentelemetry.instrumentation.utils", "obs_run.coexistence.http_spans", "fit_checks"),
    ("opentelemetry.instrumentation.utils", "obs_run.coexistence.incoming_requests", "fit"),
    ("opentelemetry.instrumentation.aiohttp_server", "obs_run.coexistence.incoming_requests", "fit_extract"),
    ("opentelemetry.instrumentation.grpc._server", "obs_run.coexistence.incoming_requests", "fit_extract"),
    ("opentelemetry.instrumentation.grpc._server", "obs_run.coexistence.grpc_servers", "fit_failures"),
    ("opentelemetry.instrumentation.grpc._aio_server", "obs_run.coexistence.grpc_servers", "fit_handlers"),
    ("opentelemetry.instrumentation.propagators", "obs_run.coexistence.incoming_requests", "answer_ids"),
    ("opentelemetry.instrumentation.asgi", "obs_run.coexistence.incoming_requests", "leave_out_steps"),
    ("opentelemetry.instrumentation._semconv", "obs_run.coexistence.incoming_requests", "prefer_stable_names"),
    ("fastapi.telemetry._asgi", "obs_run.coexistence.incoming_requests", "fit_propagate"),
    ("starlette.middleware.opentelemetry", "obs_run.coexistence.incoming_requests", "fit_propagate"),
    ("opentelemetry.instrumentation.grpc._client", "obs_run.coexistence.http_spans", "fit_grpc"),
    ("opentelemetry.instrumentation.grpc._aio_client", "obs_run.coexistence.http_spans", "fit_grpc"),
    *((module, "obs_run.coexistence.propagation_hosts", "guard_clients") for module in _WITH_HEADERS),
)


def watch() -> None:
    """Wait for the libraries that installed instrumentors are for, and for what of theirs has to be fitted."""
    for module, of_ours, function in _FITTED:
        import_hooks.when_imported(module, _late(of_ours, function))
    for module in third_party.installed_instrumentors():
        import_hooks.when_imported(module, _late("obs_run.coexistence.choice", "on_library_imported"))


def _late(module_of_ours: str, function: str) -> Callable[[ModuleType], None]:
    """Return what loads a module of ours and calls a function in it; the same each time, to be waited for once."""

    def callback(module: ModuleType) -> None:
        getattr(__import__(module_of_ours, fromlist=[function]), function)(module)

    return _callbacks.setdefault((module_of_ours, function), callback)


_callbacks: dict[tuple[str, str], Callable[[ModuleType], None]] = {}
