"""``obsctl``: everything that is not launching an agent. One module a command, imported when it is asked for."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from obs_run.cli.mistake import Mistake, mend, nearest
from obs_run.runtime.start import correct_variables

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

_EXIT_MISTAKE = 2
_EXIT_INTERRUPTED = 130
_ALL = "*"
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)


class Command(NamedTuple):
    """A command: the module that has its ``arguments`` and ``run``, and one sentence."""

    module: str
    sentence: str


COMMANDS = {
    "show": Command("obs_run.cli.show", "Print a trace as a tree: the newest one, or the one named."),
    "list": Command("obs_run.cli.listing", "List the newest traces."),
    "view": Command("obs_run.cli.view", "Show traces, conversations and metrics in a browser, live."),
    "tree": Command("obs_run.cli.span_tree", "Print a trace's spans with self times, critical path and cost."),
    "path": Command("obs_run.cli.path", "Print what the time of a trace went by with: its critical path."),
    "cost": Command("obs_run.cli.cost", "Add up tokens and cost by model, agent, tool, or along a trace's tree."),
    "errors": Command("obs_run.cli.errors", "Print what failed, where it began and how far it went."),
    "map": Command("obs_run.cli.service_map", "Print which services and agents call what, how often and how long."),
    "top": Command("obs_run.cli.top", "Print what agents do now, and renew it."),
    "compare": Command("obs_run.cli.compare", "Compare two traces, or the traces since a moment with those before."),
    "conversation": Command("obs_run.cli.conversation", "Print the turns of a conversation over all of its traces."),
    "logs": Command("obs_run.cli.logs", "Print log lines: of a trace, or the newest."),
    "metrics": Command("obs_run.cli.metrics", "List the metrics, or print the series of one."),
    "sql": Command("obs_run.cli.sql", "Query the local store, read only."),
    "tail": Command("obs_run.cli.tail", "Print spans and log lines as they are recorded."),
    "delete": Command("obs_run.cli.delete", "Delete traces of the local store."),
    "import": Command("obs_run.cli.import_files", "Take OTLP JSON, another store or a Jaeger into the local store."),
    "export": Command("obs_run.cli.export", "Write traces, or all that is recorded, as lines of OTLP JSON."),
    "replay": Command("obs_run.cli.replay", "Send traces, or all that is recorded, to an OTLP endpoint."),
    "check": Command("obs_run.cli.check", "Say whether recorded runs kept their budgets, for scripts and CI."),
    "audit": Command("obs_run.cli.audit", "Verify the audit trail, or print its records."),
    "settings": Command("obs_run.cli.settings", "Print every variable, its value and where that came from."),
    "doctor": Command("obs_run.cli.doctor", "Say what is instrumented, what is not and why, and where telemetry goes."),
    "spool": Command("obs_run.cli.spool", "Say what waits on this disk for an OTLP endpoint, send it, or drop it."),
    "relay": Command("obs_run.cli.relay", "Say how the process is that exports for all agents, and what waits in it."),
    "bridge": Command("obs_run.cli.bridge", "Say what log lines become and why, and propose rules for them."),
    "completion": Command("obs_run.cli.completion", "Print a script by which your shell completes obsctl and obs-run."),
    "hash-password": Command("obs_run.cli.hash_password", "Make a line for OBS_PROMETHEUS_USERS_FILE."),
    "install-hook": Command("obs_run.cli.hook", "Trace every Python process of this environment."),
    "uninstall-hook": Command("obs_run.cli.hook", "Take the hook of install-hook out again."),
}

_PAGED = frozenset(
    {"show", "list", "tree", "path", "cost", "errors", "map", "compare", "conversation", "logs", "metrics", "sql"}
    | {"settings", "doctor"}
)
"""What people read from the beginning; nothing that asks, renews itself or goes on."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``obsctl`` with ``argv`` and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    correct_variables()
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except Mistake as mistake:
        print(f"obsctl: {mistake}", file=sys.stderr)
        return _EXIT_MISTAKE
    except BrokenPipeError:
        # The reader has seen enough.
        _give_up_output()
        return 0
    except OSError as error:
        if error.errno not in _OUTPUT_ERRORS:
            raise
        _give_up_output()
        print(f"obsctl: the output cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    return code


def _give_up_output() -> None:
    """Have Python not fail again when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(words: list[str]) -> int:
    name = next((word for word in words if not word.startswith("-")), None)
    if name is not None and name not in COMMANDS and not words[0].startswith("-"):
        near = nearest(name, COMMANDS)
        raise Mistake(f"no command {name!r}; " + (f"did you mean {near!r}?" if near else "see obsctl --help"))
    arguments = _parser(name if name in COMMANDS else None).parse_args(words)
    # For who asks for the arguments of all commands.
    arguments.make_parser = lambda: _parser(_ALL)
    if arguments.command is None:
        print(_parser(None).format_help(), end="")
        return 0
    from importlib import import_module

    module = import_module(COMMANDS[arguments.command].module)
    if arguments.command not in _PAGED:
        return int(module.run(arguments))
    from obs_run.cli.pager import paged

    with paged():
        return int(module.run(arguments))


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """Return the parser; only the command ``chosen``, or all, has arguments, so that only its module is imported."""
    import argparse

    from obs_run._version import __version__

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            # What a command does not know it leaves to the parser of all.
            of = commands.choices.get(chosen or "", self) if self is parser else self
            raise Mistake(f"{mend(message, of._option_string_actions)} (see {of.prog} --help)")  # noqa: SLF001 (argparse has no other way)

    parser = Parser(prog="obsctl", description="See what your agents did, and how obs-run is set up.")
    parser.add_argument("--version", action="version", version=f"obsctl {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", title="commands")
    for name, command in COMMANDS.items():
        of = commands.add_parser(name, help=command.sentence, description=command.sentence)
        if chosen in (name, _ALL):
            from importlib import import_module

            import_module(command.module).arguments(of)
    return parser
