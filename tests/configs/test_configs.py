"""Every configuration that the repository offers is accepted by the program it is for."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.backends import pins, recipes
from tests.e2e.backends.fixtures import FindTool
from tests.e2e.backends.install import ROOT


def check(program: Path, *arguments: str | Path) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, env={"HOME": "/"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(("tool", "config"), [("collector", "otel-collector.yaml"), ("jaeger", "configs/jaeger.yaml")])
def test_collector_and_jaeger_accept_their_files(backend_tool: FindTool, tool: str, config: str) -> None:
    check(backend_tool(tool), "validate", "--config", ROOT / config)


def test_prometheus_accepts_its_file(backend_tool: FindTool) -> None:
    assert "SUCCESS" in check(backend_tool("promtool"), "check", "config", ROOT / "configs" / "prometheus.yaml")


def test_alertmanager_is_there(backend_tool: FindTool) -> None:
    assert "version" in check(backend_tool("alertmanager"), "--version")
    assert "version" in check(backend_tool("amtool"), "--version")


def test_the_locks_follow_the_pins() -> None:
    collector = (recipes.HERE / "collector" / "go.mod").read_text()
    for modules in pins.COLLECTOR_PARTS.values():
        for module in modules:
            assert f"\t{module}\n" in collector
    assert f"github.com/jaegertracing/jaeger v{pins.JAEGER} " in (recipes.HERE / "jaeger" / "go.mod").read_text()


def test_the_compose_file_runs_the_pinned_versions_and_existing_files() -> None:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "configs" / "compose.yaml").read_text())
    images = {name: service["image"].rsplit(":", 1) for name, service in compose["services"].items()}

    assert images["collector"][1] == pins.COLLECTOR
    assert images["jaeger"][1] == pins.JAEGER_IMAGE
    assert images["prometheus"][1].startswith(f"v{pins.PROMETHEUS}.")
    for service in compose["services"].values():
        for volume in service["volumes"]:
            source = volume.split(":", 1)[0]
            assert source in compose["volumes"] or (ROOT / "configs" / source).is_file()


def test_the_compose_file_publishes_on_loopback_only() -> None:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "configs" / "compose.yaml").read_text())
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_documentation_lists_every_address_with_its_default() -> None:
    page = (ROOT / "docs" / "backends.md").read_text()
    rows = [line.split("|")[1:3] for line in page.splitlines() if line.startswith(("| `COLLECTOR_", "| `JAEGER_"))]
    documented = {pair for names, defaults in rows for pair in zip(_quoted(names), _quoted(defaults), strict=True)}
    files = [ROOT / "otel-collector.yaml", ROOT / "configs" / "jaeger.yaml"]
    found = {pair for file in files for pair in re.findall(r"\$\{env:(\w+):-([^}]+)\}", file.read_text())}

    assert documented == found


def _quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)
