"""The agents of a fleet, as real ones are written: each program tells on its output what it received, byte by byte.

``stop`` is asked for like all else, goes the same ways, and ends whoever gets it.
"""

from __future__ import annotations

ACTIONS = ("translate", "summarize", "stop")
_TOLD = """
import json, sys

def received(channel, *parts, headers=()):
    texts = [part.decode("latin-1") if isinstance(part, bytes) else part for part in parts]
    print(json.dumps([channel, texts, list(headers)]), flush=True)

def ready():
    print("ready", flush=True)
"""

_CLIENT = """
import zmq

with zmq.Context() as context, context.socket(zmq.REQ) as socket:
    socket.RCVTIMEO = 60_000
    socket.connect(f"tcp://127.0.0.1:{sys.argv[1]}")
    for number, action in enumerate(sys.argv[2:]):
        socket.send_json({"action": action, "request_id": f"request-{number}"})
        received("coordinator's answer", socket.recv())
"""

_COORDINATOR = """
import logging, threading
from concurrent.futures import ThreadPoolExecutor
import requests, zmq

log = logging.getLogger("coordinator")
logging.basicConfig(level=logging.INFO)
port, worker, registry, events, gateway = sys.argv[1:]


class CoordinatorAgent:
    def __init__(self):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.REP)
        self.socket.bind(f"tcp://127.0.0.1:{port}")
        self.worker = self.context.socket(zmq.DEALER)
        self.worker.connect(f"tcp://127.0.0.1:{worker}")
        self.registry = self.context.socket(zmq.REQ)
        self.registry.connect(f"tcp://127.0.0.1:{registry}")
        self.events = self.context.socket(zmq.XPUB)
        self.events.connect(f"tcp://127.0.0.1:{events}")
        self.events.recv()
        self.poller = zmq.Poller()
        self.poller.register(self.socket, zmq.POLLIN)
        self.executor = ThreadPoolExecutor(2)
        self.running = True

    def infer(self, request):
        self.worker.send_multipart([b"", json.dumps(request).encode()])
        empty, text = self.worker.recv_multipart()
        received("worker's answer", empty, text)
        return json.loads(text)

    def remember(self, request):
        answer = requests.post(f"http://127.0.0.1:{gateway}/memories?kind=episodic", json=request, timeout=60)
        received("gateway's answer", str(answer.status_code), answer.content)

    def handle_request(self, request):
        log.info(f"Processing {request['action']}")
        self.registry.send_json({"command": "lookup", "name": "worker"})
        received("registry's answer", self.registry.recv())
        self.registry.send_string("ping")
        received("registry's pong", self.registry.recv())
        remembering = self.executor.submit(self.remember, request)
        answer = self.infer(request)
        remembering.result()
        self.events.send_multipart([b"event.done", json.dumps({**request, **answer}).encode()])
        self.events.send_string("LEARNING_METRIC " + json.dumps(request))
        return {"status": "success", **answer}

    def run(self):
        while self.running:
            if not dict(self.poller.poll(100)):
                continue
            text = self.socket.recv()
            received("request", text)
            request = json.loads(text)
            self.running = request["action"] != "stop"
            self.socket.send_json(self.handle_request(request))
        self.registry.send_string("stop")
        received("registry's pong", self.registry.recv())
        self.executor.shutdown()
        for each in (self.socket, self.worker, self.registry, self.events):
            each.close()
        self.context.term()


agent = CoordinatorAgent()
thread = threading.Thread(target=agent.run)
thread.start()
ready()
thread.join()
"""

_REGISTRY = """
import zmq

with zmq.Context() as context, context.socket(zmq.REP) as socket:
    socket.bind(f"tcp://127.0.0.1:{sys.argv[1]}")
    ready()
    text = b""
    while text != b"stop":
        text = socket.recv()
        received("request", text)
        if text[:1] != b"{":
            socket.send(b"pong")
            continue
        request = json.loads(text)
        if set(request) != {"command", "name"}:
            raise SystemExit(f"unknown keys in {request}")
        socket.send_json({"status": "ok", "name": request["name"]})
"""

