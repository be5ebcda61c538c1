"""An answer of a model in Bedrock, whole or as it grows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from obs_instrumentors.wire.continuation import output_message
from obs_run.base import payload
from obs_run.base.json_text import from_exact_json
from obs_run.core import content, messages
from obs_run.core.operations import Inference, Usage
from obs_run.core.sparse_dataclasses import sparse_dataclass

_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "finish": "stop",
    "endoftext": "stop",
    "finished": "stop",
    "complete": "stop",
    "max_tokens": "length",
    "length": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "tool_calls": "tool_call",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "refusal": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}


@dataclass
class Block:
    """One block of an answer that streams; its texts are kept only while content is wanted."""

    kind: str = "text"
    pieces: list[str] = field(default_factory=list)
    call_id: str | None = None
    tool_name: str | None = None


@sparse_dataclass
class Answer(Inference):
    """An inference; while its answer streams or is unread, what has come in so far."""

    blocks: dict[int, Block] = field(default_factory=dict)
    earlier_blocks: list[Block] = field(default_factory=list)
    """Blocks whose index a later one has too."""

    def start_block(self, index: Any, kind: str) -> Block:
        """Return the new block that an event begins."""
        number = payload.as_int(index) or 0
        if number in self.blocks:
            self.earlier_blocks.append(self.blocks[number])
        self.blocks[number] = Block(kind)
        return self.blocks[number]

    def block(self, index: Any, kind: str = "text") -> Block:
        """Return the block that a piece belongs to."""
        return self.blocks.setdefault(payload.as_int(index) or 0, Block(kind))


def finish_reason(value: Any) -> str | None:
    """Return a finish reason as the conventions call it."""
    reason = payload.as_text(value)
    if reason is None:
        return None
    return _FINISH_REASONS.get(reason.lower(), reason.lower())


def read_finish_reason(operation: Answer, value: Any) -> None:
    """Keep the reason why an answer ended, if there is one."""
    reason = finish_reason(value)
    if reason is not None:
        operation.finish_reasons = [reason]


def append_text(block: Block, value: Any) -> None:
    """Keep a piece of a block's text, if content is wanted."""
    piece = payload.as_text(value)
    if piece is not None and content.wanted():
        block.pieces.append(piece)


def finish(operation: Answer) -> None:
    """Make the message of an answer whose blocks have streamed."""
    started = [block for _, block in sorted(operation.blocks.items())]
    blocks = [*operation.earlier_blocks, *started]
    operation.blocks, operation.earlier_blocks = {}, []
    calls = [block for block in blocks if block.tool_name is not None]
    if calls:
        operation.tool_calls = [str(call.tool_name) for call in calls]
        operation.tool_call_ids = [call.call_id for call in calls]
    if content.wanted() and blocks:
        parts = [_part(block) for block in blocks if block.pieces or block.tool_name]
        operation.output_messages = [output_message(operation, parts)]


def usage_of(
    input_tokens: Any, output_tokens: Any, cache_read: Any = None, cache_write: Any = None, total: Any = None
) -> Usage | None:
    """Return tokens as the conventions count them; cached ones stand beside the input unless the total says else."""
    usage = Usage(
        payload.as_int(input_tokens),
        payload.as_int(output_tokens),
        payload.as_int(cache_read),
        payload.as_int(cache_write),
    )
    if usage == Usage():
        return None
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    if usage.input_tokens is None or not cached:
        return usage
    if total != usage.input_tokens + (usage.output_tokens or 0):
        usage.input_tokens += cached
    return usage


def _part(block: Block) -> messages.Part:
    text = "".join(block.pieces)
    if block.kind == "tool":
        # An answer that comes whole has it as an object.
        arguments = from_exact_json(text) if text else {}
        return messages.tool_call(block.call_id, block.tool_name or "", arguments)
    if block.kind == "reasoning":
        return messages.reasoning(text)
    return messages.text(text)
