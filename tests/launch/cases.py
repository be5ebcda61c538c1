"""The programs that the launcher is tried with: one case for each row of the table in docs/launcher.md."""

# ruff: noqa: E501 (one case on one line reads as the table that it is)
from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent

PRELUDE = """\
import os, signal, sys, threading, time
from opentelemetry import trace

def span(name):
    with trace.get_tracer("case").start_as_current_span(name):
        pass

"""


@dataclass(frozen=True)
class Case:
    """A program, how it is started, and what must come of it."""

    name: str
    happens: str
    program: str
    spans: tuple[str, ...] = ("work",)
    """Names of the spans that arrive, in any order, besides those of runs."""
    command: tuple[str, ...] = ("{obs-run}", "{python}", "agent.py")
    send: int = 0
    """The signal sent once the program has printed a line "ready"."""
    runs: int = 1
    """How many run spans arrive."""
    stdin: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    one_trace: bool = True

    def source(self) -> str:
        """Return the program's text."""
        return PRELUDE + dedent(self.program)


_OBS = ("{obs-run}",)
_READY = "print('ready', flush=True)\n"
_CLEAR = "from multiprocessing import get_context\n"

WAYS_IN = (
    Case("python agent.py", "traced", "span('work')"),
    Case("agent.py", "traced, by the launcher's own interpreter", "span('work')", command=(*_OBS, "agent.py", "a", "b")),
    Case("python -m module", "traced", "span('work')", command=(*_OBS, "{python}", "-m", "agent", "x")),
    Case("-m module", "traced, by the launcher's own interpreter", "span('work')", command=(*_OBS, "-m", "agent")),
    Case("python -c code", "traced", "", command=(*_OBS, "{python}", "-c", PRELUDE + "span('work')")),
    Case("-c code", "traced, by the launcher's own interpreter", "", command=(*_OBS, "-c", PRELUDE + "span('work')")),
    Case("python, program on standard input", "traced", "", command=(*_OBS, "{python}", "-"), stdin=PRELUDE + "span('work')"),
    Case("-, program on standard input", "traced", "", command=(*_OBS, "-"), stdin=PRELUDE + "span('work')"),
    Case("executable script with a first line for Python", "traced", "span('work')", command=(*_OBS, "./agent")),
    Case("zipapp", "traced", "span('work')", command=(*_OBS, "{python}", "agent.pyz")),
    Case("folder with a __main__.py", "traced", "span('work')", command=(*_OBS, "{python}", "package")),
    Case("sh -c 'python agent.py'", "traced", "span('work')", command=(*_OBS, "sh", "-c", "{python} agent.py; true")),
    Case("python -s -u -Wdefault", "traced", "span('work')",
         command=(*_OBS, "{python}", "-s", "-u", "-Wdefault", "agent.py")),
    Case("obs-run inside obs-run", "traced once", "span('work')", command=(*_OBS, *_OBS, "{python}", "agent.py")),
    Case("obs-run python -m obs_run", "traced once", "span('work')",
         command=("{python}", "-m", "obs_run", "{python}", "agent.py")),
    Case("import obs_run.auto", "traced, without a launcher", "span('work')",
         command=("{python}", "-c", "import obs_run.auto\n" + PRELUDE + "span('work')")),
    Case("random.py in the working directory", "traced; the file is not imported", "import random; random.random(); span('work')",
         command=(*_OBS, "{python}", "sub/agent.py"), files={"random.py": "raise SystemExit('wrong random')"}),
    Case("user's sitecustomize", "traced; theirs runs, and is the one in sys.modules",
         "print(sys.modules['sitecustomize'].MINE); span('work')",
         environment={"PYTHONPATH": "site"}, files={"site/sitecustomize.py": "MINE = 'mine'\nprint('customized')"}),
    Case("user's usercustomize", "traced; theirs runs", "span('work')",
         environment={"PYTHONPATH": "site", "PYTHONUSERBASE": "."}, files={"site/usercustomize.py": "print('customized')"}),
    Case("user's sitecustomize that fails", "traced; the same message as without obs-run", "span('work')",
         environment={"PYTHONPATH": "site"}, files={"site/sitecustomize.py": "1 / 0"}),
    Case("user's sitecustomize that ends Python", "untraced; the same traceback as without obs-run", "span('work')", (),
         environment={"PYTHONPATH": "site"}, files={"site/sitecustomize.py": "raise SystemExit(3)"}, runs=0),
    Case("python -E", "untraced, unless the hook is installed", "span('work')", (), (*_OBS, "{python}", "-E", "agent.py"), runs=0),
    Case("python -I", "untraced, unless the hook is installed", "span('work')", (), (*_OBS, "{python}", "-I", "agent.py"), runs=0),
    Case("python -S", "untraced", "print('ran')", (), (*_OBS, "{python}", "-S", "-c", "print('ran')"), runs=0),
    Case("OTEL_SDK_DISABLED=true", "untraced", "span('work')", (), environment={"OTEL_SDK_DISABLED": "true"}, runs=0),
    Case("a program that is not Python", "untouched", "", (), (*_OBS, "sh", "-c", "echo $0 $1; exit 3", "x", "a b"), runs=0),
)  # fmt: skip

