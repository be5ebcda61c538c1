"""Find each backend on PATH, else make it; as a script: print where each is and how long that took."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.e2e.backends import pins, recipes
from tests.e2e.backends.recipes import MissingError

ROOT = Path(__file__).parents[3]
REQUIRE = "OBS_TESTS_REQUIRE_ALL"


class Tool(NamedTuple):
    """A program: its names on PATH, how to see that one found there will do, and how to get it."""

    names: tuple[str, ...]
    fits: Callable[[Path], bool]
    make: Callable[[], Path]


def find(name: str) -> Path:
    """Return the program's path; raise MissingError saying what to install."""
    tool = TOOLS[name]
    for candidate in filter(None, map(shutil.which, tool.names)):
        if tool.fits(Path(candidate)):
            return Path(candidate)
    try:
        return tool.make()
    except (MissingError, OSError) as error:
        raise MissingError(f"{name}: {error}") from error


def required() -> bool:
    """Tell whether a missing backend is a failure (CI) rather than a reason to skip."""
    return os.environ.get(REQUIRE, "").lower() in {"1", "true"}


def _accepts(config: str) -> Callable[[Path], bool]:
    def fits(program: Path) -> bool:
        return _output(program, "validate", "--config", str(ROOT / config)) is not None

    return fits


def _at_least(version: str) -> Callable[[Path], bool]:
    def fits(program: Path) -> bool:
        found = re.search(r"(?:version |: v|server v=|Chromium )(\d+)\.(\d+)", _output(program, "--version") or "")
        wanted = tuple(int(part) for part in version.split("."))
        return found is not None and tuple(map(int, found.groups())) >= wanted

    return fits


def _output(program: Path, *arguments: str) -> str | None:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr if done.returncode == 0 else None


TOOLS = {
    "collector": Tool(("otelcol", "otelcol-contrib"), _accepts("otel-collector.yaml"), recipes.collector),
    "jaeger": Tool(("jaeger",), _accepts("configs/jaeger.yaml"), recipes.jaeger),
    "nats-server": Tool(("nats-server",), _at_least(pins.NATS_SERVER_LEAST), recipes.nats_server),
    # No other programs of these names on PATH are meant.
    "apache-kafka": Tool((), lambda _: False, recipes.apache_kafka),
    "kafka-server": Tool((), lambda _: False, recipes.kafka_server),
    "chromium": Tool(("chromium-headless-shell",), _at_least(pins.CHROMIUM), recipes.chromium),
    "redis-server": Tool(("redis-server",), _at_least(pins.REDIS_SERVER), recipes.redis_server),
    "prometheus": Tool(("prometheus",), _at_least(pins.PROMETHEUS), recipes.prometheus),
    "promtool": Tool(("promtool",), _at_least(pins.PROMETHEUS), lambda: recipes.prometheus("promtool")),
    "alertmanager": Tool(
        ("alertmanager", "prometheus-alertmanager"), _at_least(pins.ALERTMANAGER), recipes.alertmanager
    ),
    "amtool": Tool(("amtool",), _at_least(pins.ALERTMANAGER), recipes.amtool),
}


def main() -> int:
    missing = []
    for name in TOOLS:
        began = time.monotonic()
        try:
            print(f"{name:13}{find(name)}  ({time.monotonic() - began:.1f} s)", flush=True)
        except MissingError as error:
            missing.append(name)
            print(error, file=sys.stderr)
    if missing:
        print(f"Tests that need {', '.join(missing)} cannot run here.", file=sys.stderr)
    return 1 if missing and required() else 0


if __name__ == "__main__":
    sys.exit(main())
