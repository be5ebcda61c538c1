"""Episodic memory with consolidation; one object, many short operations, DEBUG for most."""
import logging
import time

logger = logging.getLogger("memory.episodic")
logging.basicConfig(level=logging.DEBUG, format="%(levelname)-8s%(funcName)-14s%(message)s")


class Memory:
    def __init__(self):
        self.items, self.graph = {}, {}
        logger.debug("Memory store opened (in-memory, ttl 86400s)")

    def store(self, memory_id, text):
        logger.debug(f"Storing memory {memory_id}")  # @store
        if not text.strip():
            logger.error(f"Refusing to store {memory_id}: no text")  # @store_bad
            return False
        self.items[memory_id] = {"text": text, "strength": 1.0}
        self._link(memory_id)
        logger.info(f"Memory {memory_id} stored")  # @store_ok
        return True

    def _link(self, memory_id):
        words = set(self.items[memory_id]["text"].split())
        links = [m for m, item in self.items.items() if m != memory_id and words & set(item["text"].split())]
        self.graph[memory_id] = links
        logger.debug(f"{len(links)} links created for {memory_id}")

    def recall(self, query):
        logger.debug(f"Recall requested: {query}")  # @recall
        hits = [m for m, item in self.items.items() if query in item["text"]]
        for hit in hits:
            self.items[hit]["strength"] += 0.1
        logger.info(f"Recall returned {len(hits)} memories")  # @recall_ok
        return hits

    def consolidate(self):
        start = time.time()
        logger.info("Memory consolidation started")  # @cons
        weak = [m for m, item in self.items.items() if item["strength"] <= 1.0]
        for memory_id in weak:
            try:
                self._forget(memory_id)
            except KeyError as e:
                logger.warning(f"Could not forget {e}")
        logger.info(f"Consolidation finished: {len(weak)} weak memories, took {time.time() - start:.3f}s")  # @cons_ok

    def _forget(self, memory_id):
        if self.graph.pop(memory_id):
            raise KeyError(memory_id)
        del self.items[memory_id]
        logger.debug(f"Forgot {memory_id}")

    def backup(self, path):
        logger.info(f"Backup to {path} in progress")  # @backup
        try:
            with open(path, "w") as f:
                f.write(repr(self.items))
        except OSError as e:
            logger.error(f"Backup error: {e}")  # @backup_bad
            return
        logger.info(f"Backup written to {path}")  # @backup_ok


m = Memory()
m.store("m1", "the cat failed to jump")
m.store("m2", "the dog completed his walk")
m.store("m3", "  ")
m.store("m4", "rain")
m.recall("cat")
m.recall("unicorn")
m.consolidate()
m.backup("memory.txt")
m.backup("no/such/dir/memory.txt")
