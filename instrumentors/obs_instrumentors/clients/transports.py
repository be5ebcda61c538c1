"""What HTTP libraries are to us: all that is asked of a request that is no model's, and what is known of an answer.

What model requests mean is much to load, and many processes send none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.core.filtered_calls import wrap_where
from obs_run.core.late_functions import late_functions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.byte_streams import BytesReader
    from obs_run.core.filtered_calls import Concerns
    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import ModelCall, Operation
    from obs_run.core.outcomes import OutcomeTracker, Reader

    Decode = Callable[[bytes], bytes]
    Begin = Callable[[OutcomeTracker, Any], BytesReader | None]
    Started = tuple[ModelCall, Reader] | None

OPERATIONS = ("chat", "text_completion", "generate_content", "embeddings", "rerank")
METHODS = ("POST", "post")
"""The one method of model requests, as agents write it; it is asked of every request, before anything else."""
_ENDS = (
    "/completions",
    "/embeddings",
    "/responses",
    "/v1/messages",
    "/api/chat",
    "/api/generate",
    "/api/embed",
    "/v2/chat",
    "/v1/embed",
    "/v2/embed",
    "/rerank",
    ":generateContent",
    ":streamGenerateContent",
    ":embedContent",
    ":batchEmbedContents",
    ":predict",
)


def is_model_url(url: Any) -> bool:
    """Whether a request to a URL or path may be a model's; whatever the agent gave for it."""
    text = url if type(url) is str else str(url)
    return text.partition("?")[0].endswith(_ENDS)


def is_model_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call that is given a method and ``url`` first may be a model's."""
    if (args[0] if args else kwargs.get("method")) not in METHODS:
        return False
    return is_model_url(args[1] if len(args) > 1 else kwargs.get("url"))


def wrap_model_requests(wrapper: Wrapper, may_be_model_call: Concerns = is_model_call) -> Wrapper:
    """Return ``wrapper`` for requests that may be a model's and that nobody else tells of."""

    def is_ours(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        return may_be_model_call(args, kwargs) and not _is_model_call_reported()

    return wrap_where(is_ours, wrapper)


class Request(NamedTuple):
    """A request that may be a model's; ``body`` is an object, or JSON, or None where it cannot be read."""

    url: str
    body: Any
    headers: tuple[Mapping[str, Any] | None, ...] = ()


class Answer(NamedTuple):
    """The head of a response, and the body where that has been read."""

    status: int
    content_type: str
    body: bytes | None = None


class Transport(NamedTuple):
    """How a library's responses are read.

    ``follow(response, begin)`` has the body followed as the agent reads it, and returns what the recording is found
    by, None where that cannot be; ``decoder`` gives what decodes the bytes that are followed, where they are encoded.
    ``read_failure`` reads what the library raises.
    """

    read_head: Callable[[Any], Answer]
    follow: Callable[[Any, Begin], Any]
    decoder: Callable[[Any], Decode | None]
    read_failure: Callable[[Operation, BaseException], None] | None = None


_is_model_call_reported = late_functions("obs_run.core")("reported_model_calls", "is_model_call_reported")
start: Callable[[Transport, Request], Started] = late_functions("obs_instrumentors.clients")("model_requests", "start")
