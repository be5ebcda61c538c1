"""The command ``obs-run``: it sets the environment of the agent and becomes the agent."""

from __future__ import annotations

import os
import sys

from obs_run.process.variables import add_bootstrap

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from typing import NoReturn

BOOTSTRAP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bootstrap")

USAGE = """\
usage: obs-run [options] [--] program [arguments]

Runs a Python program, or whatever starts one, with telemetry and otherwise unchanged.

  obs-run python agent.py     obs-run agent.py         obs-run -m package
  obs-run uvicorn app:app     obs-run -c 'code'        obs-run - < agent.py

options, each a short way to set one variable of the environment:
  --service-name NAME   OTEL_SERVICE_NAME; else the script's or module's name
  --endpoint URL        OTEL_EXPORTER_OTLP_ENDPOINT; with none telemetry goes to the local store
  --content             OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY: record prompts and answers
  --verbose             OBS_VERBOSE=true: print at the end which libraries were instrumented, and why others were not
  --version             print the version
  --help                print this

All variables: obsctl settings. Telemetry of earlier runs: obsctl list, obsctl show.
"""

_WITH_VALUE = {"--service-name": "OTEL_SERVICE_NAME", "--endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT"}
_FLAGS = {
    "--content": ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY"),
    "--verbose": ("OBS_VERBOSE", "true"),
}
OPTIONS = (*_WITH_VALUE, *_FLAGS)
"""What may stand before the program."""
OF_OBSCTL = ("show", "list", "tail", "doctor", "settings", "spool", "relay", "view")
"""What people take for a command of this program."""
_PYTHON_ENDINGS = (".py", ".pyw", ".pyz", ".pyc")
_VARIABLES = "--variables"
_NEAR = 0.75
_RELAY = "--relay"
"""How the script ``obs-run`` has this command be the relay."""
_WRONG_USE, _NOT_EXECUTABLE, _NOT_FOUND = 2, 126, 127
_ENOEXEC = 8


def main() -> NoReturn:
    """Read the command line, set the environment and become the program."""
    if sys.argv[1:2] == [_RELAY]:
        from obs_run.relay import command

        command.supervise(sys.argv[2])
    environ = dict(os.environ)
    rest = _options(sys.argv[1:], environ)
    add_bootstrap(environ, BOOTSTRAP)
    if environ.get("OBS_RELAY", "").strip().lower() == "on":
        _find_relay(environ)
    _become(_command(rest), environ)


def _find_relay(environ: dict[str, str]) -> None:
    """Have the agent write for the relay of this user, which is begun where none runs."""
    from obs_run.base import guard
    from obs_run.relay import command

    folder = guard.call("relay", command.find_or_begin)
    if folder is not None:
        environ["OBS_RELAY_FOLDER"] = folder


def _options(words: list[str], environ: dict[str, str]) -> list[str]:
    """Turn the leading options into variables and return the words after them."""
    encoded = []
    words.reverse()  # so that the first word is the one to pop
    while words:
        name, has_value, value = words[-1].partition("=")
        if words[-1] in _FLAGS:
            variable, value = _FLAGS[words.pop()]
            environ[variable] = value
        elif name in _WITH_VALUE:
            words.pop()
            if not has_value and not words:
                _stop(_WRONG_USE, f"{name} needs a value")
            environ[_WITH_VALUE[name]] = value if has_value else words.pop()
        elif name == _VARIABLES:
            words.pop()
            encoded.append(value)
        elif words[-1] == "--":
            words.pop()
            break
        else:
            break
    if encoded:
        _restore(environ, "".join(encoded))
    return words[::-1]


def _restore(environ: dict[str, str], encoded: str) -> None:
    """Take over the variables that the shell would have dropped, handed on by the script ``obs-run``."""
    import binascii

    for entry in binascii.a2b_base64(encoded).split(b"\0"):
        name, found, value = entry.partition(b"=")
        if found:
            environ[os.fsdecode(name)] = os.fsdecode(value)


def _command(words: list[str]) -> list[str]:
    """Return the program and its arguments; Python's own options and scripts run under this interpreter."""
    if not words:
        _stop(_WRONG_USE, "no program given; obs-run --help")
    first = words[0]
    if first in ("-h", "--help"):
        sys.stdout.write(USAGE)
        sys.exit(0)
    if first == "--version":
        from obs_run._version import __version__

        sys.stdout.write(f"obs-run {__version__}\n")
        sys.exit(0)
    if first in ("-", "-m", "-c") or _is_script(first):
        return [sys.executable, *words]
    if first.startswith("-"):
        _stop(_WRONG_USE, f"unknown option {first}; {_nearest_option(first) or 'obs-run --help'}")
    return words


def _is_script(word: str) -> bool:
    """Whether ``word`` is for Python to run: a source file, a zipapp, or a folder with a __main__."""
    if os.path.isdir(word):
        return os.path.exists(os.path.join(word, "__main__.py"))
    return word.endswith(_PYTHON_ENDINGS) and not (os.sep not in word and not os.path.exists(word))


def _become(words: list[str], environ: dict[str, str]) -> NoReturn:
    name = words[0]
    try:
        os.execvpe(name, words, environ)  # noqa: S606 (to become the program is the purpose)
    except OSError as error:
        if error.errno == _ENOEXEC:
            # What a shell does with a script that has no first line naming its interpreter.
            os.execve("/bin/sh", ["sh", *words], environ)  # noqa: S606
        if isinstance(error, PermissionError) or (os.sep in name and os.path.exists(name)):
            _stop(_NOT_EXECUTABLE, f"{name}: not executable; for a Python program: obs-run python {name}")
        _stop(_NOT_FOUND, f"{name}: not found{_hint_at_obsctl(name)}")
    raise AssertionError


def _nearest_option(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word.partition("=")[0], (*OPTIONS, "--version", "--help"), 1, _NEAR)
    return f"did you mean {near[0]}?" if near else ""


def _hint_at_obsctl(name: str) -> str:
    """Return what to say of a program that is not there and called like one of our other commands."""
    return f"; did you mean obsctl {name}?" if name in OF_OBSCTL else ""


def _stop(code: int, text: str) -> NoReturn:
    sys.stderr.write(f"obs-run: {text}\n")
    sys.exit(code)
