"""Address book daemon: one loop, frames come in over a fake socket."""
import json
import logging
import queue
import sys

log = logging.getLogger("addrbookd")
logging.basicConfig(stream=sys.stdout, level=logging.INFO,
                    format="addrbookd[4711]: %(levelname)s %(message)s")

BOOK = {"ada": "12 St James's Square", "alan": "Wilmslow"}


class FakeSocket:
    def __init__(self, frames):
        self._q = queue.Queue()
        for f in frames:
            self._q.put(f)
        self.sent = []

    def recv(self):
        return self._q.get_nowait() if not self._q.empty() else None

    def send(self, data):
        self.sent.append(data)


def serve(sock):
    log.info("listening on ipc:///addrbook, request timeout: 5s")
    served = 0
    while True:
        frame = sock.recv()
        if frame is None:
            break
        served += 1
        log.info(f"<- frame {served}, {len(frame)} bytes")  # @frame
        try:
            req = json.loads(frame)
            op = req["op"]
        except (ValueError, KeyError) as e:
            log.warning(f"dropping frame {served}: {e!r}")  # @dropped
            continue
        if op == "touch":
            BOOK.setdefault(req["who"], "?")
            continue
        if op == "find":
            who = req["who"]
            log.info(f"searching {len(BOOK)} entries for {who}")  # @search
            hit = BOOK.get(who)
            if hit is None:
                log.info(f"no entry found for {who}")  # @no_entry
            else:
                log.info(f"found entry of {who}: {hit}")  # @entry
            sock.send(json.dumps({"hit": hit}))
            log.info(f"-> answer to frame {served}")  # @answer
        elif op == "import":
            try:
                log.info(f"import of {req['file']} under way")  # @import
                raise PermissionError(13, "Permission denied", req["file"])
            except OSError as e:
                log.error(f"import of {req['file']} went wrong: {e}")  # @import_bad
                sock.send(json.dumps({"error": str(e)}))
                log.info(f"-> error answer to frame {served}")  # @error_answer
        else:
            sock.send("{}")
            log.info(f"-> empty answer to frame {served}, unknown op {op!r}")  # @empty_answer
        if served % 3 == 0:
            log.info(f"heartbeat: {served} frames processed, uptime 12s")
    log.info(f"socket closed after {served} frames")


if __name__ == "__main__":
    serve(FakeSocket([
        '{"op": "find", "who": "ada"}',
        'not json, failed to encode',
        '{"op": "touch", "who": "grace"}',
        '{"op": "find", "who": "started"}',
        '{"op": "import", "file": "/srv/completed.csv"}',
        '{"op": "error"}',
    ]))
