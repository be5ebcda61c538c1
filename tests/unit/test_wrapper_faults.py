"""Whatever function of the wrappers' engine raises: the agent's outcome is the one that it has without us."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
import traceback
from contextlib import nullcontext
from dataclasses import is_dataclass
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import INVALID_SPAN_CONTEXT, NonRecordingSpan

from obs_run.base import functions, generators, guard, steps
from obs_run.core import native_spans, outcomes, ownership, recorder, streams
from obs_run.core.operations import Inference
from obs_run.core.outcomes import Call, Reader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

    Outcome = list[Any]
    Scenario = Callable[["Client"], Outcome]

MODULES = (steps, functions, generators, outcomes, streams, native_spans)
# What stands between the agent and its library: the agent or Python itself calls it, so nobody could catch what it
# raises on its own. What it calls is among the faults.
OUTERMOST = {
    "Step.__enter__",
    "Step.__exit__",
    "Step.hides",
    "OutcomeTracker.hides",
    "_ObservedCall.__enter__",
    "_Followed.__iter__",
    "_Followed.__next__",
    "_AsyncFollowed.__aiter__",
    "_AsyncFollowed.__anext__",
    "_FollowedBase.__getattr__",
    "_observe_awaiting",
    "AdoptedApi.get_tracer",
    "AdoptedApi.__getattr__",
    "AdoptedTracer.start_as_current_span",
    "AdoptedTracer.start_span",
    "AdoptedTracer.__getattr__",
    "start_no_span",
}
# Not called while the agent's code runs, but where a table of targets is written or a function decorated.
BEFOREHAND = {"observe_calls", "named_coroutines", "is_decorable", "name_of", "innermost", "AdoptedApi.__init__"} | {
    name for module in (streams, native_spans) for name in vars(module) if name.startswith("wrap_")
}
# A fault in these loses the recording, and with it what the agent must not see: that once.
LOSES_TRACK = {
    "followed",
    "follow_generators",
    "follow_async_generators",
    "_start_reading",
    "OutcomeTracker._follow_generator",
    "tracker_of",
    "OutcomeTracker.read_returned",
    "OutcomeTracker.start_reading",
    "OutcomeTracker._wait_for",
    "_FollowedBase.__init__",
    "_FollowedBase._start_reading",
    "_follow_iterator",
    "Theirs.deferred",
    "Theirs.key",
    "Theirs.is_synthetic",
}


class Recording:
    """Stands for the recorder's."""

    def __init__(self, operation: Any) -> None:
        self.operation = operation
        self.is_ended = False

    def __enter__(self) -> None:
        """Become current."""

    def __exit__(self, *_: object) -> None:
        """Become current no more."""

    def chunk(self) -> None:
        """Note a chunk."""

    def end(self, error: BaseException | None = None) -> None:  # noqa: ARG002 (as the recorder's)
        self.is_ended = True

    @staticmethod
    def start(operation: Any) -> Recording:
        return Recording(operation)


class Theirs:
    """The functions of an instrumentor and of an observer of calls."""

    @staticmethod
    def begin(call: Call, *, lazy: bool) -> tuple[Inference, Reader]:
        if call.args:
            call.replace(0, "first", call.argument(0, "first"))
        if "synthetic" in call.kwargs:
            call.replace(9, "synthetic", value=True)
        reader = Reader(
            Theirs.result,
            deferred=Theirs.deferred,
            chunk=Theirs.chunk,
            is_synthetic=Theirs.is_synthetic,
            end=Theirs.end,
            failure=Theirs.failure,
            closed=Theirs.closed,
            lazy=lazy,
        )
        return Inference("chat"), reader

    @staticmethod
    def result(operation: Any, returned: Any) -> None:
        operation.response_id = returned

    @staticmethod
    def deferred(returned: Any) -> Any:
        return returned if isinstance(returned, Stream) else None

    @staticmethod
    def chunk(operation: Any, chunk: Any) -> None:
        operation.response_id = chunk

    @staticmethod
    def is_synthetic(_: Any, chunk: Any) -> bool:
        return bool(chunk == "synthetic")

    @staticmethod
    def end(operation: Any) -> None:
        operation.finish_reasons = ["stop"]

    @staticmethod
    def failure(operation: Any, error: BaseException) -> None:
        operation.error_type = str(error)

    @staticmethod
    def closed(operation: Any, response: Any) -> None:
        operation.response_id = response

    @staticmethod
    def key(stream: Any) -> Any:
        return stream

    @staticmethod
    def is_last(_: Any, part: Any) -> bool:
        return not part

    @staticmethod
    def read_inner(operation: Any, call: Call) -> None:
        operation.response_id = call.args

    @staticmethod
    def covers(*_: Any) -> bool:
        return False

    @staticmethod
    def own_provider(_: Call) -> None:
        return None

    @staticmethod
    def replace(call: Call) -> str | None:
        return "replaced" if native_spans.has_global_provider(call.kwargs["tracer"]) else None


