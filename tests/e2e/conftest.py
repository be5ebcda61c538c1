import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.backends import waiting
from tests.e2e.backends.fixtures import backend_tool, backends
from tests.e2e.backends.install import ROOT

__all__ = ["backend_tool", "backends", "stub"]


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the stub model and give its URL."""
    port_file = tmp_path_factory.mktemp("stub") / "port"
    process = subprocess.Popen(
        [sys.executable, ROOT / "examples" / "stub_llm", "--port-file", port_file], stdout=subprocess.DEVNULL
    )
    try:
        waiting.until(port_file.exists, "the stub model listens")
        yield f"http://127.0.0.1:{port_file.read_text().strip()}/v1"
    finally:
        process.terminate()
        process.wait()
