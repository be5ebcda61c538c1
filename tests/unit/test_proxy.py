"""Which proxy the environment names, in the words of curl's and requests' users."""

from __future__ import annotations

import pytest

from obs_run.base import guard
from obs_run.pipeline.proxy import Proxy, proxy_for

PLAIN = Proxy("proxy", 3128, {})
AT = "http://proxy:3128"


@pytest.mark.parametrize(
    ("environ", "address", "expected"),
    [
        ({}, "http://host:4318", None),
        ({"http_proxy": AT}, "http://host:4318", PLAIN),
        ({"HTTP_PROXY": AT}, "http://host:4318", PLAIN),
        ({"HTTP_PROXY": AT, "http_proxy": "http://other:1"}, "http://host:4318", Proxy("other", 1, {})),
        ({"HTTP_PROXY": AT, "REQUEST_METHOD": "GET"}, "http://host:4318", None),
        ({"HTTP_PROXY": AT}, "https://host:4318", None),
        ({"HTTPS_PROXY": AT}, "https://host:4318", PLAIN),
        ({"ALL_PROXY": AT}, "https://host:4318", PLAIN),
        ({"HTTP_PROXY": "proxy:3128"}, "http://host:4318", PLAIN),
        ({"HTTP_PROXY": "http://proxy"}, "http://host:4318", Proxy("proxy", 80, {})),
        ({"HTTP_PROXY": "http://[::2]:99"}, "http://host:4318", Proxy("::2", 99, {})),
        ({"HTTP_PROXY": AT}, "http://localhost:4318", None),
        ({"HTTP_PROXY": AT}, "http://127.0.0.9:4318", None),
        ({"HTTP_PROXY": AT, "NO_PROXY": "*"}, "http://host:4318", None),
        ({"HTTP_PROXY": AT, "NO_PROXY": "other, host"}, "http://host:4318", None),
        ({"HTTP_PROXY": AT, "NO_PROXY": "other host"}, "http://HOST:4318", None),
        ({"HTTP_PROXY": AT, "NO_PROXY": "ost"}, "http://host:4318", PLAIN),
        ({"HTTP_PROXY": AT, "NO_PROXY": ".example.com"}, "http://a.example.com:4318", None),
        ({"HTTP_PROXY": AT, "NO_PROXY": "example.com"}, "http://a.example.com:4318", None),
        ({"HTTP_PROXY": AT, "NO_PROXY": "*.example.com"}, "http://a.example.com:4318", None),
        ({"HTTP_PROXY": AT, "NO_PROXY": "example.com"}, "http://badexample.com:4318", PLAIN),
        ({"HTTP_PROXY": AT, "NO_PROXY": "host:4318"}, "http://host:4318", None),
        ({"HTTP_PROXY": AT, "NO_PROXY": "host:4317"}, "http://host:4318", PLAIN),
        ({"HTTP_PROXY": AT, "NO_PROXY": "10.0.0.0/8"}, "http://10.1.2.3:4318", None),
        ({"HTTP_PROXY": AT, "NO_PROXY": "10.0.0.0/8"}, "http://11.1.2.3:4318", PLAIN),
        ({"HTTP_PROXY": AT, "NO_PROXY": "fd00::/8"}, "http://[fd00::1]:4318", None),
        ({"HTTP_PROXY": AT, "no_proxy": "host"}, "http://host:4318", None),
    ],
)
def test_which_proxy(environ: dict[str, str], address: str, expected: Proxy | None) -> None:
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    assert proxy_for(parts.scheme, parts.hostname or "", parts.port or 0, environ) == expected


@pytest.mark.parametrize("text", ["socks5://me:secret@proxy:1080", "https://proxy", "http://", "http://proxy:99999"])
def test_what_is_no_http_proxy_is_said_without_its_password(
    text: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(guard, "_said", set())
    assert proxy_for("http", "host", 4318, {"http_proxy": text}) is None
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("HTTP_PROXY: ")
    assert "secret" not in caplog.text