class Observer:
    """An observer of calls."""

    @staticmethod
    def begin(_args: Any, _kwargs: Any) -> Observer:
        return Observer()

    def running(self) -> Any:
        return Running()

    def end(self, error: BaseException | None, result: Any) -> None:
        """Take the end."""


class Running:
    """What an observer has be current."""

    def __enter__(self) -> None:
        """Become current."""

    def __exit__(self, *_: object) -> None:
        """Become current no more."""


FAKES = (Recording, Theirs, Observer, Running)


class Stream:
    """A stream of a library in all shapes at once."""

    def __init__(self, client: Client, chunks: Any) -> None:
        self.client = client
        self.chunks = chunks
        self.parts = iter(["one", "two", ""])

    def next(self) -> Any:
        return next(self.chunks)

    async def anext(self) -> Any:
        return await self.chunks.__anext__()

    def read(self) -> str:
        return next(self.parts)

    async def aread(self) -> str:
        return next(self.parts)

    def each(self) -> Iterator[Any]:
        yield from self.chunks

    async def aeach(self) -> AsyncGenerator[Any, None]:
        async for chunk in self.chunks:
            yield chunk

    def close(self) -> str:
        self.client.log.append("closed")
        return "bye"


class Client:
    """A library and functions of an agent; what was done to them is in ``log``."""

    def __init__(self, *, ours: bool) -> None:
        self.log: list[Any] = []
        self.ours = ours

    def do(self, wrapper: Callable[[], Any], function: Any, *args: Any, instance: Any = None, **kwargs: Any) -> Any:
        """Call a function of the library, with a wrapper around it where it is instrumented."""
        return wrapper()(function, instance, args, kwargs) if self.ours else function(*args, **kwargs)

    def observed(self, function: Any) -> Any:
        return functions.observe_calls(function, Observer.begin) if self.ours else function

    def answer(self, error: type[BaseException] | None = None) -> str:
        self.log.append("asked")
        if error is not None:
            raise error("theirs")
        return "answer"

    async def aanswer(self, error: type[BaseException] | None = None) -> str:
        await asyncio.sleep(0)
        return self.answer(error)

    def chunks(self, error: type[BaseException] | None = None, *, synthetic: bool = False) -> Generator[Any, Any, str]:
        self.log.append("begun")
        try:
            sent = yield "one"
            self.log.append(sent)
            try:
                yield "two"
            except KeyError as thrown:
                self.log.append(repr(thrown))
                yield "caught"
            if synthetic:
                yield "synthetic"
            if error is not None:
                raise error("theirs")
            yield "three"
        finally:
            self.log.append("over")
        return "returned"

    async def achunks(
        self, error: type[BaseException] | None = None, *, synthetic: bool = False
    ) -> AsyncGenerator[Any, Any]:
        inner = self.chunks(error, synthetic=synthetic)
        try:
            chunk = next(inner)
            while True:
                try:
                    sent = yield chunk
                    chunk = inner.send(sent)
                except KeyError as thrown:  # noqa: PERF203 (it is thrown into each step)
                    chunk = inner.throw(thrown)
        except StopIteration:
            return
        finally:
            inner.close()

    def stream(self, chunks: Any, error: type[BaseException] | None = None, **options: bool) -> Stream:
        self.log.append("streamed")
        return Stream(self, chunks(error, **options))


