"""Agents that speak by ZMQ, each a process of its own: every hop between two that obs-run started is in one trace."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from examples.stub_llm import StubServer
from tests.launch import environments, fleet
from tests.launch.fleet import path_of
from tests.launch.running import assert_one_tree, environment, run
from tests.ports import free_port
from tests.test_fleet_example import stable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.otlp_receiver import Receiver

pytestmark = [pytest.mark.environments, pytest.mark.timeout(900)]  # the environment may have to be made first

_PAGE = (environments.ROOT / "docs" / "transports.md").read_text(encoding="utf-8")
[PICTURE] = re.findall(r"^```text\n(asking .*?)^```", _PAGE, re.MULTILINE | re.DOTALL)

COORDINATOR = """
import json, logging, sys, threading
import zmq

log = logging.getLogger("coordinator")
logging.basicConfig(level=logging.INFO)


class Coordinator:
    def __init__(self, port, worker, events):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.REP)
        self.socket.setsockopt(zmq.RCVTIMEO, 500)
        self.socket.bind(f"tcp://127.0.0.1:{port}")
        self.worker = self.context.socket(zmq.REQ)
        self.worker.connect(f"tcp://127.0.0.1:{worker}")
        self.events = self.context.socket(zmq.PUB)
        self.events.connect(f"tcp://127.0.0.1:{events}")
        self.poller = zmq.Poller()
        self.poller.register(self.socket, zmq.POLLIN)
        self.running = True

    def handle(self, request):
        if request["action"] == "stop":
            self.running = False
        log.info(f"Processing {request['action']}")
        self.worker.send_string(json.dumps(request))
        if not self.worker.poll(60_000):
            return {"status": "error"}
        answer = self.worker.recv_json()
        self.events.send_multipart([b"event.done", json.dumps(answer).encode()])
        self.events.send_string("LEARNING_METRIC " + json.dumps(answer))
        return answer

    def loop(self):
        while self.running:
            if not dict(self.poller.poll(100)):
                continue
            request = self.socket.recv_json()
            self.socket.send_json(self.handle(request))
            log.info("waiting")
        for each in (self.socket, self.worker, self.events):
            each.close()
        self.context.term()


thread = threading.Thread(target=Coordinator(*sys.argv[1:]).loop)
thread.start()
thread.join()
"""
WORKER = """
import asyncio, json, logging, sys
import requests, zmq, zmq.asyncio

log = logging.getLogger("worker")
logging.basicConfig(level=logging.INFO)


def ask_model(url, prompt):
    body = {"model": "llama3.2", "messages": [{"role": "user", "content": prompt}]}
    with requests.post(f"{url}/api/chat", json=body, stream=True, timeout=60) as answer:
        return "".join(json.loads(line)["message"]["content"] for line in answer.iter_lines() if line)


async def infer(url, request):
    log.info("inferring")
    loop = asyncio.get_running_loop()
    answer = await loop.run_in_executor(None, ask_model, url, request["action"])
    log.info("inferred")
    return {"status": "success", "action": request["action"], "text": answer}


async def main(port, url):
    with zmq.asyncio.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.bind(f"tcp://127.0.0.1:{port}")
        request = {}
        while request.get("action") != "stop":
            who, empty, text = await socket.recv_multipart()
            request = zmq.utils.jsonapi.loads(text)
            answer = await asyncio.create_task(infer(url, request))
            await socket.send_multipart([who, empty, zmq.utils.jsonapi.dumps(answer)])


asyncio.run(main(*sys.argv[1:]))
"""
LISTENER = """
import json, sys
import zmq

with zmq.Context() as context, context.socket(zmq.SUB) as socket:
    socket.setsockopt_string(zmq.SUBSCRIBE, "")
    socket.bind(f"tcp://127.0.0.1:{sys.argv[1]}")
    stopped = 0
    while stopped < 2:
        frames = socket.recv_multipart()
        topic, text = frames if len(frames) == 2 else frames[0].split(b" ", 1)
        print(topic.decode(), sorted(json.loads(text)), flush=True)
        stopped += json.loads(text)["action"] == "stop"
"""
ASKING = """
import sys
import zmq

