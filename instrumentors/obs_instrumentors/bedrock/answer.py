"""An answer of a model in Bedrock, whole or as it grows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.operations import Inference, Usage

_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "finish": "stop",
    "finished": "stop",
    "complete": "stop",
    "max_tokens": "length",
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
    tool: str | None = None


@dataclass
class Answer(Inference):
    """An inference; while its answer streams or is unread, what has come in so far."""

    blocks: dict[int, Block] = field(default_factory=dict)

    def block(self, index: Any, kind: str = "text") -> Block:
        """Return the block that a piece belongs to."""
        return self.blocks.setdefault(payload.as_int(index) or 0, Block(kind))


def finish_reason(told: Any) -> str | None:
    """Return a finish reason as the conventions call it."""
    reason = payload.as_text(told)
    return None if reason is None else _FINISH_REASONS.get(reason.lower(), reason.lower())


def note_reason(operation: Answer, told: Any) -> None:
    """Keep the reason why an answer ended."""
    reason = finish_reason(told)
    if reason is not None:
        operation.finish_reasons = [reason]


def add(block: Block, said: Any) -> None:
    """Keep a piece of what a block says."""
    piece = payload.as_text(said)
    if piece is not None and content.wanted():
        block.pieces.append(piece)


def end(operation: Answer) -> None:
    """Make the message of an answer whose blocks have streamed."""
    blocks = [block for _, block in sorted(operation.blocks.items())]
    operation.blocks = {}
    tools = [block.tool for block in blocks if block.tool is not None]
    operation.tool_calls = tools or operation.tool_calls
    if content.wanted() and blocks:
        reason = operation.finish_reasons[0] if operation.finish_reasons else None
        parts = [_part(block) for block in blocks if block.pieces or block.tool]
        operation.output_messages = [messages.message("assistant", *parts, finish_reason=reason)]


def counted(inputs: Any, outputs: Any, read: Any = None, written: Any = None, total: Any = None) -> Usage | None:
    """Return tokens as the conventions count them; cached ones stand beside the input unless the total says else."""
    usage = Usage(payload.as_int(inputs), payload.as_int(outputs), payload.as_int(read), payload.as_int(written))
    if usage == Usage():
        return None
    plain, cached = usage.input_tokens, (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    if plain is not None and cached and total != plain + (usage.output_tokens or 0):
        usage.input_tokens = plain + cached
    return usage


def _part(block: Block) -> messages.Part:
    said = "".join(block.pieces)
    if block.kind == "tool":
        return messages.tool_call(block.call_id, block.tool or "", said or {})
    return messages.reasoning(said) if block.kind == "reasoning" else messages.text(said)
