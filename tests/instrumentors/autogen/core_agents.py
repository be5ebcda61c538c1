"""Agents of AutoGen's core, which are of no team: the library evaluates the annotations of what handles a message."""

import asyncio
from dataclasses import dataclass
from importlib import import_module
from typing import Any

core: Any = import_module("autogen_core")
handler: Any = core.message_handler
Agent: Any = core.RoutedAgent


@dataclass
class Note:
    """What the agents send each other."""

    text: str


class Inner(Agent):  # type: ignore[misc]  # a class of the library's
    """Says the same louder, and publishes it; has its troubles with one word."""

    @handler  # type: ignore[untyped-decorator]
    async def on_note(self, message: Note, _: Any) -> Note:
        """Answer a note."""
        if message.text == "bad":
            raise ValueError(message.text)
        await self.publish_message(message, core.TopicId("news", "one"))
        return Note(message.text.upper())


class Outer(Agent):  # type: ignore[misc]
    """Asks the other."""

    @handler  # type: ignore[untyped-decorator]
    async def on_note(self, message: Note, _: Any) -> Note:
        """Answer a note."""
        answer: Note = await self.send_message(message, core.AgentId("inner", "one"))
        return answer


@core.type_subscription(topic_type="news")
class Reading(Agent):  # type: ignore[misc]
    """Reads what is published."""

    @handler  # type: ignore[untyped-decorator]
    async def on_note(self, message: Note, _: Any) -> None:
        """Read a note."""


async def ask(*texts: str) -> list[Any]:
    """Send each text to the outer one, and return the texts of the answers, or their errors."""
    runtime = core.SingleThreadedAgentRuntime()
    await Inner.register(runtime, "inner", lambda: Inner("the inner one"))
    await Outer.register(runtime, "outer", lambda: Outer("the outer one"))
    await Reading.register(runtime, "reading", lambda: Reading("one who reads"))
    runtime.start()
    asked = [runtime.send_message(Note(text), core.AgentId("outer", "one")) for text in texts]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    await runtime.stop_when_idle()
    return [answer.text if isinstance(answer, Note) else answer for answer in answers]
