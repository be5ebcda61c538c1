"""Instructor's scenario set, with OpenAI's client behind the stub."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tests.instrumentors.scenarios import Driver, Library, Scenario
from tests.instrumentors.trees import Node

if TYPE_CHECKING:
    from collections.abc import Mapping

MODEL = "gpt-5-mini"
ASKED = [{"role": "user", "content": "What is it like in Lisbon?"}]
OLDEST = "1.15.4"


class Instructor(Driver):
    """A client of Instructor around one of OpenAI's."""

    def client(self, mode: str = "TOOLS") -> Any:
        library, openai = import_module("instructor"), import_module("openai")
        kind = openai.AsyncOpenAI if self.kind == "async" else openai.OpenAI
        wrapped = kind(base_url=self.stub.url, api_key="none", max_retries=0)
        return library.from_openai(wrapped, mode=getattr(library.Mode, mode))

    def ask(self, invalid: int = 0, retries: int = 1, **more: Any) -> Any:
        """Ask for a city, of which so many answers are not valid."""
        # The stub calls a tool once only.
        client = self.client("JSON_SCHEMA" if invalid else "TOOLS")
        more |= {"messages": ASKED, "model": MODEL, "max_retries": retries}
        return self.run(client.create(response_model=city_model(invalid), **more)).model_dump()

    def ask_plainly(self) -> Any:
        """Ask without a response model."""
        return self.run(self.client().create(response_model=None, messages=ASKED, model=MODEL))

    def read_partial(self) -> list[Any]:
        """Return all that is known of the city, bit by bit."""
        return [piece.model_dump() for piece in self.read(self.partial())[1:]]

    def partial(self) -> Any:
        """Return the stream of what is known of the city so far."""
        return self.client().create_partial(response_model=city_model(0), messages=ASKED, model=MODEL)


def city_model(invalid: int) -> Any:
    """Return a response model that takes no notice of the first answers."""
    pydantic = import_module("pydantic")
    left = [None] * invalid

    def check(name: str) -> str:
        if left:
            left.pop()
            raise ValueError("no such city")
        return name

    validated = import_module("typing").Annotated[str, pydantic.AfterValidator(check)]
    return pydantic.create_model("City", name=(validated, ...))


def attributes(name: str = "City", **others: Any) -> Mapping[str, Any]:
    """Return what the step's span has."""
    told = {each.replace("__", "."): value for each, value in others.items()}
    return {"gen_ai.operation.name": "step", "obs.step.name": name, "obs.step.type": "response_model", **told}


def tree(calls: int, name: str = "City", status: str = "UNSET") -> tuple[Node, ...]:
    """Return the step with so many model calls, told by the provider's client."""
    told = {"openai.api.type": "chat_completions", "gen_ai.response.model": f"{MODEL}-2025-08-07"}
    chats = [Node(f"chat {MODEL}", kind="CLIENT", status="UNSET", attributes=told) for _ in range(calls)]
    return (Node(f"step {name}", *chats, kind="INTERNAL", status=status),)


LIBRARY = Library(
    name="instructor",
    instrumentor="obs_instrumentors.instructor",
    beside=("obs_instrumentors.openai",),
    environments={
        OLDEST: (f"instructor=={OLDEST}",),
        "newest": ("instructor>=1.17",),
    },
    driver=Instructor,
    more=("more.py",),
    scenarios=(
        Scenario("structured output", lambda its: its.ask(), "step City", attributes(), content={}, tree=tree(1)),
        Scenario(
            "asked again",
            lambda its: its.ask(invalid=2, retries=3),
            "step City",
            attributes(obs__request__retries=2),
            tree=tree(3),
        ),
        Scenario(
            "never valid",
            lambda its: its.ask(invalid=9, retries=1),
            "step City",
            attributes(obs__request__retries=1, error__type="instructor.v2.core.errors.InstructorRetryException"),
            error="InstructorRetryException",
            tree=tree(2, status="ERROR"),
        ),
        Scenario(
            "stream",
            lambda its: its.read_partial(),
            "step PartialCity",
            attributes("PartialCity"),
            tree=tree(1, "PartialCity"),
        ),
    ),
)
