"""What ``obsctl doctor`` says of who may see telemetry: the Prometheus endpoint, OTLP, files of secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.cli.finding import Finding
from obs_run.files import secret_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECRETS = (
    "OBS_PROMETHEUS_KEY",
    "OBS_PROMETHEUS_USERS_FILE",
    "OBS_PROMETHEUS_TOKENS_FILE",
    "OBS_OTLP_HEADERS_FILE",
    *(f"OTEL_EXPORTER_OTLP_{signal}CLIENT_KEY" for signal in ("", "TRACES_", "METRICS_", "LOGS_")),
    "OBS_PRIVACY_HASH_KEY_FILE",
    "OBS_AUDIT_KEY_FILE",
)


def prometheus(signal: str) -> Finding:
    """Return where the endpoint is and what it asks for, or why there will be none."""
    from obs_run.prometheus.access import Access, tls_or_none

    try:
        access, tls = Access(), tls_or_none()
    except (secret_file.SecretFileError, settings.NotAllowedError) as problem:
        return Finding("FAIL", signal, f"prometheus, not served: {problem}")
    read = settings.lookup
    host, port = read("OTEL_EXPORTER_PROMETHEUS_HOST").value, read("OTEL_EXPORTER_PROMETHEUS_PORT").value
    asked = [challenge.partition(" ")[0].lower() for challenge in access.challenges]
    asked = [f"{' or '.join(asked)} authentication"] if asked else []
    asked += ["a client certificate"] if tls is not None and tls.asks_for_certificates else []
    scheme = "http" if tls is None else "https"
    return Finding("ok", signal, f"prometheus, served at {scheme}://{host}:{port}/metrics, asks for "
                   f"{' and '.join(asked) or 'nothing'}")  # fmt: skip


def otlp(signal: str, url: str) -> Iterator[Finding]:
    """Yield what is wrong with certificates and headers for the collector."""
    from obs_run.pipeline import otlp_address

    try:
        if url.startswith("https://"):
            otlp_address.Tls(signal)
    except settings.NotAllowedError as problem:
        yield Finding("FAIL", signal, str(problem))
    problem_of_file = otlp_address.headers_problem()
    if problem_of_file:
        yield Finding("FAIL", signal, problem_of_file)


def secret_files() -> Iterator[Finding]:
    """Yield the files of secrets that every user of the machine may read."""
    for name in _SECRETS:
        path = settings.lookup(name).value
        said = secret_file.openness(path) if path else None
        if said:
            yield Finding("!", name, said)
