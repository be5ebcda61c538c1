"""Receives webhooks over HTTP (loopback here) and forwards them to internal services."""
import http.client
import itertools
import json
import logging
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(asctime)s %(levelname)-7s %(name)s %(message)s")
base = logging.getLogger("relay")
ids = itertools.count(1)


class RequestLog(logging.LoggerAdapter):
    def process(self, msg, kwargs):
        return f"[{self.extra['rid']}] {msg}", kwargs


class UpstreamDown(Exception):
    pass


ROUTES = {"github": "ci.internal:8080", "stripe": "billing.internal:9000"}
dead_letters = []


def send_upstream(target, payload):
    time.sleep(0.002)
    if target.startswith("billing"):
        raise UpstreamDown("connection refused")
    return 200


def forward(log, source, payload):
    target = ROUTES[source]
    log.info(f"Forwarding {payload['event']} to {target}")  # @fwd
    try:
        status = send_upstream(target, payload)
    except UpstreamDown as e:
        log.warning(f"Forwarding to {target} failed: {e}")  # @fwd_bad
        dead_letters.append(payload)
        log.info(f"Event parked, {len(dead_letters)} in dead letter box")
        return
    log.info(f"Forwarded to {target}, upstream status {status}")  # @fwd_ok


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        rid = f"req-{next(ids):04d}"
        log = RequestLog(base, {"rid": rid})
        t0 = time.perf_counter()
        status = 500
        log.info(f"POST {self.path}")  # @req
        try:
            payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            log.debug(f"payload: {payload}")
            source = self.path.rsplit("/", 1)[-1]
            if source not in ROUTES:
                log.info(f"no route for {source!r}")
                status = 404
            else:
                forward(log, source, payload)
                status = 202
        except Exception:
            log.exception("Unhandled error in webhook handler")
        finally:
            self.send_response(status)
            self.end_headers()
            log.info(f"POST {self.path} -> {status} ({1000 * (time.perf_counter() - t0):.1f} ms)")  # @req_ok

    def log_message(self, fmt, *args):
        logging.getLogger("relay.access").debug(fmt, *args)


def post(port, path, body):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    c.request("POST", path, body)
    code = c.getresponse().status
    c.close()
    return code


def main():
    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="http", daemon=True).start()
    base.info("Relay listening, %d routes, upstream timeout 10s", len(ROUTES))
    codes = [
        post(server.server_port, "/hooks/github", json.dumps({"event": "push", "ref": "main"})),
        post(server.server_port, "/hooks/stripe", json.dumps({"event": "invoice.payment_failed"})),
        post(server.server_port, "/hooks/slack", json.dumps({"event": "job completed"})),
        post(server.server_port, "/hooks/github", "{broken"),
    ]
    server.shutdown()
    base.info("Relay stopped; answers sent: %s", codes)


if __name__ == "__main__":
    main()
