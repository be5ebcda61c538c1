"""Nothing secret touches the disk: neither what an agent records nor what the settings say of its collector."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

import pytest

from obs_run.files.segment import Segment
from tests import outages

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Run

SECRETS = {
    "key": "sk-proj-Zx8Qw3nV7bT2mK9pLr4Yc6Hd1Fg5Js0A",
    "header": "hJ7kQ2wX9zLm4Vb8",
    "password": "Nq5Rt8Yw2Kp7",
    "query": "Gd6Sf3Hj9Lz1Xc4V",
}


@pytest.mark.slow
@pytest.mark.parametrize("protocol", outages.PROTOCOLS)
def test_no_secret_is_in_the_spool(agent: Run, tmp_path: Path, protocol: str) -> None:
    with outages.backend("refused", protocol) as backend:
        at = backend.endpoint.replace("http://", f"http://me:{SECRETS['password']}@")
        ran = agent(
            f"""
            import logging, os
            from opentelemetry import trace
            logger = logging.getLogger("agent")
            logger.propagate = False
            logger.addHandler(logging.NullHandler())
            span = trace.get_tracer("agent").start_span("work", attributes={{"text": "key {SECRETS["key"]} of mine"}})
            span.end()
            logger.warning("the key is {SECRETS["key"]}")
            os.environ["OPENAI_API_KEY"] = "{SECRETS["key"]}"
            """,
            OTEL_EXPORTER_OTLP_ENDPOINT=at,
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{at}/v1/traces?api_key={SECRETS['query']}",
            OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer {SECRETS['header']},x-api-key={SECRETS['header']}",
            OTEL_METRICS_EXPORTER="none",
            NO_PROXY="*",
        )
    assert ran.code == 0
    assert "wait in the spool" in ran.err
    written = [path for path in (tmp_path / ".local").rglob("*") if path.is_file()]
    bodies = b"".join(_content(path) for path in written)
    assert b"work" in bodies
    assert b"the key is" in bodies
    everything = bodies + b"".join(path.read_bytes() + os.fsencode(path) for path in written) + ran.err.encode()
    for name, secret in SECRETS.items():
        assert secret.encode() not in everything, name


def _content(path: Path) -> bytes:
    """Return what is in the requests of a segment."""
    if path.suffix != ".segment":
        return b""
    segment = Segment.claim(path)
    assert segment is not None
    bodies = [segment.read(head) or b"" for head in segment.heads() if head is not None]
    segment.close()
    return b"".join(zlib.decompressobj(31).decompress(body) for body in bodies)