ENDS = (
    Case("normal end", "all arrives", "span('work')"),
    Case("sys.exit(3)", "all arrives, exit code 3", "span('work'); sys.exit(3)"),
    Case("raise SystemExit('text')", "all arrives, exit code 1", "span('work'); raise SystemExit('text')"),
    Case("unhandled exception", "all arrives, exit code 1", "span('work'); 1 / 0"),
    Case("unhandled exception, own excepthook", "all arrives; the hook runs",
         "sys.excepthook = lambda *a: print('mine', a[0]); span('work'); 1 / 0"),
    Case("SIGTERM", "all arrives, killed by SIGTERM", "span('work')\n" + _READY + "time.sleep(30)", send=15),
    Case("SIGHUP", "all arrives, killed by SIGHUP", "span('work')\n" + _READY + "time.sleep(30)", send=1),
    Case("SIGINT", "all arrives, killed by SIGINT; finally runs",
         "span('work')\n" + "try:\n    print('ready', flush=True); time.sleep(30)\nfinally:\n    print('cleaned')", send=2),
    Case("SIGTERM handled by the agent", "all arrives; the agent's handler runs",
         "signal.signal(15, lambda *_: sys.exit(5)); span('work')\n" + _READY + "time.sleep(30)", send=15),
    Case("SIGTERM ignored by the agent", "all arrives; SIGTERM stays ignored",
         "signal.signal(15, signal.SIG_IGN); span('work')\n" + _READY + "time.sleep(1)", send=15),
    Case("SIGTERM, asyncio with its own handler", "all arrives", """
        import asyncio
        async def main():
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(15, stop.set)
            span('work')
            print('ready', flush=True)
            await stop.wait()
        asyncio.run(main())
        """, send=15),
    Case("os._exit(4)", "all arrives, exit code 4", "span('work'); sys.stdout.flush(); os._exit(4)"),
    Case("os._exit in a thread", "all arrives", """
        span('work')
        threading.Thread(target=lambda: os._exit(6)).start()
        time.sleep(30)
        """),
    Case("os.execv", "all arrives; the next program is traced, in the same trace", """
        if 'again' in sys.argv:
            span('after')
        else:
            span('work')
            os.execv(sys.executable, [sys.executable, 'agent.py', 'again'])
        """, ("work", "after"), runs=2),
    Case("os.execvp", "all arrives; one flush, though PATH is searched", """
        span('work')
        os.execvp('echo', ['echo', 'hello'])
        """),
    Case("os.execv that fails", "all arrives; the agent goes on", """
        span('work')
        try:
            os.execv('/nonexistent', ['x'])
        except OSError as error:
            print(type(error))
        span('after')
        """, ("work", "after")),
    Case("span made in atexit", "all arrives", "import atexit; atexit.register(span, 'last'); span('work')", ("work", "last")),
    Case("thread that outlives the main thread", "all arrives",
         "threading.Thread(target=lambda: (time.sleep(.3), span('last'))).start(); span('work')", ("work", "last")),
    Case("open span, normal end", "arrives, ended and marked", "trace.get_tracer('x').start_span('work')"),
    Case("open span, SIGTERM", "arrives, ended and marked",
         "keep = trace.get_tracer('x').start_span('work')\n" + _READY + "time.sleep(30)", send=15),
    Case("open span, os._exit", "arrives, ended and marked", "keep = trace.get_tracer('x').start_span('work'); os._exit(0)"),
)  # fmt: skip

