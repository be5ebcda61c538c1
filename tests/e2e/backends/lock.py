"""Write the go.mod and go.sum of Collector and Jaeger anew from pins.py; needs Go and the network."""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.e2e.backends import pins, recipes

_ALONE = {"GONOSUMDB": "go.opentelemetry.io/*,github.com/open-telemetry/*"}  # not every mirror's database has these


def lock_collector() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        recipes.build_collector(Path(scratch), "--skip-compilation", **_ALONE)
        for name in ("go.mod", "go.sum"):
            shutil.copy(Path(scratch) / name, recipes.HERE / "collector" / name)


def lock_jaeger() -> None:
    module = recipes.HERE / "jaeger"
    (module / "go.mod").write_text("module obs-run/tests/e2e/backends/jaeger\n\ngo 1.24\n")
    (module / "go.sum").unlink(missing_ok=True)
    recipes.go("get", "-tool", f"{pins.JAEGER_COMMAND}@v{pins.JAEGER}", where=module, **_ALONE)


def main() -> int:
    lock_collector()
    lock_jaeger()
    return 0


if __name__ == "__main__":
    sys.exit(main())
