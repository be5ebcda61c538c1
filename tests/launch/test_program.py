"""What a program is called, read from the interpreter's command line."""

from __future__ import annotations

import sys

import pytest

from obs_run.process import program


@pytest.mark.parametrize(
    ("words", "name", "kind", "server"),
    [
        (["agent.py"], "agent", "script", False),
        (["-u", "-W", "error", "-X", "dev", "dir/agent.py", "-c", "x"], "agent", "script", False),
        (["-m", "package"], "package", "module", False),
        (["-mpackage.tool", "x"], "package.tool", "module", False),
        (["-Im", "package"], "package", "module", False),
        (["-m", "package.__main__"], "package", "module", False),
        (["-c", "pass", "x"], "python", "stdin", False),
        (["-uc", "pass"], "python", "stdin", False),
        (["-"], "python", "stdin", False),
        (["app.pyz", "x"], "app", "zipapp", False),
        (["/venv/bin/tool", "x"], "tool", "command", False),
        (["package/__main__.py"], "package", "script", False),
        (["-c", "from multiprocessing.spawn import spawn_main; spawn_main()"], None, "multiprocessing", False),
        (["/venv/bin/uvicorn", "app:app"], "uvicorn", "command", True),
        (["-m", "gunicorn", "app"], "gunicorn", "module", True),
        (["/venv/bin/celery", "-A", "app", "worker"], "celery", "command", True),
        (["/venv/bin/celery", "-A", "app", "status"], "celery", "command", False),
        (["manage.py", "runserver"], "manage", "script", True),
        (["manage.py", "migrate"], "manage", "script", False),
    ],
)
def test_describe(
    words: list[str],
    name: str | None,
    kind: str,
    server: bool,  # noqa: FBT001 (a test)
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python", *words])
    described = program.describe()
    assert (described.kind, described.server) == (kind, server)
    assert name is None or described.name == name