_WORKER = "def work(n):\n    span('child')\n    return n\n"


def _pool(method: str, body: str) -> str:
    return (
        _WORKER
        + f"if __name__ == '__main__':\n    context = {_CLEAR.strip().split()[-1]}('{method}')\n    span('work')\n    {body}\n"
    )


def _multiprocessing(name: str, method: str, body: str, children: int = 1) -> Case:
    program = _CLEAR + "from concurrent.futures import ProcessPoolExecutor\n" + _pool(method, body)
    return Case(name, "children's spans arrive, in the parent's trace", program, ("work", *["child"] * children))


_PROCESS = "p = context.Process(target=work, args=(1,)); p.start(); p.join()"
_POOL = "with context.Pool(2) as pool: print(pool.map(work, [1, 2, 3]))"
_EXECUTOR = "with ProcessPoolExecutor(2, mp_context=context) as pool: print(list(pool.map(work, [1, 2, 3])))"
_SUBPROCESS = "import subprocess\nif 'child' in sys.argv: span('child'); sys.exit(7)\nspan('work')\n"
_CHILD = "[sys.executable, 'agent.py', 'child']"

CHILDREN = (
    Case("subprocess, environment inherited", "traced, in the parent's trace",
         _SUBPROCESS + f"print(subprocess.run({_CHILD}).returncode)", ("work", "child"), runs=2),
    Case("subprocess, copy of the environment", "traced, in the parent's trace",
         _SUBPROCESS + f"print(subprocess.run({_CHILD}, env=dict(os.environ, A='1')).returncode)", ("work", "child"), runs=2),
    Case("subprocess, PYTHONPATH replaced in a copy", "traced, in the parent's trace",
         _SUBPROCESS + f"print(subprocess.run({_CHILD}, env=dict(os.environ, PYTHONPATH='x')).returncode)", ("work", "child"), runs=2),
    Case("subprocess, environment cleared", "untraced; nothing is added to it", _SUBPROCESS + f"print(subprocess.run({_CHILD}, env={{}}).returncode)"),
    Case("subprocess under an open span", "the child's run is below that span", _SUBPROCESS
         + f"with trace.get_tracer('x').start_as_current_span('around'):\n    subprocess.run({_CHILD})",
         ("work", "around", "child"), runs=2),
    Case("asyncio subprocess", "traced, in the parent's trace", _SUBPROCESS + "import asyncio\n"
         "async def main():\n    p = await asyncio.create_subprocess_exec(sys.executable, 'agent.py', 'child')\n    print(await p.wait())\nasyncio.run(main())",
         ("work", "child"), runs=2),
    Case("os.fork, child ends by sys.exit", "all arrives", """
        span('work')
        if os.fork() == 0:
            span('child')
            sys.exit(0)
        print(os.wait()[1])
        """, ("work", "child")),
    Case("os.fork, child ends by os._exit", "all arrives", """
        span('work')
        if os.fork() == 0:
            span('child')
            os._exit(0)
        print(os.wait()[1])
        """, ("work", "child")),
    Case("os.fork before the first span", "all arrives", """
        if os.fork() == 0:
            span('child')
            os._exit(0)
        print(os.wait()[1])
        span('work')
        """, ("work", "child")),
    Case("os.fork, child killed by SIGTERM", "all arrives", """
        span('work')
        ready, done = os.pipe()
        pid = os.fork()
        if pid == 0:
            span('child')
            os.write(done, b'x')
            time.sleep(30)
        os.read(ready, 1)
        os.kill(pid, 15)
        print(os.wait()[1])
        """, ("work", "child")),
    *(_multiprocessing(f"multiprocessing {method}", method, _PROCESS) for method in ("fork", "spawn", "forkserver")),
    *(_multiprocessing(f"multiprocessing Pool, {method}", method, _POOL, 3) for method in ("fork", "spawn", "forkserver")),
    *(_multiprocessing(f"ProcessPoolExecutor, {method}", method, _EXECUTOR, 3) for method in ("fork", "spawn", "forkserver")),
)  # fmt: skip

CASES = (*WAYS_IN, *ENDS, *CHILDREN)
