"""The files of ``configs/wrap`` are right, and the fleet's finds classes of the shapes that they have."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from obs_run.wrapping import wrap_file

if TYPE_CHECKING:
    from tests.unit.agents import Run

FOLDER = Path(__file__).parent.parent.parent / "configs" / "wrap"

MODULES = {
    "common/core/base_agent.py": """
        class BaseAgent:
            def __init__(self, name): self.name = name
            def handle_request(self, request): return {"status": "error"}
            def send_request_to_agent(self, agent_name, request, timeout=5.0): return {"status": "ok"}
        """,
    "common/api/contract.py": """
        from abc import ABC, abstractmethod
        class APIContract(ABC):
            @property
            @abstractmethod
            def name(self): ...
            @abstractmethod
            def validate_request(self, message): ...
            @abstractmethod
            async def process_request(self, message): ...
        class StandardAPIContract(APIContract):
            name = "standard"
            def validate_request(self, message): return bool(message)
            async def process_request(self, message): return {"status": "success"}
        class APIProcessor:
            async def process_message(self, message): return message
        """,
    "common/resiliency/circuit_breaker.py": """
        from enum import Enum
        class CircuitState(Enum):
            CLOSED = "closed"
            OPEN = "open"
        class CircuitBreakerException(Exception): pass
        class CircuitBreaker:
            def __init__(self, name, config=None): self.name, self._state = name, CircuitState.CLOSED
            @property
            def state(self): return self._state
            async def call_async(self, func, *args): return await func(*args)
            def call_sync(self, func, *args): raise CircuitBreakerException(self.name)
            def reset(self): self._state = CircuitState.CLOSED
        """,
    "common/pools/zmq_pool.py": """
        class PooledSocket: pass
        class ZMQConnectionPool:
            def get_socket(self, config): return PooledSocket()
            def return_socket(self, pooled): pass
        """,
    "common/performance/caching.py": """
        class Cache:
            async def get(self, key): return None
        class ModelCache(Cache): pass
        """,
    "common/pools/sql_pool.py": """
        class SQLConnectionPool:
            def get_connection(self, config): return object()
            def return_connection(self, connection): pass
            def execute_query(self, config, query, params=None): return []
        """,
}
AGENT = """
    import asyncio, telemetry_probe
    from common.api.contract import APIContract, StandardAPIContract
    from common.core.base_agent import BaseAgent
    from common.performance.caching import ModelCache
    from common.pools.zmq_pool import ZMQConnectionPool
    from common.resiliency.circuit_breaker import CircuitBreaker

    class Goals(BaseAgent):
        def handle_request(self, request):
            contract = StandardAPIContract()
            if contract.validate_request(request):
                done = asyncio.run(contract.process_request(request))
                return {**done, **self.send_request_to_agent("other", request)}

    print(Goals("goals").handle_request({"action": "set_goal", "request_id": "r1"}))
    pool = ZMQConnectionPool()
    pool.return_socket(pool.get_socket("tcp://127.0.0.1:5570"))
    try:
        CircuitBreaker("tts").call_sync(int)
    except Exception as error:
        print(type(error).__name__)
    asyncio.run(ModelCache().get("key"))
    try:
        APIContract()
    except TypeError as error:
        print(error)
    telemetry_probe.show()
"""


@pytest.fixture
def agent(tmp_path: Path) -> Run:
    from functools import partial

    from tests.unit import agents

    return partial(agents.run, tmp_path)


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.name)
def test_nothing_is_wrong_in_the_files(file: Path) -> None:
    loaded = wrap_file.load([str(file)])
    assert loaded.problems == []
    assert loaded.entries


def test_the_first_fleets_classes(agent: Run, tmp_path: Path) -> None:
    for name, source in MODULES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(dedent(source))
    ran = agent(AGENT, OBS_WRAP=str(FOLDER / "first-fleet.yaml"))
    assert ran.err == ""
    spans = ran.spans()
    assert list(spans) == [
        "check standard",
        "StandardAPIContract.process_request",
        "BaseAgent.send_request_to_agent",
        "invoke_agent goals",
    ]
    handled = spans["invoke_agent goals"]
    assert {spans[name]["parent"] for name in list(spans)[:3]} == {handled["span"]}
    assert (handled["attributes"]["request.action"], handled["attributes"]["reply.status"]) == ("set_goal", "ok")
    metrics = ran.seen["metrics"]
    assert metrics["obs.circuit_breaker.rejected"]["points"][0]["attributes"] == {"obs.circuit_breaker.name": "tts"}
    assert metrics["db.client.connection.use_time"]["points"][0]["count"] == 1
    assert {point["attributes"]["obs.cache.name"] for point in metrics["obs.cache.lookups"]["points"]} == {"ModelCache"}
