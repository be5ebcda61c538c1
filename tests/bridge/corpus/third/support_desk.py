"""Chat support back end. Requests arrive on a queue that stands in for the socket."""
import itertools
import logging
import logging.config
from collections import deque

logging.config.dictConfig({
    "version": 1,
    "formatters": {"f": {"format": "%(asctime)s %(levelname)s [%(request_id)s] %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "f"}},
    "root": {"level": "INFO", "handlers": ["console"]},
})
base = logging.getLogger("support")


class RequestLog(logging.LoggerAdapter):
    def process(self, msg, kwargs):
        kwargs.setdefault("extra", {}).update(self.extra)
        return msg, kwargs


class FakeSocket:
    def __init__(self, frames):
        self.frames = deque(frames)
        self.replies = []

    def recv(self):
        return self.frames.popleft() if self.frames else None

    def send(self, frame):
        self.replies.append(frame)


class Desk:
    def __init__(self, sock):
        self.sock = sock
        self.tickets = {}
        self.numbers = itertools.count(501)
        self.routes = {"open": self.on_open, "close": self.on_close, "ping": self.on_ping}
        self.log = RequestLog(base, {"request_id": "-"})

    def on_open(self, req, log):
        no = next(self.numbers)
        log.info(f"Creating ticket {no} for {req['user']}")  # @create
        self.tickets[no] = {"user": req["user"], "text": req["text"]}
        log.info(f"Ticket {no} created")  # @created
        return {"ticket": no}

    def on_close(self, req, log):
        ticket = self.tickets.pop(req["ticket"])
        log.info(f"Ticket {req['ticket']} closed, customer was {ticket['user']}")
        return {"closed": req["ticket"]}

    def on_ping(self, req, log):
        return {"pong": True}

    def dispatch(self, req, log):
        handler = self.routes.get(req["action"])
        if handler is None:
            log.warning(f"Unknown action {req['action']!r}")
            return {"error": "unknown action"}
        return handler(req, log)

    def serve(self):
        self.log.info("Desk listening for requests")
        while True:
            req = self.sock.recv()
            if req is None:
                self.log.info("Socket closed by peer, shutting down")
                return
            log = RequestLog(base, {"request_id": req["id"]})
            log.info(f"--> {req['action']}")  # @in
            try:
                reply = self.dispatch(req, log)
            except Exception as e:
                log.exception(f"Unhandled exception in {req['action']}")
                reply = {"error": repr(e)}
                self.sock.send(reply)
                log.error("<-- 500")  # @out_bad
                continue
            self.sock.send(reply)
            log.info(f"<-- 200 {len(str(reply))} bytes")  # @out


if __name__ == "__main__":
    sock = FakeSocket([
        {"id": "r-1", "action": "ping"},
        {"id": "r-2", "action": "open", "user": "mia", "text": "download failed, error after 3s"},
        {"id": "r-3", "action": "close", "ticket": 999},
        {"id": "r-4", "action": "close", "ticket": 501},
    ])
    Desk(sock).serve()
    RequestLog(base, {"request_id": "-"}).info(f"{len(sock.replies)} replies sent, uptime 4 s")
