"""``obsctl doctor``: what is traced here, what is not and why, and where telemetry goes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run._version import __version__
from obs_run.base.masking import masked, masked_value
from obs_run.cli import access, coverage, diagnosis, own_code, privacy, retention, terminal, words
from obs_run.cli.finding import Finding
from obs_run.cli.settings import more_problems, unknown
from obs_run.launch import vendor_telemetry
from obs_run.runtime import destinations
from obs_run.sdk import config_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

_SIGNALS = ("traces", "metrics", "logs")
_RESULTS = {"ok": "ok", "-": "off", "!": "warning", "FAIL": "failure"}
_STYLES = {"ok": "green", "-": "dim", "!": "yellow", "FAIL": "bold red"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--send", action="store_true", help="send a test span to each OTLP endpoint (waits at most 2 s)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 if one of them is FAIL."""
    sections: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("This installation", _installation),
        ("Libraries", _libraries),
        ("Where telemetry goes", lambda: _destinations(send=args.send)),
        ("What libraries send to their vendors", _vendors),
        ("What is taken out of it", privacy.findings),
        ("How long it stays on this machine", retention.findings),
        ("Own code (OBS_WRAP)", own_code.findings),
        ("Launcher", _launcher),
        ("Settings", _settings),
    ]
    failed = False
    for title, find in sections:
        findings = [Finding(mark, about, masked(text)) for mark, about, text in find()]
        failed |= any(finding.mark == "FAIL" for finding in findings)
        if args.json:
            _print_json(title, findings)
        else:
            _print(title, findings)
    return 1 if failed else 0


def _print_json(title: str, findings: list[Finding]) -> None:
    import json

    for mark, about, text in findings:
        print(json.dumps({"section": title, "result": _RESULTS[mark], "about": about, "text": text}))


def _print(title: str, findings: list[Finding]) -> None:
    if not terminal.is_terminal():
        print(f"# {title}")
        for finding in findings:
            print(f"{finding.mark:<4} {finding.about}: {finding.text}")
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(title, "bold"))
    for finding in findings:
        text = Text().append(f"  {finding.mark:<4} ", _STYLES[finding.mark])
        console.print(text.append(finding.about).append(f"  {finding.text}", "dim"), soft_wrap=True)