with zmq.Context() as context, context.socket(zmq.REQ) as socket:
    socket.RCVTIMEO = 60_000
    socket.connect(f"tcp://127.0.0.1:{sys.argv[1]}")
    for action in ("translate", "summarize", "stop"):
        socket.send_json({"action": action, "request_id": action[0]})
        print(socket.recv_json(), flush=True)
"""
_AGENTS = {"coordinator": COORDINATOR, "worker": WORKER, "listener": LISTENER, "asking": ASKING}
_EVENT = "event.done ['action', 'status', 'text']\nLEARNING_METRIC ['action', 'status', 'text']\n"
SAID = {
    "asking": "".join(
        f"{{'status': 'success', 'action': '{action}', 'text': \"This is the stub's answer to: {action}\"}}\n"
        for action in ("translate", "summarize", "stop")
    ),
    "listener": _EVENT * 3,
}


@pytest.fixture
def model() -> Iterator[str]:
    """Serve models as Ollama does."""
    with StubServer() as stub:
        yield stub.url.removesuffix("/v1")


def talk(place: environments.Environment, endpoint: str, model: str, folder: Path, launched: tuple[str, ...]) -> None:
    """Run the agents, those that are named under obs-run, and check what they say to each other."""
    ports = [str(free_port()) for _ in range(3)]
    coordinator, worker, events = ports
    arguments = {
        "listener": (events,),
        "worker": (worker, model),
        "coordinator": tuple(ports),
        "asking": (coordinator,),
    }
    agents = {name: fleet.Agent(_AGENTS[name], words) for name, words in arguments.items()}
    outputs = fleet.talk(place, endpoint, folder, agents, launched)
    assert {name: outputs[name] for name in SAID} == SAID


def test_every_hop_is_in_the_trace_of_who_asked(receiver: Receiver, model: str, tmp_path: Path) -> None:
    place = environments.environment("zmq")
    talk(place, receiver.endpoint, model, tmp_path, tuple(_AGENTS))
    assert_one_tree(receiver)
    root = receiver.named("asking")[0]
    for action in ("translate", "summarize", "stop"):
        [worked] = [
            span
            for span in receiver.named(f"process {action}")
            if span.resource["service.name"] == "worker"
        ]  # fmt: skip
        assert worked.trace_id == root.trace_id
        within = [
            "asking: asking",
            f"asking: request {action}",
            f"coordinator: process {action}",
            f"coordinator: request {action}",
            f"worker: process {action}",
        ]
        assert path_of(worked, receiver) == within
    heard = [span for span in receiver.spans if span.resource["service.name"] == "listener" and span.parent_id]
    heard = [span for span in heard if span.trace_id == root.trace_id]
    assert len(heard) == 6
    assert {tuple(path_of(span, receiver)[-2:]) for span in heard} == {("coordinator: send", "listener: process")}

    spans = {span.span_id: span for span in receiver.spans}
    lines = {(log.body, spans[log.span_id].name) for log in receiver.logs if log.span_id in spans}
    assert {("Processing translate", "process translate"), ("inferring", "process translate")} <= lines
    assert ("waiting", "coordinator") in lines


@pytest.mark.parametrize(
    "launched", [(), ("asking", "worker"), ("coordinator",), ("coordinator", "listener")], ids=" and ".join
)
def test_some_under_obs_run_and_some_not(
    receiver: Receiver, model: str, tmp_path: Path, launched: tuple[str, ...]
) -> None:
    talk(environments.environment("zmq"), receiver.endpoint, model, tmp_path, launched)
    assert {span.resource["service.name"] for span in receiver.spans} == set(launched)


def test_the_picture_of_the_page(model: str, tmp_path: Path) -> None:
    """What `obsctl show` has of these agents is what docs/transports.md says of them."""
    place = environments.environment("zmq")
    talk(place, "", model, tmp_path, tuple(_AGENTS))
    env = environment("", tmp_path, place.scripts)
    listed = run([place.command("obsctl"), "list", "--json"], tmp_path, env)
    traces = map(json.loads, listed.out.splitlines())
    [asking] = [trace["trace_id"] for trace in traces if trace["service"] == "asking"]
    shown = run([place.command("obsctl"), "show", asking], tmp_path, env)
    assert (shown.code, shown.err) == (0, "")
    begun = [line.removeprefix("  ") for line in shown.out.splitlines()[1:]]
    picture = PICTURE.splitlines()
    assert stable(begun[: len(picture)]) == stable(picture)
