"""The Prometheus endpoint of a real agent behind TLS."""

from __future__ import annotations

import socket
import ssl
import urllib.error
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from tests.examples import one_in
from tests.unit.access.serving import basic, is_served, serving

if TYPE_CHECKING:
    from pathlib import Path

CA, OTHER_CA = trustme.CA(), trustme.CA()
SERVER = CA.issue_cert("127.0.0.1")


def trusting(ca: trustme.CA = CA, client: trustme.LeafCert | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    if client is not None:
        client.configure_cert(context)
    return context


def written(folder: Path, certificate: trustme.LeafCert = SERVER, *, encrypted: bool = False) -> dict[str, Any]:
    chain, key = folder / "endpoint.pem", folder / "endpoint-key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    private = certificate.private_key_pem.bytes()
    if encrypted:
        loaded = serialization.load_pem_private_key(private, None)
        private = loaded.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"pw")
        )
    key.write_bytes(private)
    key.chmod(0o600)
    return {"OBS_PROMETHEUS_CERTIFICATE": chain, "OBS_PROMETHEUS_KEY": key}


def authority(folder: Path, ca: trustme.CA = CA) -> Path:
    path = folder / "authority.pem"
    ca.cert_pem.write_to_path(str(path))
    return path


def test_tls_and_a_password(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("prometheus:secret\n")
    users.chmod(0o600)
    with serving(tmp_path, trusting(), OBS_PROMETHEUS_USERS_FILE=users, **written(tmp_path)) as agent:
        assert agent.ask()[0] == 401
        status, page = agent.ask(basic("prometheus", "secret"))
        assert status == 200
        assert "jobs_total" in page
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            agent.ask(tls=trusting(OTHER_CA))
        with socket.create_connection(("127.0.0.1", agent.port), 10) as plain:
            plain.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"jobs" not in plain.recv(65536)
    assert agent.err == ""


@pytest.mark.slow
def test_one_who_connects_and_keeps_silent_holds_nobody_up(tmp_path: Path) -> None:
    with serving(tmp_path, trusting(), **written(tmp_path)) as agent:
        with socket.create_connection(("127.0.0.1", agent.port), 10):
            assert agent.ask()[0] == 200
        silent = [socket.create_connection(("127.0.0.1", agent.port), 10) for _ in range(40)]
        for each in silent:
            each.close()
        assert agent.process.poll() is None
    assert agent.err == ""


def test_those_without_a_certificate_are_refused(tmp_path: Path) -> None:
    settings = written(tmp_path) | {"OBS_PROMETHEUS_CLIENT_CERTIFICATES": authority(tmp_path)}
    known, stranger = CA.issue_cert("prometheus@example.org"), OTHER_CA.issue_cert("prometheus@example.org")
    with serving(tmp_path, trusting(client=known), **settings) as agent:
        assert agent.ask()[0] == 200
        for refused in (trusting(), trusting(client=stranger)):
            with pytest.raises((urllib.error.URLError, OSError)):
                agent.ask(tls=refused)
        assert agent.ask()[0] == 200
    assert agent.err == ""


def test_a_renewed_certificate_is_served_and_a_broken_one_is_not(tmp_path: Path) -> None:
    settings = written(tmp_path)
    with serving(tmp_path, trusting(), **settings) as agent:
        assert agent.ask()[0] == 200
        written(tmp_path, OTHER_CA.issue_cert("127.0.0.1"))
        assert agent.ask(tls=trusting(OTHER_CA))[0] == 200
        settings["OBS_PROMETHEUS_CERTIFICATE"].write_text("nothing")
        assert agent.ask(tls=trusting(OTHER_CA))[0] == 200
        written(tmp_path)
        assert agent.ask()[0] == 200
    [line] = agent.lines
    assert line.startswith("OBS_PROMETHEUS_CERTIFICATE, OBS_PROMETHEUS_KEY: ")
    assert line.endswith("; the certificate of before stays")


@pytest.mark.parametrize(
    ("left_out", "changed", "problem"),
    one_in(
        3,
        [
            ("OBS_PROMETHEUS_KEY", {}, "OBS_PROMETHEUS_KEY is not set, but OBS_PROMETHEUS_CERTIFICATE is"),
            ("OBS_PROMETHEUS_CERTIFICATE", {}, "OBS_PROMETHEUS_CERTIFICATE is not set, but OBS_PROMETHEUS_KEY is"),
            ("", {"OBS_PROMETHEUS_KEY": "missing.pem"}, "a readable PEM file (No such file or directory)"),
            ("", {"OBS_PROMETHEUS_CERTIFICATE": "authority.pem"}, "KEY_VALUES_MISMATCH"),
            ("", {"OBS_PROMETHEUS_CLIENT_CERTIFICATES": "endpoint-key.pem"}, "OBS_PROMETHEUS_CLIENT_CERTIFICATES: "),
            ("", {"OBS_PROMETHEUS_CLIENT_CERTIFICATES": "missing.pem"}, "OBS_PROMETHEUS_CLIENT_CERTIFICATES: "),
        ],
    ),
)
def test_tls_that_is_half_set_opens_no_endpoint(
    tmp_path: Path, left_out: str, changed: dict[str, str], problem: str
) -> None:
    authority(tmp_path)
    settings = written(tmp_path) | {name: tmp_path / file for name, file in changed.items()}
    settings.pop(left_out, None)
    refused(tmp_path, settings, problem)


def test_client_certificates_alone_open_no_endpoint(tmp_path: Path) -> None:
    settings = {"OBS_PROMETHEUS_CLIENT_CERTIFICATES": authority(tmp_path)}
    refused(tmp_path, settings, "OBS_PROMETHEUS_CERTIFICATE is not set, but OBS_PROMETHEUS_CLIENT_CERTIFICATES is")


def test_an_encrypted_key_is_one_line_and_no_question_at_the_terminal(tmp_path: Path) -> None:
    refused(tmp_path, written(tmp_path, encrypted=True), "a readable PEM file (")


def refused(folder: Path, settings: dict[str, Any], problem: str) -> None:
    with serving(folder, **settings) as agent:
        assert not is_served(agent.port)
    [line] = agent.lines
    assert problem in line
    assert line.endswith("; metrics are not served to Prometheus")
