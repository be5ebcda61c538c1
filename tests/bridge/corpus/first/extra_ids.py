"""The id travels only in `extra`; the text is the same for everyone."""
import logging
import threading
import time


class Fmt(logging.Formatter):
    def format(self, record):
        rid = getattr(record, "request_id", "-")
        return f"{record.levelname} rid={rid} {record.getMessage()}"


_handler = logging.StreamHandler()
_handler.setFormatter(Fmt())
LOG = logging.getLogger("gateway")
LOG.setLevel(logging.INFO)
LOG.addHandler(_handler)
LOG.propagate = False


class Gateway:
    def __init__(self):
        self.pending = {}

    def accept(self, request_id, payload):
        LOG.info("Request accepted, forwarding to backend", extra={"request_id": request_id})  # @acc
        self.pending[request_id] = payload

    def backend_answered(self, request_id, value):
        payload = self.pending.pop(request_id)
        if isinstance(value, Exception):
            LOG.error(f"Request failed: {value}", extra={"request_id": request_id})  # @acc_bad
            return
        LOG.info(  # @acc_ok
            "Request finished",
            extra={"request_id": request_id, "size": len(payload)},
        )


def main():
    gw = Gateway()
    LOG.info("Gateway started, request timeout: 5s")
    gw.accept("aa1", "x")
    gw.accept("bb2", "yy")
    gw.accept("cc3", "zzz")
    LOG.info(f"{len(gw.pending)} requests pending")
    for rid, value in (("bb2", 1), ("aa1", OSError("backend gone")), ("cc3", 3)):
        t = threading.Thread(target=gw.backend_answered, args=(rid, value))
        t.start()
        t.join()
        time.sleep(0.001)
    LOG.info("Gateway stopped, requests finished: 2, failed: 1")


if __name__ == "__main__":
    main()
