from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from tests.unit.view.serving import TOKEN

if TYPE_CHECKING:
    from tests.unit.view.serving import Viewer

PATHS = (
    "/",
    "/trace/1",
    "/data/traces",
    "/data/version",
    "/static/app.js",
    "/api/v3/services",
    "/api/traces",
    "/nothing",
)


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_answered_without_the_token(viewer: Viewer, path: str) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic !!!"},
        {"Cookie": f"obs_view_{viewer.port}=wrong"},
        {"Cookie": f"obs_view_1={TOKEN}"},
        {"Cookie": "\x01=;;;"},
    ):
        answer = viewer.ask(path, headers)
        assert answer.status == 401
        assert b"obsctl view printed" in answer.body


def test_the_address_signs_in_and_the_token_leaves_it(viewer: Viewer) -> None:
    answer = viewer.ask(f"/trace/1?view=conversation&token={TOKEN}")
    assert answer.status == 303
    assert answer.headers["location"] == "/trace/1?view=conversation"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"obs_view_{viewer.port}={TOKEN};")
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
    assert viewer.ask("/", {"Cookie": cookie.partition(";")[0]}).status == 200


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example/", "///evil.example"])
def test_signing_in_leads_to_no_other_host(viewer: Viewer, path: str) -> None:
    place = viewer.ask(f"{path}?token={TOKEN}").headers["location"]
    assert place.startswith("/evil.example")


@pytest.mark.parametrize("scheme", [f"Bearer {TOKEN}", "Basic " + b64encode(f"grafana:{TOKEN}".encode()).decode()])
def test_programs_send_the_token_in_a_header(viewer: Viewer, scheme: str) -> None:
    assert viewer.ask("/api/v3/services", {"Authorization": scheme}).json == {"services": ["agent", "weather"]}


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "", "0.0.0.0", "[::1"],
)
def test_a_name_that_only_leads_here_is_not_answered(viewer: Viewer, host: str) -> None:
    answer = viewer.ask("/data/traces", {"Host": host, "Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 421
    assert b"localhost" in answer.body


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8321", "LOCALHOST"])
def test_loopback_names_are_answered_behind_whatever_port(viewer: Viewer, host: str) -> None:
    assert viewer.ask("/data/version", {"Host": host, "Authorization": f"Bearer {TOKEN}"}).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_it_only_reads(viewer: Viewer, method: str) -> None:
    assert viewer.ask("/data/traces", {"Authorization": f"Bearer {TOKEN}"}, method).status == 405


@pytest.mark.parametrize("path", PATHS)
def test_other_sites_are_let_into_nothing(viewer: Viewer, path: str) -> None:
    answer = viewer.ask(path, {"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/static/../access.py", "/static/%2e%2e/access.py", "/static/..%2faccess.py", "/static/"]
)
def test_no_other_file_is_served(viewer: Viewer, path: str) -> None:
    assert viewer.ask(path, {"Authorization": f"Bearer {TOKEN}"}).status == 404
