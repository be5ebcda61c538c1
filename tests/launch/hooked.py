"""The programs that only the installed hook reaches: one row each in docs/launcher.md."""

from __future__ import annotations

from tests.launch.cases import Case

_OBS = ("{obs-run}",)
_CHILD = "import subprocess\nif 'child' in sys.argv: span('child'); sys.exit(7)\nspan('work')\n"

HOOKED = (
    Case("python -E, hook installed", "traced", "span('work')", command=(*_OBS, "{python}", "-E", "agent.py")),
    Case("python -I, hook installed", "traced", "span('work')", command=(*_OBS, "{python}", "-I", "agent.py")),
    Case("PYTHONPATH replaced in a shell, hook installed", "traced", "span('work')",
         command=(*_OBS, "sh", "-c", "PYTHONPATH=x {python} agent.py")),
    Case("PYTHONPATH removed in a shell, hook installed", "traced", "span('work')",
         command=(*_OBS, "env", "-u", "PYTHONPATH", "{python}", "agent.py")),
    Case("subprocess of python -I, hook installed", "traced, in the parent's trace",
         _CHILD + "print(subprocess.run([sys.executable, '-I', 'agent.py', 'child']).returncode)",
         ("work", "child"), runs=2),
)  # fmt: skip

# What the hook changes nothing about.
UNCHANGED = (
    Case("python agent.py", "traced once", "span('work')"),
    Case("python agent.py without obs-run, hook installed", "untraced", "span('work')", (),
         ("{python}", "agent.py"), runs=0),
    Case("python -S, hook installed", "untraced", "print('ran')", (),
         (*_OBS, "{python}", "-S", "-c", "print('ran')"), runs=0),
    Case("subprocess, environment cleared, hook installed", "untraced",
         _CHILD + "print(subprocess.run([sys.executable, 'agent.py', 'child'], env={}).returncode)"),
)  # fmt: skip
