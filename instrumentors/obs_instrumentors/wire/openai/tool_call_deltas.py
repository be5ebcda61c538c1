"""The tool calls of a stream, put together from their pieces.

OpenAI counts the calls by an index. Others give index 0 to all of them, or none, or repeat id and name in each piece;
so it is the id that tells calls apart where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_run.base import payload

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(eq=False)
class ToolCallDelta:
    """A tool call of a stream: its name comes first, its arguments in pieces."""

    index: int | None = None
    name: str = ""
    call_id: str | None = None
    arguments: list[str] = field(default_factory=list)
    last_character: str = ""
    """Of the arguments so far; they are kept only while content is wanted."""

    def add(self, call_id: str | None, name: str | None, piece: str | None, *, wants_content: bool) -> None:
        """Add what a piece brings."""
        self.call_id = call_id or self.call_id
        self.name = name or self.name
        if piece is None:
            return
        self.last_character = piece.rstrip()[-1:] or self.last_character
        if wants_content:
            self.arguments.append(piece)

    def ends_before(self, name: str | None, piece: str | None) -> bool:
        """Whether a piece with a name begins another call: by its name, or as whole arguments cannot go on."""
        if not name or not self.name or not self.last_character:
            return False
        if name != self.name:
            return True
        return self.last_character == "}" and (piece or "").lstrip()[:1] == "{"


class ToolCallDeltas:
    """The tool calls of one answer that streams, in the order in which they began."""

    def __init__(self) -> None:
        self._calls: list[ToolCallDelta] = []
        self._by_index: dict[int, ToolCallDelta] = {}
        self._by_id: dict[str, ToolCallDelta] = {}

    def __iter__(self) -> Iterator[ToolCallDelta]:
        """Go through the calls."""
        return iter(self._calls)

    def read(self, raw_calls: Any, *, wants_content: bool) -> None:
        """Read the pieces that one chunk brings."""
        pieces = payload.as_list(raw_calls)
        touched: list[ToolCallDelta] = []
        for position, raw in enumerate(pieces):
            # Together's client reads the index as a float.
            number = payload.get_float(raw, "index")
            index = None if number is None else int(number)
            function = payload.coalesce(payload.get(raw, "function"), payload.get(raw, "custom"))
            call_id = payload.get_text(raw, "id")
            name = payload.get_text(function, "name")
            arguments = payload.coalesce(payload.get(function, "arguments"), payload.get(function, "input"))
            piece = payload.as_text(arguments)
            call = self._find(index, call_id, name, piece)
            if index is None and call_id is None:
                call = self._without_numbers(call, touched, name, position if len(pieces) > 1 else None)
            if call is None:
                call = self._begin(index, call_id)
            touched.append(call)
            call.add(call_id, name, piece, wants_content=wants_content)
            if index is not None:
                self._by_index[index] = call
            if call_id is not None:
                self._by_id[call_id] = call

    def _begin(self, index: int | None, call_id: str | None) -> ToolCallDelta:
        call = ToolCallDelta(index, call_id=call_id)
        self._calls.append(call)
        return call

    def _find(
        self, index: int | None, call_id: str | None, name: str | None, piece: str | None
    ) -> ToolCallDelta | None:
        """Return the call that a piece goes on with, None where it begins one."""
        if call_id is not None and call_id in self._by_id:
            call = self._by_id[call_id]
            if index is None or call.index is None or index == call.index:
                return call
            # A gateway may give one id to several calls.
            return None if call.ends_before(name, piece) else call
        if index is not None:
            found = self._by_index.get(index)
        else:
            found = self._calls[-1] if self._calls and call_id is None else None
        if found is None:
            return None
        if call_id is not None and found.call_id is not None:
            return None
        return None if found.ends_before(name, piece) else found

    def _without_numbers(
        self, call: ToolCallDelta | None, touched: list[ToolCallDelta], name: str | None, position: int | None
    ) -> ToolCallDelta | None:
        """Return the call of a piece that has neither index nor id, which is the last one or that of its place."""
        if name is None and position is not None and position < len(self._calls):
            return self._calls[position]
        return None if call in touched else call
