"""A TCP server of text lines on port 0, a thread per connection; clients call in turn and together."""
import itertools
import logging
import socket
import socketserver
import threading
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
slog = logging.getLogger("srv")
clog = logging.getLogger("cli")
numbers = itertools.count(1)
store = {"a": "apple"}


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        no = next(numbers)
        slog.info(f"conn {no}: accepted")  # @conn
        count = 0
        for raw in self.rfile:
            line = raw.decode().strip()
            if line == "BYE":
                break
            count += 1
            self.wfile.write((self.command(no, line) + "\n").encode())
        slog.info(f"conn {no}: closed after {count} commands")  # @conn_ok

    def command(self, no, line):
        slog.info(f"conn {no}: > {line}")  # @cmd
        t0 = time.perf_counter()
        try:
            answer = self.work(*line.split())
        except Exception as exc:
            slog.error(f"conn {no}: < ERR {type(exc).__name__}: {exc}")  # @cmd_bad
            return f"ERR {exc}"
        ms = (time.perf_counter() - t0) * 1000
        slog.info(f"conn {no}: < OK {answer} ({ms:.1f} ms)")  # @cmd_ok
        return f"OK {answer}"

    def work(self, verb, *args):
        if verb == "SLOW":
            time.sleep(0.05)
            return "slept"
        if verb == "PUT":
            slog.info(f"saving key {args[0]}")  # @save
            time.sleep(0.004)
            store[args[0]] = args[1]
            slog.info(f"key {args[0]} saved, {len(store)} keys")  # @save_ok
            return len(store)
        return store[args[0]]


def client(port, lines):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        stream = sock.makefile("rw")
        for line in lines:
            stream.write(line + "\n")
            stream.flush()
            clog.info(f"answer: {stream.readline().strip()}")
        stream.write("BYE\n")
        stream.flush()
        stream.read()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False


def main():
    server = Server(("127.0.0.1", 0), Handler)
    loop = threading.Thread(target=server.serve_forever, args=(0.02,))
    loop.start()
    slog.info("Line server started, listening on a free port")
    port = server.server_address[1]
    client(port, ["GET a", "PUT started finished", "GET nokey"])
    slow = threading.Thread(target=client, args=(port, ["SLOW"]))
    slow.start()
    time.sleep(0.02)
    client(port, ["GET a"])
    slow.join()
    slog.info("Shutting down line server")  # @down
    server.shutdown()
    loop.join()
    server.server_close()
    slog.info("Line server shut down")  # @down_ok


main()