def _installation() -> Iterator[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", "obs-run", f"{__version__} on Python {python}, {sys.prefix}")
    for name, version, wanted in diagnosis.requirements("obs-run"):
        if not name.startswith("opentelemetry"):
            continue
        if version is None:
            yield Finding("FAIL", name, f"not installed; wanted {wanted}")
        elif not diagnosis.fits(version, wanted):
            yield Finding("FAIL", name, f"{version} is installed; wanted {wanted}")
        else:
            yield Finding("ok", name, version)


def _libraries() -> Iterator[Finding]:
    if settings.lookup("OTEL_SDK_DISABLED").value:
        yield Finding("!", "everything", "OTEL_SDK_DISABLED is set: agents run untouched")
    libraries = coverage.libraries()
    for library in libraries:
        yield Finding(library.mark, library.name, library.text)
    if not any(library.mark == "ok" for library in libraries):
        yield Finding("-", "libraries", "none that obs-run instruments is installed in this environment")


def _destinations(*, send: bool) -> Iterator[Finding]:
    file = settings.lookup("OTEL_CONFIG_FILE").value
    if file:
        problem = config_file.unreadable(file)
        text = "set: providers are built from that file, not from the variables here"
        yield Finding("FAIL" if problem else "!", "OTEL_CONFIG_FILE", problem or text)
    yield from access.secret_files()
    for signal in _SIGNALS:
        names = destinations.names(signal)
        if not names or names == ("none",):
            yield Finding("-", signal, "none")
        for name in names:
            yield from _destination(signal, name, send=send)


def _destination(signal: str, name: str, *, send: bool) -> Iterator[Finding]:
    if name == "store":
        yield _store(signal)
    elif name == "otlp":
        url, protocol = diagnosis.endpoint(signal)
        yield Finding("ok", signal, f"otlp ({protocol}) to {masked_value(url)}")
        problems = list(access.otlp(signal, url))
        yield from problems
        if protocol == "grpc" and not diagnosis.installed("opentelemetry-exporter-otlp-proto-grpc"):
            yield Finding("FAIL", signal, "OTLP over grpc needs: pip install 'obs-run[grpc]'")
        elif not (send and signal == "traces"):
            if not problems:
                yield from _unreachable(signal)
        else:
            problem = diagnosis.send_test_span(url, protocol)
            yield Finding(
                "FAIL" if problem else "ok",
                "test span",
                masked(problem) if problem else f"taken by {masked_value(url)}",
            )
    elif name == "prometheus":
        yield access.prometheus(signal)
    elif name != "none":
        yield Finding("ok", signal, name)


def _unreachable(signal: str) -> Iterator[Finding]:
    why = diagnosis.unreachable(signal)
    if why:
        kept = "what it does not take waits in the spool" if settings.lookup("OBS_SPOOL").value else "nothing arrives"
        yield Finding("!", signal, f"nothing answers there at this moment ({words.one_line(masked(why))}); {kept}")


def _vendors() -> Iterator[Finding]:
    is_off = settings.lookup(vendor_telemetry.SETTING).value == "off"
    found = [name for name in vendor_telemetry.SWITCHES if diagnosis.installed(name) is not None]
    for name in found:
        variables = list(vendor_telemetry.state_of(name))
        told = [f"{variable}={value}" for variable, value in variables if value is not None]
        if told:
            yield Finding("ok", name, f"as set: {', '.join(told)}")
        elif is_off:
            yield Finding("ok", name, f"nothing, by {vendor_telemetry.SETTING}")
        elif name in vendor_telemetry.ONLY_WHEN_ASKED:
            yield Finding("ok", name, f"nothing, unless {variables[0][0]} says so")
        else:
            yield Finding("-", name, f"what it does by itself; {vendor_telemetry.SETTING}=off switches that off")
    if not found:
        yield Finding("ok", "libraries", "none that is known to send anything is installed")


def _store(signal: str) -> Finding:
    from obs_run.store.location import default_path
    from obs_run.store.reader import Reader
    from obs_run.store.schema import StoreError

    path = default_path()
    problem = diagnosis.not_writable(path)
    if problem:
        return Finding("FAIL", signal, f"local store {path}: {problem}")
    if not path.exists():
        return Finding("ok", signal, f"local store {path} (not there yet)")
    try:
        with Reader(path) as reader:
            traces, spans, size = reader.size()
    except StoreError as error:
        return Finding("FAIL", signal, str(error))
    limit = settings.lookup("OBS_STORE_MAX_BYTES").value
    contents = (
        f"{words.count(traces, 'trace')}, {words.count(spans, 'span')}, {words.a_size(size)} of {words.a_size(limit)}"
    )
    return Finding("ok", signal, f"local store {path}: {contents}")


_PATCHES = (
    ("OBS_HANDLE_SIGTERM", "flush on SIGTERM, where the agent has no handler"),
    ("OBS_HANDLE_SIGHUP", "flush on SIGHUP, where the agent has no handler"),
    ("OBS_HANDLE_OS_EXIT", "os._exit flushes first"),
    ("OBS_HANDLE_SYS_EXIT", "the code given to sys.exit, exit and quit is noticed"),
    ("OBS_HANDLE_EXEC", "os.execv and os.execve flush first"),
    ("OBS_PROPAGATE_CHILDREN", "subprocess, multiprocessing and MCP stdio children get the current trace"),
    ("OBS_PROPAGATE_THREADS", "threads and work given to thread pools get the current context"),
    ("OBS_LOGS", "records of the logging module are exported"),
    ("OBS_RUN_SPAN", "a script's run is one span, with the exit code where it can be known"),
)


def _launcher() -> Iterator[Finding]:
    from obs_run.launch import hook

    files = hook.installed()
    if files:
        yield Finding("ok", "hook", f"installed: {', '.join(files)}")
    else:
        lost = "children that lose the environment are not traced"
        yield Finding("-", "hook", f"not installed; {lost}: obsctl install-hook")
    for name, sentence in _PATCHES:
        on = bool(settings.lookup(name).value)
        yield Finding("ok" if on else "-", name, sentence if on else f"off: {sentence}")


def _settings() -> Iterator[Finding]:
    # What is wrong with OBS_PRIVACY stands in the section of its own, too.
    names = (*more_problems(), *unknown(os.environ))
    problems = [("FAIL", problem) for problem in settings.problems()] + [("!", name) for name in names]
    for mark, problem in problems:
        name, _, text = problem.partition(": ")
        yield Finding(mark, name, words.one_line(text))
    if not problems:
        yield Finding("ok", "variables", "nothing wrong; see obsctl settings")
