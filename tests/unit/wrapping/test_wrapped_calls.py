"""Functions of the agent's own code that OBS_WRAP names: what is recorded of their calls, and what the agent sees."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Ran, Run

CODE = """
    import asyncio, dataclasses, enum, functools

    class State(enum.Enum):
        OPEN = "open"

    class BaseAgent:
        def __init__(self, name):
            self.name = name
            self.state = State.OPEN

        def handle_request(self, request):
            return {"status": "error", "error": "unknown"}

    class Oracle(BaseAgent):
        async def handle_request(self, request, *, deep=False):
            await asyncio.sleep(0)
            if request.get("action") == "fail":
                raise ValueError("no such key")
            return {"status": "success", "value": lookup(request["key"])}

    class Echo(BaseAgent):
        def handle_request(self, request):
            if request.get("again"):
                return self.handle_request({})
            return super().handle_request(request)

    @dataclasses.dataclass(slots=True)
    class Message:
        id: int
        body: str

    class Contract:
        name = "orders"

        def validate_request(self, message):
            return bool(message.body)

        def validate_response(self, message):
            return {"valid": [], "errors": ["empty"]}

        def enforce(self, message):
            raise TypeError("not a message")

    class Tools:
        @staticmethod
        def double(n):
            return 2 * n

        @classmethod
        def named(cls, n):
            return cls.__name__, n

        def stream(self, n):
            yield from range(n)

        async def follow(self, n):
            for number in range(n):
                yield number

    def cached(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            return function(*args, **kwargs)
        return call

    def lookup(key):
        '''Look it up.'''
        return key.upper()

    @cached
    async def later(key):
        return lookup(key)
"""

WRAP = """
    wrap:
      requests:
        target: fleet:BaseAgent+.handle_request
        kind: handler
        name: "{self.name}"
        attributes:
          request.action: request.action
          agent.state: self.state
          reply.status: result.status
      lookups:
        target: [fleet:lookup, fleet:later]
        kind: tool
      contracts:
        target: fleet:*ontract.validate_request
        kind: contract
        name: "{self.name}"
        attributes: {message.id: message.id}
      responses:
        target: fleet:Contract.validate_response
        kind: contract
        met: result.valid
      enforced:
        target: fleet:Contract.enforce
        kind: contract
      tools:
        target: fleet:Tools.*
        kind: span
        name: tool {n}
        attributes: {n: n}
        content: {given: n, got: result}
"""

HEAD = """
    import asyncio, fleet, telemetry_probe
    from fleet import BaseAgent, Contract, Echo, Message, Oracle, Tools, later, lookup
"""
ON = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}


@pytest.fixture
def own(agent: Run, tmp_path: Path) -> Run:
    """Runs what follows, with the code above in a module of its own."""
    (tmp_path / "fleet.py").write_text(dedent(CODE))
    (tmp_path / "wrap.yaml").write_text(dedent(WRAP))

    def run(source: str, **environment: str) -> Ran:
        body = dedent(HEAD) + dedent(source) + "\ntelemetry_probe.show()\n"
        return agent(body, **{"OBS_WRAP": "wrap.yaml", **environment})

    return run


def seen(ran: Ran, *names: str) -> list[tuple[Any, ...]]:
    """Return the spans in the order of their ends: names, parents' names, and the attributes that are asked for."""
    spans = ran.seen["spans"]
    by_id = {span["span"]: span["name"] for span in spans}
    return [(s["name"], by_id.get(s["parent"]), *(s["attributes"].get(name) for name in names)) for s in spans]


def test_handlers_of_all_derived_classes_are_runs_of_agents(own: Run) -> None:
    ran = own("""
    print(asyncio.run(Oracle("oracle").handle_request({"action": "look", "key": "abc"})))
    class Later(BaseAgent):
        def handle_request(self, request):
            return {"status": "later"}
    print(Later("later").handle_request({}), Echo("echo").handle_request({"action": "say"}))
    print(BaseAgent("base").handle_request({}))
    try:
        asyncio.run(Oracle("oracle").handle_request({"action": "fail"}))
    except ValueError as error:
        print(error)
    """)
    assert seen(ran, "gen_ai.operation.name", "request.action", "reply.status", "agent.state", "error.type") == [
        ("execute_tool lookup", "invoke_agent oracle", "execute_tool", None, None, None, None),
        ("invoke_agent oracle", None, "invoke_agent", "look", "success", "open", None),
        ("invoke_agent later", None, "invoke_agent", None, "later", "open", None),
        ("invoke_agent echo", None, "invoke_agent", "say", "error", "open", None),
        ("invoke_agent base", None, "invoke_agent", None, "error", "open", None),
        ("invoke_agent oracle", None, "invoke_agent", "fail", None, "open", "ValueError"),
    ]
    assert "gen_ai.input.messages" not in ran.spans()["invoke_agent oracle"]["attributes"]
    assert ran.err == ""


def test_a_method_that_calls_itself_is_recorded_each_time_but_not_the_one_it_overrides(own: Run) -> None:
    ran = own('Echo("echo").handle_request({"again": True})')
    assert seen(ran) == [("invoke_agent echo", "invoke_agent echo"), ("invoke_agent echo", None)]


def test_contracts_are_met_or_not(own: Run) -> None:
    ran = own("""
    contract, full, empty = Contract(), Message(1, "text"), Message(2, "")
    print(contract.validate_request(full), contract.validate_request(empty), contract.validate_response(full))
    try:
        contract.enforce(full)
    except TypeError:
        pass
    """)
    assert seen(ran, "obs.contract.name", "obs.contract.met", "error.type", "message.id") == [
        ("check orders", None, "orders", True, None, 1),
        ("check orders", None, "orders", False, "contract_violated", 2),
        ("check Contract", None, "Contract", False, "contract_violated", None),
        ("check Contract", None, "Contract", False, "TypeError", None),
    ]
    assert [span["status"] for span in ran.seen["spans"]] == ["UNSET", "ERROR", "ERROR", "ERROR"]


@pytest.mark.parametrize("is_on", [True, False])
def test_all_sorts_of_functions(own: Run, *, is_on: bool) -> None:
    ran = own(
        """
    async def follow():
        return [number async for number in Tools().follow(2)]
    print(Tools.double(1), Tools().double(2), Tools.named(3), list(Tools().stream(4)), asyncio.run(follow()))
    print(asyncio.run(later("abc")))
    """,
        **(ON if is_on else {}),
    )
    assert ran.out.splitlines()[:2] == ["2 4 ('Tools', 3) [0, 1, 2, 3] [0, 1]", "ABC"]
    assert seen(ran, "n", "given") == [
        ("tool 1", None, 1, "1" if is_on else None),
        ("tool 2", None, 2, "2" if is_on else None),
        ("tool 3", None, 3, "3" if is_on else None),
        ("tool 4", None, 4, "4" if is_on else None),
        ("tool 2", None, 2, "2" if is_on else None),
        ("execute_tool lookup", "execute_tool later", None, None),
        ("execute_tool later", None, None, None),
    ]
    tool = ran.spans()["execute_tool lookup"]["attributes"]
    assert tool.get("gen_ai.tool.call.arguments") == ('{"key": "abc"}' if is_on else None) or is_on
    assert ("gen_ai.tool.call.result" in tool) == is_on


def test_requests_and_replies_are_content(own: Run) -> None:
    ran = own('Echo("echo").handle_request({"action": "say", "password": "hunter2hunter2"})', **ON)
    run = ran.spans()["invoke_agent echo"]["attributes"]
    (asked,) = json.loads(run["gen_ai.input.messages"])
    (answered,) = json.loads(run["gen_ai.output.messages"])
    assert json.loads(asked["parts"][0]["content"])["action"] == "say"
    assert "hunter2" not in run["gen_ai.input.messages"]
    assert json.loads(answered["parts"][0]["content"]) == {"status": "error", "error": "unknown"}


PROPERTIES = """
    class Agent:
        def __init__(self):
            self._state, self.asked = "open", 0
        @property
        def state(self):
            raise AssertionError("there is an attribute")
        @property
        def size(self):
            self.asked += 1
            return self.work(0) + 7
        @property
        def broken(self):
            raise ValueError("not yet")
        def work(self, n):
            return n
"""


def test_a_property_is_asked_only_where_no_attribute_stands_behind_it(agent: Run, tmp_path: Path) -> None:
    (tmp_path / "fleet.py").write_text(dedent(PROPERTIES))
    attributes = "{state: self.state, size: self.size, broken: self.broken, none: self.none}"
    (tmp_path / "wrap.yaml").write_text(
        f"wrap: {{a: {{target: 'fleet:Agent.work', kind: span, attributes: {attributes}}}}}"
    )
    source = "import telemetry_probe, fleet\none = fleet.Agent()\none.work(1)\ntelemetry_probe.show(asked=one.asked)"
    ran = agent(source, OBS_WRAP="wrap.yaml")
    assert seen(ran, "state", "size", "broken", "none") == [("Agent.work", None, "open", 7, None, None)]
    assert "own code failed and was skipped: ValueError: not yet" in ran.err
    assert ran.seen["asked"] == 1


def test_values_that_are_declared_are_masked_like_all_others(own: Run) -> None:
    ran = own('Echo("echo").handle_request({"action": "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"})')
    assert "abcdefghijkl" not in str(ran.spans()["invoke_agent echo"]["attributes"])


SAME = """
    import copy, inspect, json, pickle, traceback
    import fleet

    def described(function):
        return (
            str(inspect.signature(function)), inspect.iscoroutinefunction(function),
            inspect.isgeneratorfunction(function),
            inspect.isasyncgenfunction(function), inspect.isfunction(function), function.__name__, function.__doc__,
            function.__qualname__, function.__module__, pickle.loads(pickle.dumps(function)) == function,
            copy.deepcopy(function) == function, inspect.getsource(function), function.__code__.co_varnames,
            function == function, hash(function) == hash(function), repr(function).split(" at ")[0], callable(function),
        )

    for function in (
        fleet.lookup, fleet.later, fleet.Oracle.handle_request, fleet.Oracle("a").handle_request, fleet.Tools.double,
        fleet.Tools.named, fleet.Tools().stream, fleet.Tools.follow, fleet.Contract().validate_request,
    ):
        print(described(function))
    print(isinstance(vars(fleet.Tools)["double"], staticmethod), isinstance(vars(fleet.Tools)["named"], classmethod))
    print(fleet.Echo.handle_request is fleet.Echo.handle_request, fleet.Oracle.__init__ is fleet.BaseAgent.__init__)
    print(fleet.Echo.handle_request is fleet.BaseAgent.handle_request)
    print(fleet.Tools.stream is vars(fleet.Tools)["stream"], fleet.Echo.handle_request(fleet.Echo("b"), {}))
    print(fleet.BaseAgent.handle_request(self=fleet.Echo("b"), request=1))
    for call in (
        lambda: fleet.lookup(), lambda: fleet.lookup(1), lambda: fleet.Tools.double(),
        lambda: list(fleet.Tools().stream("x")), lambda: fleet.Contract().enforce(1),
        lambda: fleet.Oracle("a").handle_request(), lambda: fleet.Echo("a").handle_request(3),
    ):
        try:
            print(call())
        except Exception as error:
            print(traceback.format_exception(error))
"""


@pytest.mark.usefixtures("own")
def test_the_agent_sees_the_same(agent: Run) -> None:
    plain = agent(SAME, start=False)
    wrapped = agent(SAME, OBS_WRAP="wrap.yaml")
    assert plain.code == 0, plain.err
    for with_us, without in zip(wrapped.out.splitlines(), plain.out.splitlines(), strict=True):
        assert with_us == without
    assert (wrapped.code, wrapped.err) == (0, "")
