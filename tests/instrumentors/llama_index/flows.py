"""Workflows of an agent's own, as the library's examples have them."""

# mypy: disable-error-code="misc,untyped-decorator,import-not-found"
# The annotations are not postponed: the library reads those of steps.
from typing import Any

from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent

WORKERS = 3


class Asked(Event):
    """A topic on its way."""

    topic: str


class Trip(Workflow):
    """Asks somebody before it answers."""

    @step
    async def begin(self, ev: StartEvent) -> Asked:
        """Take the topic."""
        return Asked(topic=ev.topic)

    @step
    async def ask(self, ctx: Context, ev: Asked) -> StopEvent:
        """Wait for a word."""
        said = await ctx.wait_for_event(HumanResponseEvent, waiter_event=InputRequiredEvent(prefix="May I?"))
        return StopEvent(result=f"{ev.topic}, {said.response}")


class Delegation(Workflow):
    """Has an agent do it."""

    @step
    async def delegate(self, ev: StartEvent) -> StopEvent:
        """Ask the agent."""
        return StopEvent(result=str(await ev.agent.run(user_msg="Hello.")))


class Failing(Workflow):
    """Fails."""

    @step
    async def fail(self, ev: StartEvent) -> StopEvent:  # noqa: ARG002 (by its kind the library finds the step)
        """Fail."""
        raise ValueError("nobody knows")


class Done(Event):
    """A part that is done."""


class Fan(Workflow):
    """Does several things at the same time."""

    @step
    async def split(self, ctx: Context, ev: StartEvent) -> Asked | None:  # noqa: ARG002 (as above)
        """Begin them all."""
        for number in range(WORKERS):
            ctx.send_event(Asked(topic=str(number)))
        return None

    @step(num_workers=WORKERS)
    def work(self, ev: Asked) -> Done:  # noqa: ARG002 (as above)
        """Do one, in a thread."""
        return Done()

    @step
    async def join(self, ctx: Context, ev: Done) -> StopEvent | None:
        """Wait for them all."""
        done = ctx.collect_events(ev, [Done] * WORKERS)
        return None if done is None else StopEvent(result=len(done))


async def answer(kind: Any, **asked: Any) -> Any:
    """Run a workflow, and say yes to whatever it asks."""
    handler = kind(timeout=20).run(**asked)
    async for event in handler.stream_events():
        if isinstance(event, InputRequiredEvent):
            handler.ctx.send_event(HumanResponseEvent(response="yes"))
    return await handler
