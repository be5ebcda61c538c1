"""xAI's chat service over gRPC, from the protobufs that the client brings along."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_FAILURES = {"stub-400": "INVALID_ARGUMENT", "stub-429": "RESOURCE_EXHAUSTED", "stub-503-once": "UNAVAILABLE"}


class Server:
    """The service on a port of this machine; a model's name asks for failures, as with the stub over HTTP."""

    def __init__(self) -> None:
        grpc, proto = import_module("grpc"), import_module("xai_sdk.proto")
        self.asked: list[Any] = []
        self._polls = 0
        self._server = grpc.server(ThreadPoolExecutor(4))
        service = type("Service", (_Service, proto.chat_pb2_grpc.ChatServicer), {"home": self, "proto": proto})
        proto.chat_pb2_grpc.add_ChatServicer_to_server(service(), self._server)
        images = getattr(proto, "image_pb2_grpc", None)
        if images is not None:
            images.add_ImageServicer_to_server(
                type("Images", (_Images, images.ImageServicer), {"proto": proto})(), self._server
            )
        port = self._server.add_secure_port("localhost:0", grpc.local_server_credentials())
        self.address = f"localhost:{port}"
        self._server.start()

    def reset(self) -> None:
        self.asked.clear()
        self._polls = 0

    def close(self) -> None:
        self._server.stop(None).wait()

    def admit(self, request: Any, context: Any) -> None:
        """Fail or wait where the model's name says so."""
        grpc = import_module("grpc")
        self.asked.append(request)
        if request.model.startswith("stub-wait="):
            time.sleep(float(request.model.partition("=")[2]))
        failure = _FAILURES.get(request.model)
        if failure is not None and not (request.model.endswith("-once") and len(self.asked) > 1):
            context.abort(grpc.StatusCode[failure], f"The stub was asked for {failure}.")

    def polled(self) -> int:
        self._polls += 1
        return self._polls


class _Service:
    home: Server
    proto: Any

    def GetCompletion(self, request: Any, context: Any) -> Any:  # noqa: N802 (the service's name for it)
        self.home.admit(request, context)
        return self._whole(request)

    def GetCompletionChunk(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        self.home.admit(request, context)
        chat = self.proto.chat_pb2
        whole = self._whole(request)
        for number in range(3):
            chunk = chat.GetChatCompletionChunk(id=whole.id, model=whole.model)
            for answer in _outputs(whole):
                piece = _outputs(chunk).add(index=answer.index)
                piece.delta.role = 2
                if number < 2:
                    words = answer.message.content.split(" ")
                    text = " ".join(words[:2]) if number == 0 else " " + " ".join(words[2:])
                    piece.delta.content = text if answer.message.content else ""
                else:
                    piece.finish_reason = answer.finish_reason
                    piece.delta.tool_calls.extend(answer.message.tool_calls)
            if number == 2 and whole.HasField("usage"):
                chunk.usage.CopyFrom(whole.usage)
            yield chunk

    def StartDeferredCompletion(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.home.admit(request, context)
        return self.proto.deferred_pb2.StartDeferredResponse(request_id="deferred-1")

    def GetDeferredCompletion(self, request: Any, context: Any) -> Any:  # noqa: N802
        assert (request.request_id, context.is_active()) == ("deferred-1", True)
        answer = self.proto.chat_pb2.GetDeferredCompletionResponse()
        done = self.home.polled() > 1
        answer.status = self.proto.deferred_pb2.DeferredStatus.Value("DONE" if done else "PENDING")
        if done:
            answer.response.CopyFrom(self._whole(self.home.asked[-1]))
        return answer

    def _whole(self, request: Any) -> Any:
        base, *switches = request.model.split("+")
        whole = self.proto.chat_pb2.GetChatCompletionResponse(id="response-1", model=base)
        for number in range(request.n or 1):
            answer = _outputs(whole).add(index=number, finish_reason="REASON_STOP")
            answer.message.role = 2
            said = request.messages[-1]
            if request.tools and said.role == 1:
                answer.finish_reason = 4
                for one in request.tools:
                    call = answer.message.tool_calls.add(id=f"call-{one.function.name}")
                    call.function.name, call.function.arguments = one.function.name, '{"city": "Lisbon"}'
            elif request.response_format.format_type == 3:
                answer.message.content = json.dumps({"city": "Lisbon"})
            else:
                answer.message.content = f"This is the stub's answer to: {said.content[0].text}"
            if "reasoning" in switches:
                answer.message.reasoning_content = "Let me think."
        if "no-usage" not in switches:
            usage = whole.usage
            usage.prompt_tokens, usage.prompt_text_tokens, usage.completion_tokens = 9, 9, 7
            usage.cached_prompt_text_tokens = 4 if "cached" in switches else 0
            usage.reasoning_tokens = 5 if "reasoning" in switches else 0
            usage.total_tokens = 16 + usage.reasoning_tokens
        return whole


class _Images:
    proto: Any

    def GenerateImage(self, request: Any, context: Any) -> Any:  # noqa: N802
        assert context.is_active()
        answer = self.proto.image_pb2.ImageResponse(model=request.model)
        answer.images.add(url="https://example.invalid/1.png")
        return answer


def _outputs(message: Any) -> Any:
    return message.outputs if hasattr(message, "outputs") else message.choices