_WORKER = """
import asyncio, logging, pickle
import msgpack, requests, zmq, zmq.asyncio

log = logging.getLogger("worker")
logging.basicConfig(level=logging.INFO)
port, meter, model = sys.argv[1:]


def ask_model(prompt):
    body = {"model": "llama3.2", "messages": [{"role": "user", "content": prompt}], "stream": True}
    with requests.post(f"{model}/api/chat", json=body, stream=True, timeout=60) as answer:
        return "".join(json.loads(line)["message"]["content"] for line in answer.iter_lines() if line)


async def infer(request):
    log.info("inferring")
    loop = asyncio.get_running_loop()
    return {"text": await loop.run_in_executor(None, ask_model, request["action"])}


async def main():
    with zmq.asyncio.Context() as context, context.socket(zmq.ROUTER) as socket, context.socket(zmq.PUSH) as push:
        socket.bind(f"tcp://127.0.0.1:{port}")
        push.connect(f"tcp://127.0.0.1:{meter}")
        ready()
        request = {}
        while request.get("action") != "stop":
            who, empty, text = await socket.recv_multipart()
            received("request", empty, text)
            request = json.loads(text)
            answer = await asyncio.create_task(infer(request))
            await push.send(json.dumps(request).encode())
            await push.send(pickle.dumps(request, 5))
            await push.send(msgpack.packb(request))
            await push.send_string(f"done {request['action']}")
            await socket.send_multipart([who, empty, json.dumps(answer).encode()])


asyncio.run(main())
"""

_METER = """
import zmq

with zmq.Context() as context, context.socket(zmq.PULL) as socket:
    socket.bind(f"tcp://127.0.0.1:{sys.argv[1]}")
    ready()
    text = b""
    while text != b"done stop":
        text = socket.recv()
        received("sample", text)
"""

_GATEWAY = """
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import grpc

port, memory = sys.argv[1:]
channel = grpc.insecure_channel(f"127.0.0.1:{memory}")
store = channel.unary_unary("/fleet.Memory/Store")


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        received("request", self.path, body, headers=sorted(map(list, self.headers.items())))
        answer = store(body, timeout=60, metadata=(("x-agent", "gateway"),))
        self.send_response(201)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        if json.loads(body)["action"] == "stop":
            threading.Thread(target=server.shutdown).start()

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
ready()
server.serve_forever()
server.server_close()
"""

_MEMORY = """
import threading
from concurrent import futures
import grpc, redis

port, server_of_redis = sys.argv[1:]
client = redis.Redis(port=int(server_of_redis))
stopped = threading.Event()


def store(body, context):
    received("request", body, headers=sorted(list(pair) for pair in context.invocation_metadata()))
    request = json.loads(body)
    client.set(f"memory:{request['request_id']}", body)
    client.xadd("memories", {"agent": "memory", "body": body, "action": request["action"]})
    if request["action"] == "stop":
        stopped.set()
    return body.upper()


server = grpc.server(futures.ThreadPoolExecutor(4))
handlers = {"Store": grpc.unary_unary_rpc_method_handler(store)}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("fleet.Memory", handlers),))
server.add_insecure_port(f"127.0.0.1:{port}")
server.start()
ready()
stopped.wait()
server.stop(10).wait()
"""

_ARCHIVIST = """
import asyncio
import nats
import redis.asyncio

server_of_redis, server_of_nats = sys.argv[1:]


async def main():
    client = redis.asyncio.Redis(port=int(server_of_redis))
    connection = await nats.connect(server_of_nats, name="archivist")
    await client.xgroup_create("memories", "archive", id="$", mkstream=True)
    ready()
    action = b""
    while action != b"stop":
        for stream, entries in await client.xreadgroup("archive", "archivist", {"memories": ">"}, count=1, block=1000):
            for entry, fields in entries:
                received("entry", stream, *[part for pair in fields.items() for part in pair])
                action = fields[b"action"]
                await connection.publish("archive.stored", fields[b"body"], headers={"agent": "archivist"})
                await client.xack("memories", "archive", entry)
    await connection.drain()
    await client.aclose()


asyncio.run(main())
"""

