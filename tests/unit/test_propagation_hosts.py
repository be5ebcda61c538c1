"""Which hosts get the trace context."""

from __future__ import annotations

import pytest

from obs_run import settings
from obs_run.coexistence import propagation_grpc
from obs_run.context import allowed_hosts


@pytest.mark.parametrize(
    ("hosts", "host", "expected"),
    [
        *(("private", host, True) for host in ("localhost", "127.0.0.1", "::1", "[::1]", "10.1.2.3", "192.168.0.9")),
        *(("private", host, True) for host in ("169.254.169.254", "fd00::1", "fe80::1", "vllm", "Collector.Local.")),
        *(("private", host, True) for host in ("agent.team.svc.cluster.local", "agent.team.svc", "a.internal")),
        *(("private", host, False) for host in ("api.openai.com", "8.8.8.8", "2001:4860:4860::8888", "local.com")),
        *(("private", host, False) for host in ("internal.example.com", "bedrock-runtime.eu-west-1.amazonaws.com")),
        ("*", "api.openai.com", True),
        ("none", "localhost", False),
        ("api.openai.com", "API.openai.com", True),
        ("openai.com", "api.openai.com", False),
        ("*.openai.com", "api.openai.com", True),
        (".openai.com", "api.openai.com", True),
        ("*.openai.com", "openai.com.evil.example", False),
        ("*.openai.com", "notopenai.com", False),
        ("8.8.0.0/16", "8.8.8.8", True),
        ("8.8.0.0/16", "8.9.8.8", False),
        ("8.8.0.0/16", "api.openai.com", False),
        ("999.8.0.0/16", "8.8.8.8", False),
        ("2001:db8::/32", "2001:db8::1", True),
        ("none, localhost", "localhost", True),
        ("private", None, True),
    ],
)
def test_hosts(hosts: str, host: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.setenv("OBS_PROPAGATE_HOSTS", hosts)
    assert allowed_hosts.is_allowed(host) is expected


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("localhost:50051", "localhost"),
        ("api.x.ai:443", "api.x.ai"),
        ("api.x.ai", "api.x.ai"),
        ("dns:///api.x.ai:443", "api.x.ai"),
        ("dns://8.8.8.8/api.x.ai:443", "api.x.ai"),
        ("dns:api.x.ai", "api.x.ai"),
        ("ipv4:10.0.0.1:80", "10.0.0.1"),
        ("ipv6:[::1]:80", "::1"),
        ("[::1]:80", "::1"),
        ("unix:/run/agent.sock", None),
        ("unix-abstract:agent", None),
    ],
)
def test_grpc_targets(target: str, host: str | None) -> None:
    assert propagation_grpc.host_of(target) == host


@pytest.mark.parametrize("value", ["http://a", "10.0.0.0/x", "a b"])
def test_what_is_no_host_is_said(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_PROPAGATE_HOSTS", value)
    found = settings.lookup("OBS_PROPAGATE_HOSTS")
    assert found.value == ("private",)
    assert found.problem is not None
    assert found.problem.startswith("OBS_PROPAGATE_HOSTS: ")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("official", (("", "official"),)),
        ("openai=OpenInference, obs-run", (("openai", "openinference"), ("", "obs-run"))),
        ("a=opentelemetry-instrumentation-genai-a", (("a", "opentelemetry-instrumentation-genai-a"),)),
        ("openai=", None),
        ("a b", None),
    ],
)
def test_preferences(value: str, expected: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_PREFER", value)
    found = settings.lookup("OBS_PREFER")
    assert found.value == expected
    assert bool(found.problem) == (expected is None)