ERRORS = (None, ValueError, KeyboardInterrupt, asyncio.CancelledError)


def call() -> Any:
    return streams.wrap_call(partial(Theirs.begin, lazy=False))


def async_call() -> Any:
    return streams.wrap_async_call(partial(Theirs.begin, lazy=False))


def lazy() -> Any:
    return streams.wrap_call(partial(Theirs.begin, lazy=True))


def tried(function: Callable[[], Any]) -> Any:
    """Return a result, or the error; ours are told by their text from the library's."""
    try:
        return function()
    except BaseException as error:  # noqa: BLE001 (it is compared)
        return type(error).__name__, str(error)


def awaited(coroutine: Any) -> Any:
    """Run a coroutine without a loop, which would take KeyboardInterrupt for its own end."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


async def alist(chunks: Any) -> list[Any]:
    return [chunk async for chunk in chunks]


def read_all(chunks: Any) -> Outcome:
    """Read to the end, and keep what was read before an error."""
    seen: Outcome = []
    seen.append(tried(lambda: seen.extend(chunks)))
    return seen


def aread_all(chunks: Any) -> Outcome:
    async def read() -> None:
        async for chunk in chunks:
            seen.append(chunk)

    seen: Outcome = []
    seen.append(tried(lambda: awaited(read())))
    return seen


def drive(chunks: Any) -> Outcome:
    """Use all of a generator's methods."""
    seen = [type(chunks).__name__, inspect.isgenerator(chunks), next(chunks), chunks.send("sent")]
    seen.append(tried(lambda: chunks.throw(KeyError("thrown"))))
    return [*seen, *read_all(chunks)]


def adrive(chunks: Any) -> Outcome:
    seen = [type(chunks).__name__, awaited(chunks.__anext__()), awaited(chunks.asend("sent"))]
    seen.append(tried(lambda: awaited(chunks.athrow(KeyError("thrown")))))
    return [*seen, *aread_all(chunks)]


def leave(chunks: Any) -> Outcome:
    return [next(chunks), chunks.close(), read_all(chunks)]


def aleave(chunks: Any) -> Outcome:
    return [awaited(chunks.__anext__()), awaited(chunks.aclose()), aread_all(chunks)]


def pull(step: Callable[[], Any]) -> Outcome:
    """Take one chunk after the other until something is raised."""
    seen: Outcome = []
    while len(seen) < 9:
        seen.append(tried(step))
        if isinstance(seen[-1], tuple):
            break
    return seen


def sync_calls(client: Client) -> Outcome:
    wrappers = (call, lazy)
    return [tried(partial(client.do, wrapper, client.answer, error)) for error in ERRORS for wrapper in wrappers]


def async_calls(client: Client) -> Outcome:
    return [tried(lambda: awaited(client.do(async_call, client.aanswer, error))) for error in ERRORS]  # noqa: B023 (called at once)


def returned_coroutines(client: Client) -> Outcome:
    seen: Outcome = []
    for wrapper in (call, lazy, unfollowed):
        for error in ERRORS:
            coroutine = client.do(wrapper, client.aanswer, error)
            seen.append(type(coroutine).__name__)
            seen.append(tried(partial(awaited, coroutine)))
        left = client.do(wrapper, client.aanswer)
        left.send(None)
        seen.append(left.close())
    return seen


