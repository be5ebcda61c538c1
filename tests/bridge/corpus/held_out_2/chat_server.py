"""Chat service on loopback. The request id travels in a context variable and stands before each line."""
import asyncio
import contextvars
import json
import logging
import sys
import time

request_id = contextvars.ContextVar("request_id", default="-")


class AddRequestId(logging.Filter):
    def filter(self, record):
        record.rid = request_id.get()
        return True


handler = logging.StreamHandler(sys.stdout)
handler.addFilter(AddRequestId())
handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s [%(rid)s] %(name)s - %(message)s"))
logging.basicConfig(level=logging.DEBUG, handlers=[handler])
access = logging.getLogger("chat.access")
log = logging.getLogger("chat.app")
logging.getLogger("asyncio").setLevel(logging.WARNING)


class ModerationError(Exception):
    pass


class ChatApp:
    def __init__(self):
        self.history = {}
        self.count = 0

    async def moderate(self, text):
        await asyncio.sleep(0)
        log.debug("moderation: 4 rules, text length %d", len(text))
        if "password" in text:
            log.warning("moderation: text looks like a secret")
            raise ModerationError("blocked by rule 4")

    async def complete(self, history):
        log.info("requesting completion, %d messages, stream=false", len(history))  # @llm
        await asyncio.sleep(0.002)
        if history[-1] == "crash":
            raise RuntimeError("upstream closed the connection")
        text = history[-1][::-1]
        log.info("completion received: %d tokens", len(text) // 3)  # @llm_ok
        return text

    async def post_message(self, user, text):
        await self.moderate(text)
        history = self.history.setdefault(user, [])
        history.append(text)
        log.info(f"history of {user} has {len(history)} messages now")
        return await self.complete(history)

    async def handle(self, method, path, body):
        self.count += 1
        request_id.set(f"req-{self.count:04d}")
        t0 = time.perf_counter()
        access.info(f"{method} {path} started")  # @http
        status, out = 200, {}
        try:
            if path == "/healthz":
                out = {"status": "ok"}
            elif path == "/v1/messages":
                out = {"text": await self.post_message(body["user"], body["text"])}
            else:
                status = 404
        except ModerationError as e:
            status, out = 422, {"error": str(e)}
        except Exception as e:
            log.exception(f"Unhandled error in {method} {path}")
            status, out = 500, {"error": str(e)}
        ms = (time.perf_counter() - t0) * 1000
        if status >= 500:
            access.error(f"{method} {path} failed with {status} ({ms:.1f} ms)")  # @http_bad
        else:
            access.info(f"{method} {path} completed with {status} ({ms:.1f} ms)")  # @http_ok
        return status, out

    async def on_connection(self, reader, writer):
        log.debug("peer connected, open connections: 1")
        while line := await reader.readline():
            msg = json.loads(line)
            status, out = await self.handle(msg["method"], msg["path"], msg.get("body"))
            writer.write((json.dumps({"status": status, **out}) + "\n").encode())
            await writer.drain()
            log.debug(f"in flight: 0, answered so far: {self.count}, errors are 5xx only")
        writer.close()
        log.debug("peer disconnected")


async def client(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for method, path, body in [
        ("GET", "/healthz", None),
        ("POST", "/v1/messages", {"user": "ada", "text": "good morning"}),
        ("POST", "/v1/messages", {"user": "ada", "text": "my password is 1234"}),
        ("POST", "/v1/messages", {"user": "bob", "text": "crash"}),
    ]:
        writer.write((json.dumps({"method": method, "path": path, "body": body}) + "\n").encode())
        await writer.drain()
        await reader.readline()
    writer.close()
    await writer.wait_closed()


async def main():
    app = ChatApp()
    server = await asyncio.start_server(app.on_connection, "127.0.0.1", 0)
    log.info("listening on 127.0.0.1, workers=1, keepalive=5s")
    async with server:
        await client(server.sockets[0].getsockname()[1])
    log.info(f"server stopped after {app.count} requests")


if __name__ == "__main__":
    asyncio.run(main())
