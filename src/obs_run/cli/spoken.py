"""What a trace says: messages, arguments, results and hits of its spans, as lines that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.analysis import messages
from obs_run.base.json_text import to_json
from obs_run.cli import words
from obs_run.core import semconv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from obs_run.analysis.messages import Message
    from obs_run.telemetry.records import LogLine, Span

_MOST_TALKS = 32
_STYLES = {"system": "dim", "developer": "dim", "user": "green", "assistant": "cyan", "tool": "yellow"}
_TEXT_FIELDS = ("content", "text", "refusal")
_OTHERS = (
    (semconv.TOOL_CALL_ARGUMENTS, "arguments"),
    (semconv.TOOL_CALL_RESULT, "result"),
    (semconv.RETRIEVAL_QUERY_TEXT, "query"),
    (semconv.MEMORY_QUERY_TEXT, "query"),
    (semconv.DB_QUERY_TEXT, "query"),
)
_HITS = ((semconv.RETRIEVAL_DOCUMENTS, "hit"), (semconv.MEMORY_RECORDS, "record"))


class Speech(NamedTuple):
    """What one says: who, and the text, of which every line is printable."""

    who: str
    lines: tuple[str, ...]
    style: str = ""


class Speeches:
    """The content of the spans of a trace, each message of a conversation once."""

    def __init__(self, logs: Sequence[LogLine]) -> None:
        self._logs = logs
        self._talks: list[list[str]] = []
        self.has_any = False

    def of(self, span: Span) -> Iterator[Speech]:
        """Return what a span says; what an earlier one of the trace has said already is counted."""
        for speech in self._of(span):
            self.has_any = True
            yield speech

    def _of(self, span: Span) -> Iterator[Speech]:
        told = messages.content(span, self._logs)
        yield from (_speech(message) for message in told.system)
        known = self._known(told.input)
        if known:
            yield Speech("", (f"({words.count(known, 'message')} as before)",), "dim")
        yield from (_speech(message) for message in told.input[known:])
        yield from (_speech(message) for message in told.output)
        if told.input or told.output:
            self._talks = [*self._talks[1 - _MOST_TALKS :], [*map(_key, told.input), *map(_key, told.output)]]
        for name, who in _OTHERS:
            if span.attributes.get(name) is not None:
                yield Speech(who, _lines(_shown(messages.value(span.attributes[name]))))
        for name, who in _HITS:
            yield from _hits(who, span.attributes.get(name))

    def _known(self, told: Sequence[Message]) -> int:
        """Return how many messages at the beginning are those at the beginning of an earlier talk."""
        keys = [_key(message) for message in told]
        longest = 0
        for talk in self._talks:
            same = 0
            while same < min(len(keys), len(talk)) and keys[same] == talk[same]:
                same += 1
            longest = max(longest, same)
        # One message that is equal is mostly the prompt of another talk.
        return longest if longest > 1 else 0


def _key(message: Message) -> str:
    # An answer that is sent back has lost why it ended.
    return to_json({"role": message["role"], "parts": message["parts"]})


def _speech(message: Message) -> Speech:
    role = str(message["role"])
    texts = [_part_text(part) for part in message["parts"]]
    return Speech(words.one_line(role), _lines("\n".join(texts)), _STYLES.get(role, ""))


def _part_text(part: dict[str, Any]) -> str:
    kind = str(part.get("type"))
    read = _PARTS.get(kind)
    if read is not None:
        return read(part)
    text = _own_text(part)
    return _shown(part) if text is None else f"({kind}) {text}"


def _own_text(value: dict[str, Any]) -> str | None:
    return next((value[name] for name in _TEXT_FIELDS if isinstance(value.get(name), str)), None)


def _call(part: dict[str, Any]) -> str:
    arguments = part.get("arguments", part.get("server_tool_call"))
    return f"calls {_shown(part.get('name'))} {_shown(arguments)}".rstrip()


def _response(part: dict[str, Any]) -> str:
    return _shown(part.get("response", part.get("result", part.get("server_tool_call_response"))))


def _binary(part: dict[str, Any]) -> str:
    about = part.get("mime_type") or part.get("modality") or "binary"
    size = part.get("size")
    return f"[{about}]" if size is None else f"[{about}, {words.a_size(size)}]"


def _elsewhere(part: dict[str, Any]) -> str:
    about = part.get("mime_type") or part.get("modality") or part["type"]
    return f"[{about} {_shown(part.get('uri', part.get('file_id')))}]"


_PARTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "text": lambda part: _shown(part.get("content")),
    "reasoning": lambda part: f"(thinks) {_shown(part.get('content'))}",
    "tool_call": _call,
    "server_tool_call": _call,
    "tool_call_response": _response,
    "server_tool_call_response": _response,
    "blob": _binary,
    "omitted_blob": _binary,
    "uri": _elsewhere,
    "file": _elsewhere,
}


def _hits(who: str, attribute: Any) -> Iterator[Speech]:
    told = messages.value(attribute)
    if told is None:
        return
    for at, hit in enumerate(told if isinstance(told, list) else [told], 1):
        if not isinstance(hit, dict):
            yield Speech(f"{who} {at}", _lines(_shown(hit)))
            continue
        score = hit.get("score")
        about = f" ({score:.3g})" if isinstance(score, float) else ""
        text = _own_text(hit)
        others = {name: value for name, value in hit.items() if name != "score"}
        yield Speech(f"{who} {at}{about}", _lines(_shown(others) if text is None else text))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else to_json(value)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(words.one_line(line) for line in text.expandtabs(4).splitlines()) or ("",)