def unfollowed() -> Any:
    """Return what follows a coroutine in steps of no recording."""

    def wrapper(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        inner = wrapped(*args, **kwargs)
        return guard.call("stream", generators.followed, inner, lambda: None, default=inner)

    return wrapper


def returned_generators(client: Client) -> Outcome:
    seen: Outcome = []
    for wrapper in (call, lazy):
        for error in ERRORS:
            chunks = client.do(wrapper, client.chunks, error)
            client.log.append("returned")
            seen.append(read_all(chunks))
            seen.append(aread_all(client.do(wrapper, client.achunks, error)))
        seen.append(drive(client.do(wrapper, client.chunks)))
        seen.append(adrive(client.do(wrapper, client.achunks)))
        seen.append(leave(client.do(wrapper, client.chunks)))
        seen.append(aleave(client.do(wrapper, client.achunks)))
    return seen


def unread_generators(client: Client) -> Outcome:
    return [type(client.do(wrapper, client.chunks)).__name__ for wrapper in (call, lazy)]


def stepped_streams(client: Client) -> Outcome:
    seen: Outcome = []
    for current in (False, True):
        following = partial(streams.wrap_next, Theirs.key, current=current)
        async_following = partial(streams.wrap_anext, Theirs.key, current=current)
        for error in ERRORS:
            stream = client.do(call, client.stream, client.chunks, error)
            seen.append(pull(partial(client.do, following, stream.next, instance=stream)))
            stream = client.do(call, client.stream, client.achunks, error)
            seen.append(pull(lambda: awaited(client.do(async_following, stream.anext, instance=stream))))  # noqa: B023 (called at once)
    return seen


def iterated_streams(client: Client) -> Outcome:
    seen: Outcome = []
    for error in ERRORS:
        for wrapper in (streams.wrap_iter, streams.wrap_generator):
            around = partial(wrapper, Theirs.key)
            stream = client.do(call, client.stream, client.chunks, error)
            chunks = client.do(around, stream.each, instance=stream)
            client.log.append("iterated")
            seen.append(read_all(chunks))
            stream = client.do(call, client.stream, client.achunks, error)
            seen.append(aread_all(client.do(around, stream.aeach, instance=stream)))
    stream = client.do(call, client.stream, client.chunks)
    return [*seen, leave(client.do(partial(streams.wrap_iter, Theirs.key), stream.each, instance=stream))]


def read_bodies(client: Client) -> Outcome:
    reading = partial(streams.wrap_read, Theirs.key, Theirs.is_last)
    async_reading = partial(streams.wrap_async_read, Theirs.key, Theirs.is_last)
    stream = client.do(call, client.stream, client.chunks)
    seen = pull(lambda: client.do(reading, stream.read, instance=stream))
    other = client.do(call, client.stream, client.chunks)
    return [*seen, *pull(lambda: awaited(client.do(async_reading, other.aread, instance=other)))]


def closed_streams(client: Client) -> Outcome:
    closing, following = partial(streams.wrap_close, Theirs.key), partial(streams.wrap_next, Theirs.key)
    stream = client.do(call, client.stream, client.chunks)
    seen = [client.do(closing, stream.close, instance=stream)]
    stream = client.do(call, client.stream, client.chunks)
    seen.append(client.do(following, stream.next, instance=stream))
    seen.append(client.do(closing, stream.close, instance=stream))
    # One that is let go of unread.
    del stream
    client.do(call, client.stream, client.chunks)
    return seen


def inner_calls(client: Client) -> Outcome:
    inside = partial(streams.wrap_inner_call, Theirs.read_inner)
    return [tried(lambda: client.do(inside, client.answer, error)) for error in ERRORS]  # noqa: B023 (called at once)


def decorated_functions(client: Client) -> Outcome:
    seen: Outcome = []
    observed = client.observed
    for error in ERRORS:
        seen.append(tried(lambda: observed(client.answer)(error)))  # noqa: B023 (called at once)
        seen.append(tried(lambda: awaited(observed(client.aanswer)(error))))  # noqa: B023 (called at once)
        seen.append(tried(lambda: awaited(observed(lambda: client.aanswer(error))())))  # noqa: B023 (called at once)
        seen.append(read_all(observed(client.chunks)(error)))
        seen.append(aread_all(observed(client.achunks)(error)))
    seen += [drive(observed(client.chunks)()), adrive(observed(client.achunks)())]
    return [*seen, leave(observed(client.chunks)()), aleave(observed(client.achunks)())]


def decorated_methods(client: Client) -> Outcome:
    class Agent:
        def __init__(self) -> None:
            self.name = "agent"

        static = staticmethod(client.answer)

    made = client.observed(Agent)
    return [made is Agent, made().name, client.observed(vars(Agent)["static"]).__func__()]


def native_tracers(client: Client) -> Outcome:
    def start_span(name: str, **_: Any) -> str:
        client.log.append("span")
        return name

    def start_as_current_span(name: str, **more: Any) -> Any:
        return nullcontext(start_span(name, **more))

    tracer = SimpleNamespace(start_span=start_span, start_as_current_span=start_as_current_span, other="other")
    wrapper = partial(native_spans.wrap_get_tracer, Theirs.covers, Theirs.own_provider)
    adopted = client.do(wrapper, lambda: tracer)
    replacing = partial(native_spans.wrap_replaced, Theirs.replace)
    request = client.do(replacing, lambda tracer: ["request", tracer is not None], tracer=SimpleNamespace(resource="x"))
    standing_in = partial(native_spans.wrap_replaced, native_spans.span_of_current)
    current = client.do(standing_in, lambda: NonRecordingSpan(INVALID_SPAN_CONTEXT))
    with client.do(lambda: native_spans.start_no_span, lambda: nullcontext("span")):
        with adopted.start_as_current_span("name") as span:
            spans = [span, adopted.start_span("name", attributes={"x": 1}), adopted.start_span("name")]
        return [request, type(current), *spans, adopted.other]


SCENARIOS = (
    sync_calls,
    async_calls,
    returned_coroutines,
    returned_generators,
    unread_generators,
    stepped_streams,
    iterated_streams,
    read_bodies,
    closed_streams,
    inner_calls,
    decorated_functions,
    decorated_methods,
    native_tracers,
)


def synthetic_chunks(client: Client) -> Outcome:
    """Read streams in all shapes whose library was asked for a chunk that the agent does not want."""
    seen: Outcome = []
    quiet = {"synthetic": False}
    seen.append(read_all(client.do(call, client.chunks, **quiet)))
    seen.append(aread_all(client.do(call, client.achunks, **quiet)))
    stream = client.do(call, client.stream, client.chunks, **quiet)
    seen.append(read_all(client.do(partial(streams.wrap_iter, Theirs.key), stream.each, instance=stream)))
    stream = client.do(call, client.stream, client.achunks, **quiet)
    seen.append(aread_all(client.do(partial(streams.wrap_iter, Theirs.key), stream.aeach, instance=stream)))
    stream = client.do(call, client.stream, client.chunks, **quiet)
    following = partial(streams.wrap_next, Theirs.key)
    return [*seen, pull(lambda: client.do(following, stream.next, instance=stream))]


def outcome(scenario: Scenario, *, ours: bool) -> Outcome:
    client = Client(ours=ours)
    return [scenario(client), client.log]


def defined_in(owner: Any, file: str | None) -> Iterator[str]:
    """Give the names of the functions that a module or class defines itself, or that ``dataclass`` made."""
    for name, value in vars(owner).items():
        made = name == "__init__" and is_dataclass(owner)
        function = getattr(value, "__func__", value)
        if inspect.isfunction(function) and (made or function.__code__.co_filename == file):
            yield name


def each_function() -> Iterator[tuple[str, Any, str]]:
    """Give each function as the faults are called, with what it is an attribute of."""
    for module in MODULES:
        for name in defined_in(module, module.__file__):
            yield name, module, name
        for kind in vars(module).values():
            if inspect.isclass(kind) and kind.__module__ == module.__name__:
                for name in defined_in(kind, module.__file__):
                    yield f"{kind.__name__}.{name}", kind, name
    for fake in FAKES:
        for name in defined_in(fake, __file__):
            yield f"{fake.__name__}.{name}", fake, name


FAULTS = {label: (owner, name) for label, owner, name in each_function() if label not in OUTERMOST | BEFOREHAND}
NEVER_CALLED = {"CallObserver.running", "CallObserver.end"}


@pytest.fixture(autouse=True)
def _recorder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "start", lambda operation: Recording.start(operation))  # noqa: PLW0108 (a fault is put in its place)
    monkeypatch.setattr(ownership, "current_recording", lambda: Recording(Inference("chat")))
    monkeypatch.setattr(guard, "_failures", set())
    monkeypatch.setattr(outcomes, "_waiting", {})


