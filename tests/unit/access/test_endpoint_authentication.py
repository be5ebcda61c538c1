"""The Prometheus endpoint of a real agent, asked with and without passwords and tokens."""

from __future__ import annotations

import base64
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.examples import one_in
from tests.unit.access.serving import basic, bearer, is_served, serving

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2-and-more"


def secret_file(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "secrets.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def scrypt(password: str, cost: int = 14) -> str:
    def shown(data: bytes) -> str:
        return base64.b64encode(data).decode().rstrip("=")

    made = hashlib.scrypt(password.encode(), salt=b"0123456789", n=1 << cost, r=8, p=1, maxmem=1 << 28)
    return f"$scrypt$ln={cost},r=8,p=1${shown(b'0123456789')}${shown(made[:32])}"


def test_users_are_asked_for_their_password(tmp_path: Path) -> None:
    users = secret_file(tmp_path, f"# who scrapes\nprometheus:{SECRET}:with a colon\n\nzoë:päss\n")
    with serving(tmp_path, OBS_PROMETHEUS_USERS_FILE=users) as agent:
        status, headers, page = agent.answer()
        assert (status, page) == (401, "")
        assert headers.get_all("WWW-Authenticate") == ['Basic realm="metrics", charset="UTF-8"']
        assert headers["Server"].strip() == "obs-run"
        status, page = agent.ask(basic("prometheus", f"{SECRET}:with a colon"))
        assert status == 200
        assert 'jobs_total{kind="small"' in page
        assert agent.ask(basic("zoë", "päss"))[0] == 200
        for wrong in (
            basic("prometheus", SECRET),
            basic("prometheus", ""),
            basic("someone", f"{SECRET}:with a colon"),
            basic("", ""),
            bearer(SECRET),
            {"Authorization": "Basic"},
            {"Authorization": "Basic ÿ"},
            {"Authorization": "Basic " + base64.b64encode(b"prometheus").decode()},
            {"Authorization": f"Digest {SECRET}"},
        ):
            assert agent.ask(wrong)[0] == 401, wrong
    assert agent.err == ""


def test_a_password_may_be_kept_as_scrypt(tmp_path: Path) -> None:
    users = secret_file(tmp_path, f"prometheus:{scrypt(SECRET)}\n")
    with serving(tmp_path, OBS_PROMETHEUS_USERS_FILE=users) as agent:
        for _ in range(3):
            assert agent.ask(basic("prometheus", SECRET))[0] == 200
            assert agent.ask(basic("prometheus", SECRET + "r"))[0] == 401
        assert agent.ask(basic("prometheus", scrypt(SECRET)))[0] == 401
    assert agent.err == ""


def test_tokens_and_users_may_be_named_together(tmp_path: Path) -> None:
    users = secret_file(tmp_path, f"prometheus:{SECRET}\n")
    tokens = tmp_path / "tokens.txt"
    tokens.write_text("first-token\r\n  second-token\n")
    tokens.chmod(0o600)
    with serving(tmp_path, OBS_PROMETHEUS_USERS_FILE=users, OBS_PROMETHEUS_TOKENS_FILE=tokens) as agent:
        status, headers, _ = agent.answer(bearer("third-token"))
        assert (status, len(headers.get_all("WWW-Authenticate", []))) == (401, 2)
        for right in (bearer("first-token"), {"Authorization": "bearer  second-token"}, basic("prometheus", SECRET)):
            assert agent.ask(right)[0] == 200
        assert agent.ask(basic("prometheus", "first-token"))[0] == 401
        assert agent.ask(bearer(""))[0] == 401
    assert agent.err == ""


def test_a_changed_file_counts_from_the_next_question_on(tmp_path: Path) -> None:
    tokens = secret_file(tmp_path, "token-1\n")
    with serving(tmp_path, OBS_PROMETHEUS_TOKENS_FILE=tokens) as agent:
        assert agent.ask(bearer("token-1"))[0] == 200
        secret_file(tmp_path, "token-2\n")
        assert [agent.ask(bearer(token))[0] for token in ("token-1", "token-2")] == [401, 200]
        tokens.unlink()
        assert agent.ask(bearer("token-2"))[0] == 401
        assert agent.ask()[0] == 401
        secret_file(tmp_path, "")
        assert agent.ask(bearer("token-2"))[0] == 401
        secret_file(tmp_path, "token-3\n")
        assert agent.ask(bearer("token-3"))[0] == 200
    mended = "; until it is mended nobody gets metrics with it"
    assert agent.lines == [
        f"OBS_PROMETHEUS_TOKENS_FILE: {tokens} cannot be read (No such file or directory){mended}",
        f"OBS_PROMETHEUS_TOKENS_FILE: {tokens} has no token{mended}",
    ]


BCRYPT = "$2y$10$abcdefghijklmnopqrstuuWJkPqGh7zv4oZlGmnSxYbq7x2V8q5bK"


@pytest.mark.parametrize(
    ("setting", "content", "problem"),
    one_in(
        3,
        [
        ("OBS_PROMETHEUS_USERS_FILE", None, "cannot be read (No such file or directory)"),
        ("OBS_PROMETHEUS_USERS_FILE", "", "has no line user:password"),
        ("OBS_PROMETHEUS_USERS_FILE", "# nobody\n", "has no line user:password"),
        ("OBS_PROMETHEUS_USERS_FILE", f"a:b\n{SECRET}\n", "line 2 is not user:password"),
        ("OBS_PROMETHEUS_USERS_FILE", f":{SECRET}\n", "line 1 is not user:password"),
        ("OBS_PROMETHEUS_USERS_FILE", f"a:{BCRYPT}\n", "line 1 has a hash of an unknown kind"),
        ("OBS_PROMETHEUS_USERS_FILE", "a:{SHA}" + SECRET, "line 1 has a hash of an unknown kind"),
        ("OBS_PROMETHEUS_USERS_FILE", f"a:{scrypt(SECRET, 4)}\nb:$scrypt$ln=30,r=8,p=1$YWJj${'a' * 43}\n",
         "line 2 has a scrypt hash that takes too much to check"),
        ("OBS_PROMETHEUS_USERS_FILE", f"a:{SECRET}\nb:\xff".encode("latin-1"), "line 2 is not UTF-8"),
        ("OBS_PROMETHEUS_TOKENS_FILE", f"one\n{SECRET} two\n", "line 2 is not one token"),
        ("OBS_PROMETHEUS_TOKENS_FILE", "\n\n", "has no token"),
        ("OBS_PROMETHEUS_TOKENS_FILE", "x" * ((1 << 20) + 1), "is larger than 1 MiB"),
        ],
    ),
)  # fmt: skip
@pytest.mark.sampled
def test_a_file_that_does_not_do_opens_no_endpoint(
    tmp_path: Path, setting: str, content: str | bytes | None, problem: str
) -> None:
    path = tmp_path / "missing.txt" if content is None else secret_file(tmp_path, content)
    settings: dict[str, Any] = {setting: path}
    with serving(tmp_path, **settings) as agent:
        assert not is_served(agent.port)
    [line] = agent.lines
    assert line.startswith(f"{setting}: {path} {problem}")
    assert line.endswith("; metrics are not served to Prometheus")
    assert SECRET not in line


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_opens_no_endpoint_and_holds_nobody_up(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd"
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path, 0o600)
    with serving(tmp_path, OBS_PROMETHEUS_TOKENS_FILE=path) as agent:
        assert not is_served(agent.port)
    [line] = agent.lines
    assert line == f"OBS_PROMETHEUS_TOKENS_FILE: {path} is not a file; metrics are not served to Prometheus"


def test_a_file_open_to_everybody_is_served_and_said(tmp_path: Path) -> None:
    tokens = secret_file(tmp_path, "token\n", 0o644)
    with serving(tmp_path, OBS_PROMETHEUS_TOKENS_FILE=tokens) as agent:
        assert agent.ask(bearer("token"))[0] == 200
    [line] = agent.lines
    assert line == (
        f"OBS_PROMETHEUS_TOKENS_FILE: {tokens} is open to every user of this machine (mode 0644); "
        "chmod 600 would close it"
    )


def test_many_scrapes_at_once_each_get_a_whole_page(tmp_path: Path) -> None:
    with serving(tmp_path) as agent, ThreadPoolExecutor(8) as asking:
        answers = list(asking.map(lambda _: agent.ask(), range(40)))
    for status, page in answers:
        assert status == 200
        assert [line for line in page.splitlines() if line.startswith("jobs_total")] != []
        assert page.count("# TYPE jobs_total counter") == 1
    assert agent.err == ""


def test_a_collector_of_the_agents_that_fails_is_one_line_and_no_page(tmp_path: Path) -> None:
    with serving(tmp_path) as agent:
        agent.do("def fail(self=None): raise KeyError('broken')")
        agent.do("import prometheus_client")
        agent.do("broken = type('C', (), {'collect': fail, 'describe': lambda self: []})()")
        agent.do("prometheus_client.REGISTRY.register(broken)")
        assert agent.ask() == (500, "")
        assert agent.ask() == (500, "")
    assert agent.lines == ["Prometheus endpoint failed and was skipped: KeyError: 'broken'"]
