"""A real Prometheus asks agents' own endpoints, with the configuration of docs/access.md."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme

from tests.e2e.backends import clients, servers
from tests.e2e.backends.fixtures import FindTool
from tests.e2e.backends.install import ROOT
from tests.ports import free_ports
from tests.unit.access.serving import serving

CONFIG = ROOT / "configs" / "prometheus-agents.yaml"
CA = trustme.CA()


def secret(path: Path, text: bytes) -> Path:
    path.write_bytes(text)
    path.chmod(0o600)
    return path


def configured(folder: Path, password: str, **ports: int) -> Path:
    """Write what the configuration names, and itself with the ports of the test."""
    prometheus = CA.issue_cert("prometheus@example.org")
    secret(folder / "agents-ca.pem", CA.cert_pem.bytes())
    secret(folder / "agents-password.txt", password.encode())
    secret(folder / "agents-token.txt", b"a-token")
    secret(folder / "prometheus.pem", prometheus.cert_chain_pems[0].bytes())
    secret(folder / "prometheus-key.pem", prometheus.private_key_pem.bytes())
    config = CONFIG.read_text().replace("scrape_interval: 15s", "scrape_interval: 1s")
    for usual, port in zip(("9464", "9465", "9466"), ports.values(), strict=True):
        assert config.count(f"127.0.0.1:{usual}") == 1
        config = config.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{port}")
    path = folder / "prometheus.yaml"
    path.write_text(config)
    return path


@contextmanager
def prometheus(program: Path, config: Path) -> Iterator[clients.Prometheus]:
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={config.parent / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with servers.running("prometheus", command, f"{url}/-/ready", config.parent):
        yield clients.Prometheus(url)


def value(metrics: clients.Prometheus, expression: str) -> float:
    [sample] = metrics.query(expression)
    return sample.value


def test_prometheus_scrapes_by_password_token_and_certificate(backend_tool: FindTool, tmp_path: Path) -> None:
    program = backend_tool("prometheus")
    certificate = CA.issue_cert("127.0.0.1")
    folder = tmp_path / "agents"
    folder.mkdir()
    tls: dict[str, Any] = {
        "OBS_PROMETHEUS_CERTIFICATE": secret(folder / "endpoint.pem", certificate.cert_chain_pems[0].bytes()),
        "OBS_PROMETHEUS_KEY": secret(folder / "endpoint-key.pem", certificate.private_key_pem.bytes()),
    }
    made = subprocess.run(
        [sys.executable, "-m", "obs_run.cli", "hash-password", "prometheus"],
        input="pass:word\n",
        capture_output=True,
        text=True,
        check=True,
    )
    users = secret(folder / "users", made.stdout.encode())
    tokens = secret(folder / "tokens", b"another\na-token\n")
    clients_ca = secret(folder / "ca.pem", CA.cert_pem.bytes())
    with (
        serving(folder, OBS_PROMETHEUS_USERS_FILE=users, **tls) as by_password,
        serving(folder, OBS_PROMETHEUS_TOKENS_FILE=tokens, **tls) as by_token,
        serving(folder, OBS_PROMETHEUS_CLIENT_CERTIFICATES=clients_ca, **tls) as by_certificate,
    ):
        ports = {"one": by_password.port, "two": by_token.port, "three": by_certificate.port}
        config = configured(tmp_path, "pass:word", **ports)
        with prometheus(program, config) as metrics:
            for job in ("agents-by-password", "agents-by-token", "agents-by-certificate"):
                assert value(metrics, f'jobs_total{{job="{job}",kind="small"}}') == 3
                assert value(metrics, f'up{{job="{job}"}}') == 1
                assert value(metrics, f'target_info{{job="{job}"}}') == 1
    assert [agent.err for agent in (by_password, by_token, by_certificate)] == ["", "", ""]


def test_prometheus_with_the_wrong_password_gets_nothing(backend_tool: FindTool, tmp_path: Path) -> None:
    program = backend_tool("prometheus")
    users = secret(tmp_path / "users", b"prometheus:right\n")
    with serving(tmp_path, OBS_PROMETHEUS_USERS_FILE=users) as agent:
        config = configured(tmp_path, "wrong", one=agent.port, two=9, three=9)
        config.write_text(config.read_text().replace("scheme: https", "scheme: http"))
        config.write_text(re.sub(r"    tls_config:\n(      .*\n)+", "", config.read_text()))
        with prometheus(program, config) as metrics:
            assert value(metrics, 'up{job="agents-by-password"}') == 0
    assert agent.err == ""


def test_promtool_accepts_the_configuration_and_the_page_shows_it(backend_tool: FindTool, tmp_path: Path) -> None:
    config = configured(tmp_path, "word", one=1, two=2, three=3)
    promtool = backend_tool("promtool")
    done = subprocess.run([promtool, "check", "config", config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert CONFIG.read_text() in (ROOT / "docs" / "access.md").read_text()
