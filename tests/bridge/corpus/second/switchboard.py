"""An operator's switchboard: a recv loop and a table of handlers."""
import json
import logging

logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
base = logging.getLogger("exchange")


class Line(logging.LoggerAdapter):
    def process(self, msg, kwargs):
        return f"[{self.extra['call']}] {msg}", kwargs


class Socket:
    def __init__(self, frames):
        self.frames = list(frames)
        self.sent = []

    def recv(self):
        if not self.frames:
            raise EOFError
        return json.dumps(self.frames.pop(0)).encode()

    def send(self, data):
        self.sent.append(data)


def lookup(line, arg):
    line.info(f"directory search for {arg!r}")  # @dir
    hits = [n for n in ("ada", "adam", "bert") if n.startswith(arg)]
    line.info(f"directory says {len(hits)} of 3")  # @dir_says
    return hits


def connect(line, arg):
    if arg == "bert":
        raise ConnectionError("line engaged")
    line.info(f"plug in, ring {arg}")
    return f"{arg} speaking"


def hangup(line, arg):
    line.info(f"farewell note: {arg}")
    return None


TABLE = {"lookup": lookup, "connect": connect, "hangup": hangup}


def serve(sock):
    base.info("Exchange is listening on trunk 4")
    while True:
        try:
            frame = json.loads(sock.recv())
        except EOFError:
            base.info("trunk 4 gone, 0 calls waiting")
            break
        line = Line(base, {"call": frame["id"]})
        line.info(f"incoming: {frame['verb']}")  # @incoming
        handler = TABLE.get(frame["verb"])
        if handler is None:
            line.warning("rejected: there is no such verb")  # @rejected
            sock.send(b'{"code": 404}')
            continue
        try:
            answer = {"code": 200, "body": handler(line, frame["arg"])}
        except ConnectionError as e:
            line.error(f"trouble: {e}")
            answer = {"code": 503}
        sock.send(json.dumps(answer).encode())
        line.info(f"reply is out, code {answer['code']}")  # @reply


if __name__ == "__main__":
    serve(Socket([
        {"id": "7f-01", "verb": "lookup", "arg": "ad"},
        {"id": "7f-02", "verb": "connect", "arg": "ada"},
        {"id": "7f-03", "verb": "connect", "arg": "bert"},
        {"id": "7f-04", "verb": "sing", "arg": ""},
        {"id": "7f-05", "verb": "hangup", "arg": "transfer completed in 9 s, started late"},
    ]))