_AUDITOR = """
import asyncio
import nats


async def main():
    connection = await nats.connect(sys.argv[1], name="auditor")
    stopped = asyncio.Event()

    async def audit(message):
        received("stored", message.subject, message.data, headers=sorted(map(list, message.headers.items())))
        answer = await connection.request("speaker.say", message.data, timeout=60)
        received("speaker's answer", answer.data)
        if json.loads(message.data)["action"] == "stop":
            stopped.set()

    await connection.subscribe("archive.*", "auditors", cb=audit)
    await connection.flush()
    ready()
    await stopped.wait()
    await connection.drain()


asyncio.run(main())
"""

_SPEAKER = """
import asyncio, subprocess
import nats

server_of_nats, script, model = sys.argv[1:]


def speak(text):
    return subprocess.run([sys.executable, script, model], input=text, stdout=subprocess.PIPE, check=True).stdout


async def main():
    connection = await nats.connect(server_of_nats)
    asked = await connection.subscribe("speaker.*")
    await connection.flush()
    ready()
    loop = asyncio.get_running_loop()
    async for message in asked.messages:
        received("request", message.data, headers=sorted(map(list, (message.headers or {}).items())))
        spoken = await loop.run_in_executor(None, speak, message.data)
        received("what was spoken", spoken)
        await message.respond(spoken)
        if json.loads(message.data)["action"] == "stop":
            break
    await connection.drain()


asyncio.run(main())
"""

SPEAK = """
import json, sys, urllib.request

request = json.load(sys.stdin)
body = {"model": "gpt-5", "messages": [{"role": "user", "content": request["action"]}]}
asked = urllib.request.Request(f"{sys.argv[1]}/v1/chat/completions", json.dumps(body).encode(), method="POST")
with urllib.request.urlopen(asked, timeout=60) as answer:
    print(json.load(answer)["choices"][0]["message"]["content"])
"""

_LISTENER = """
import asyncio
import aiohttp, zmq

port, dashboard = sys.argv[1:]


async def show(event):
    async with aiohttp.ClientSession() as session:
        async with session.post(f"http://127.0.0.1:{dashboard}/events", json=event) as answer:
            received("dashboard's answer", str(answer.status), await answer.read())


with zmq.Context() as context, context.socket(zmq.SUB) as socket:
    socket.setsockopt_string(zmq.SUBSCRIBE, "")
    socket.bind(f"tcp://127.0.0.1:{port}")
    ready()
    stopped = 0
    while stopped < 2:
        frames = socket.recv_multipart()
        received("event", *frames)
        topic, text = frames if len(frames) == 2 else frames[0].split(b" ", 1)
        event = json.loads(text)
        if topic == b"event.done":
            asyncio.run(show(event))
        stopped += event["action"] == "stop"
"""

_DASHBOARD = """
import asyncio
import redis.asyncio
import uvicorn

port, server_of_redis = sys.argv[1:]
client = redis.asyncio.Redis(port=int(server_of_redis))


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = sorted([name.decode(), value.decode()] for name, value in scope["headers"])
    received("request", scope["path"], body, headers=headers)
    await client.publish("dashboard.shown", body)
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
    server.should_exit = json.loads(body)["action"] == "stop"


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        ready()


server = Server(uvicorn.Config(app, port=int(port), log_config=None))
server.run()
"""

_NOTIFIER = """
import redis

with redis.Redis(port=int(sys.argv[1])) as client, client.pubsub(ignore_subscribe_messages=True) as subscription:
    subscription.subscribe("dashboard.shown")
    while not client.pubsub_numsub("dashboard.shown")[0][1]:
        subscription.get_message(timeout=1)
    ready()
    for message in subscription.listen():
        received("shown", message["channel"], message["data"])
        if json.loads(message["data"])["action"] == "stop":
            break
"""

