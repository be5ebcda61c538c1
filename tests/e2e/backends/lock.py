"""Write the go.mod and go.sum of Collector, Jaeger, Kafka and NATS anew from pins.py; needs Go and the network."""

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


def lock_command(name: str, command: str) -> None:
    module = recipes.HERE / name
    (module / "go.mod").write_text(f"module obs-run/tests/e2e/backends/{name}\n\ngo 1.24\n")
    (module / "go.sum").unlink(missing_ok=True)
    recipes.go("get", "-tool", command, where=module, **_ALONE)


def lock_kafka_server() -> None:
    module = recipes.HERE / "kafka_server"
    (module / "go.mod").write_text("module obs-run/tests/e2e/backends/kafka_server\n\ngo 1.26.0\n")
    (module / "go.sum").unlink(missing_ok=True)
    recipes.go("get", f"{pins.KAFKA_BROKER_MODULE}@{pins.KAFKA_BROKER}", where=module)
    recipes.go("mod", "tidy", where=module)


def main() -> int:
    lock_collector()
    lock_command("jaeger", f"{pins.JAEGER_COMMAND}@v{pins.JAEGER}")
    lock_kafka_server()
    lock_command("nats_server", f"{pins.NATS_SERVER_COMMAND}@v{pins.NATS_SERVER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
