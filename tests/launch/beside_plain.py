"""A program run by plain Python and by obs-run, which must come to the same; and libraries that it may call."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from tests.launch import running
from tests.launch.environments import HERE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.launch.running import Outcome
    from tests.otlp_receiver import Receiver

PYTHON = HERE.python
OBS_RUN = HERE.command("obs-run")


def both(folder: Path, receiver: Receiver, source: str, **more: str) -> Outcome:
    """Run a program by plain Python and by obs-run; return what came of it, which must be the same."""
    (folder / "agent.py").write_text(dedent(source))
    env = running.environment(receiver.endpoint, folder, **more)
    plain = running.run([PYTHON, "agent.py"], folder, env)
    launched = running.run([OBS_RUN, "python", "agent.py"], folder, env)
    assert launched == plain
    return launched


LIBRARIES = """
import os, sys
os.makedirs("packages/ollama", exist_ok=True)
os.makedirs("packages/litellm", exist_ok=True)
open("packages/ollama/__init__.py", "w").write("from ._client import AsyncClient, Client")
open("packages/ollama/_client.py", "w").write('''
import logging, warnings
from types import SimpleNamespace
from urllib.parse import urlsplit

class EmbedResponse:
    pass

class Client:
    def __init__(self, host=None):
        self.host = host
        self._client = SimpleNamespace(base_url=urlsplit("http://there:1"))

    def _request(self, kind, method, path, json=None, stream=False):
        "Ask."
        warnings.warn("old", DeprecationWarning, stacklevel=2)
        logging.warning("asked", stacklevel=2)
        if stream:
            return self._chunks()
        raise ValueError(path)

    def _chunks(self):
        try:
            yield 1
        except KeyError as error:
            raise ValueError("thrown") from error
        raise ValueError("streamed")

class AsyncClient(Client):
    async def _request(self, kind, method, path, json=None, stream=False):
        warnings.warn("old", DeprecationWarning, stacklevel=2)
        if stream:
            return self._achunks()
        raise ValueError(path)

    async def _achunks(self):
        yield 1
        raise ValueError("streamed")
''')
names = "completion text_completion embedding rerank image_generation".split()
open("packages/litellm/__init__.py", "w").write("from .main import *")
open("packages/litellm/main.py", "w").write("".join(f'''
def {name}(model, messages=None, **options):
    "Ask."
    raise ValueError(model)

async def a{name}(model, messages=None, **options):
    raise ValueError(model)
''' for name in names))
sys.path.insert(0, "packages")
"""
