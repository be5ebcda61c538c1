import json
import logging
import queue
import sqlite3
import sys
import threading
import time
import uuid


class EpisodicMemoryAgent:
    """Stores and finds episodes; served by a request loop (one request at a time)."""

    def __init__(self, requests, replies):
        self.logger = logging.getLogger("EpisodicMemoryAgent")
        self.requests, self.replies = requests, replies
        self.running = True
        self.db = None

    def _init_db(self):
        self.logger.info("Opening memory database at :memory:")  # @db
        self.db = sqlite3.connect(":memory:", check_same_thread=False)
        self.db.execute("CREATE TABLE episodes(id TEXT PRIMARY KEY, text TEXT, salience REAL)")
        self.logger.info("Memory database initialized")  # @db_ok

    def serve(self):
        self._init_db()
        self.logger.info("EpisodicMemoryAgent is ready and waiting for requests")
        while self.running:
            try:
                raw = self.requests.get(timeout=0.5)
            except queue.Empty:
                continue
            try:
                request = json.loads(raw)
                self.logger.info(  # @req
                    f"Received request {request['request_id']}: {request.get('action', 'unknown')}"
                )
                response = self.handle(request)
                self.logger.info(f"Sending response for request {request['request_id']}")  # @resp
            except json.JSONDecodeError as e:
                self.logger.error(f"Invalid JSON in request: {e}")
                response = {"status": "error", "message": "invalid json"}
            except Exception as e:
                self.logger.error(f"Error handling request {request['request_id']}: {e}")  # @req_err
                response = {"status": "error", "message": str(e)}
            self.replies.put(json.dumps(response))

    def handle(self, request):
        action = request["action"]
        if action == "store":
            return self.store(request["text"], request.get("salience", 0.5))
        if action == "search":
            return self.search(request["query"])
        if action == "consolidate":
            return self.consolidate()
        if action == "stop":
            self.logger.info("Stop requested by client")
            self.running = False
            return {"status": "ok"}
        raise KeyError(f"unknown action '{action}'")

    def store(self, text, salience):
        memory_id = f"mem-{self.db.execute('SELECT count(*) FROM episodes').fetchone()[0] + 1}"
        self.logger.debug(f"Storing memory {memory_id} (salience={salience})")  # @store
        self.db.execute("INSERT INTO episodes VALUES (?,?,?)", (memory_id, text, salience))
        self.logger.debug(f"Memory {memory_id} stored")  # @store_ok
        return {"status": "ok", "id": memory_id}

    def search(self, query):
        t0 = time.perf_counter()
        rows = self.db.execute("SELECT id FROM episodes WHERE text LIKE ?", (f"%{query}%",)).fetchall()
        self.logger.info(  # @search
            f"Search for '{query}' returned {len(rows)} memories in {(time.perf_counter() - t0) * 1000:.1f}ms"
        )
        return {"status": "ok", "ids": [r[0] for r in rows]}

    def consolidate(self):
        self.logger.info("=== Memory consolidation started ===")  # @cons
        weak = self.db.execute("SELECT id FROM episodes WHERE salience < 0.2").fetchall()
        for (memory_id,) in weak:
            self.logger.debug(f"Decaying {memory_id}: below threshold 0.2")
            self.db.execute("DELETE FROM episodes WHERE id=?", (memory_id,))
        self.logger.info(f"=== Memory consolidation finished: {len(weak)} forgotten ===")  # @cons_ok
        return {"status": "ok", "forgotten": len(weak)}


def main():
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(asctime)s [%(name)s] %(levelname)s: %(message)s")
    client_log = logging.getLogger("client")
    req, rep = queue.Queue(), queue.Queue()
    agent = EpisodicMemoryAgent(req, rep)
    thread = threading.Thread(target=agent.serve, daemon=True)
    thread.start()
    script = [
        {"action": "store", "text": "user likes green tea", "salience": 0.9},
        {"action": "store", "text": "door closed at 9", "salience": 0.1},
        {"action": "search", "query": "tea"},
        {"action": "forget_everything"},
        "not json {",
        {"action": "consolidate"},
        {"action": "stop"},
    ]
    for n, body in enumerate(script):
        if isinstance(body, dict):
            body = json.dumps(dict(body, request_id=uuid.UUID(int=n + 1).hex[-6:]))
        req.put(body)
        answer = json.loads(rep.get(timeout=60))
        client_log.debug(f"reply #{n}: status={answer['status']}")
    thread.join(timeout=1)


if __name__ == "__main__":
    main()