_PLANNER = """
import asyncio
from aiokafka import AIOKafkaProducer
from apscheduler.schedulers.asyncio import AsyncIOScheduler

broker, *actions = sys.argv[1:]


async def main():
    async with AIOKafkaProducer(bootstrap_servers=broker, client_id="planner") as producer:
        planned = asyncio.Queue()

        async def plan(action):
            body = json.dumps({"action": action, "due": "today"}).encode()
            kept = await producer.send_and_wait("plans", body, key=action.encode(), headers=[("agent", b"planner")])
            planned.put_nowait(kept)

        scheduler = AsyncIOScheduler()
        scheduler.start()
        for action in actions:
            scheduler.add_job(plan, args=[action])
            kept = await planned.get()
            received("what the broker kept", kept.topic, str(kept.offset))
        scheduler.shutdown()


asyncio.run(main())
"""

_ANALYST = """
import asyncio
import websockets
from aiokafka import AIOKafkaConsumer

broker, display = sys.argv[1:]


async def show(plan):
    async with websockets.connect(f"ws://127.0.0.1:{display}/plans") as connection:
        await connection.send(plan)
        received("display's answer", await connection.recv())


async def main():
    consumer = AIOKafkaConsumer("plans", bootstrap_servers=broker, group_id="analysts", auto_offset_reset="earliest")
    await consumer.start()
    ready()
    async for record in consumer:
        headers = [[name, value.decode()] for name, value in record.headers]
        received("plan", record.topic, str(record.offset), record.key, record.value, headers=headers)
        await show(record.value.decode())
        if record.key == b"stop":
            break
    await consumer.stop()


asyncio.run(main())
"""

_DISPLAY = """
import threading
from websockets.sync.server import serve

NEW_EACH_TIME = "sec-websocket-key"


def handle(connection):
    request = connection.request
    headers = sorted([name, value] for name, value in request.headers.raw_items() if name.lower() != NEW_EACH_TIME)
    received("handshake", request.path, headers=headers)
    for text in connection:
        received("shown plan", text)
        connection.send(text.upper())
        if json.loads(text)["action"] == "stop":
            threading.Thread(target=server.shutdown).start()


with serve(handle, "127.0.0.1", int(sys.argv[1])) as server:
    ready()
    server.serve_forever()
"""

SOURCES = {
    "registry": _REGISTRY,
    "meter": _METER,
    "worker": _WORKER,
    "speaker": _SPEAKER,
    "auditor": _AUDITOR,
    "archivist": _ARCHIVIST,
    "memory": _MEMORY,
    "gateway": _GATEWAY,
    "notifier": _NOTIFIER,
    "dashboard": _DASHBOARD,
    "listener": _LISTENER,
    "coordinator": _COORDINATOR,
    "client": _CLIENT,
    "display": _DISPLAY,
    "analyst": _ANALYST,
    "planner": _PLANNER,
}
"""The programs, each after those that it speaks to."""
SOURCES = {name: _TOLD + source for name, source in SOURCES.items()}

SPEAKS_TO = (
    ("client", "coordinator"),
    ("coordinator", "registry"),
    ("coordinator", "worker"),
    ("coordinator", "gateway"),
    ("coordinator", "listener"),
    ("worker", "meter"),
    ("gateway", "memory"),
    ("memory", "archivist"),
    ("archivist", "auditor"),
    ("auditor", "speaker"),
    ("speaker", "speak"),
    ("listener", "dashboard"),
    ("dashboard", "notifier"),
    ("planner", "analyst"),
    ("analyst", "display"),
)
"""Who hands work to whom: by ZMQ, HTTP, gRPC, Redis, NATS, Kafka, websockets, and as a child process."""