def put_fault(monkeypatch: pytest.MonkeyPatch, fault: str, when: str, error: type[Exception]) -> list[str]:
    """Have a function raise instead of or after what it does; return the list of each time that it did."""
    owner, name = FAULTS[fault]
    original = inspect.getattr_static(owner, name)
    function = getattr(original, "__func__", original)
    fired: list[str] = []

    def broken(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            function(*args, **kwargs)
        fired.append(fault)
        raise error("ours")

    for each in (owner,) if inspect.isclass(owner) else MODULES:
        if vars(each).get(name) is original:
            monkeypatch.setattr(each, name, staticmethod(broken) if original is not function else broken)
    return fired


@pytest.mark.parametrize("error", [RuntimeError, StopIteration])
@pytest.mark.parametrize("when", ["instead", "after"])
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # of what a fault lets go of
@pytest.mark.parametrize("fault", sorted(set(FAULTS) - NEVER_CALLED))
def test_a_fault_of_ours_changes_nothing(
    fault: str, when: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = [outcome(each, ours=False) for each in SCENARIOS]
    fired = put_fault(monkeypatch, fault, when, error)
    for scenario, expected in zip(SCENARIOS, without, strict=True):
        assert outcome(scenario, ours=True) == expected, scenario.__name__
    assert fired
    assert guard.has_failed()


@pytest.mark.parametrize("when", ["instead", "after"])
@pytest.mark.parametrize("fault", sorted(set(FAULTS) - NEVER_CALLED - LOSES_TRACK))
def test_a_chunk_that_is_hidden_stays_hidden(fault: str, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without = outcome(synthetic_chunks, ours=False)
    put_fault(monkeypatch, fault, when, RuntimeError)
    assert outcome(synthetic_chunks, ours=True) == without


def test_nothing_is_left_out() -> None:
    labels = {label for label, _, _ in each_function()}
    assert labels >= OUTERMOST | BEFOREHAND | LOSES_TRACK | NEVER_CALLED
    without = [outcome(each, ours=False) for each in (*SCENARIOS, synthetic_chunks)]
    assert [outcome(each, ours=True) for each in (*SCENARIOS, synthetic_chunks)] == without
    assert not guard.has_failed()
    gc.collect()
    assert not outcomes._waiting


# Before Python 3.11 no frame can leave a traceback.
FRAMES = 0 if sys.version_info >= (3, 11) else 1


def frames_of_ours(function: Callable[[], Any]) -> int:
    with pytest.raises(ValueError, match="theirs") as caught:
        function()
    # Frames that searches for the caller pass over have more in the name.
    files = tuple(str(module.__file__) for module in (*MODULES, guard))
    return sum(frame.filename.startswith(files) for frame in traceback.extract_tb(caught.value.__traceback__))


def test_tracebacks_have_no_frame_of_ours() -> None:
    client, error = Client(ours=True), ERRORS[1]
    stream = client.do(call, client.stream, client.chunks, error)
    iterated = client.do(partial(streams.wrap_iter, Theirs.key), stream.each, instance=stream)
    calls: dict[str, Callable[[], Any]] = {
        "call": lambda: client.do(call, client.answer, error),
        "async call": lambda: awaited(client.do(async_call, client.aanswer, error)),
        "generator": lambda: list(client.do(call, client.chunks, error)),
        "async generator": lambda: awaited(alist(client.do(lazy, client.achunks, error))),
        "stream": lambda: list(iterated),
        "function": lambda: client.observed(client.answer)(error),
        "coroutine function": lambda: awaited(client.observed(client.aanswer)(error)),
        "generator function": lambda: list(client.observed(client.chunks)(error)),
        "async generator function": lambda: awaited(alist(client.observed(client.achunks)(error))),
    }
    assert {name: frames_of_ours(function) for name, function in calls.items()} == dict.fromkeys(calls, FRAMES)
