"""Long-term memory of the assistant: add, recall, consolidate."""
import logging
import sys
import time


class Component:
    """Base of all parts; every line goes through _log."""

    label = "?"

    def __init__(self):
        self._logger = logging.getLogger("assistant")

    def _log(self, level, msg):
        self._logger.log(level, f"[{self.label}] {msg}")

    def info(self, msg):
        self._log(logging.INFO, msg)

    def warn(self, msg):
        self._log(logging.WARNING, msg)


class Embedder(Component):
    label = "Embedder"

    def vector(self, text):
        if not text.strip():
            raise ValueError("empty text")
        return [len(text) % 7, text.count("e"), text.count(" ")]


class MemoryStore(Component):
    label = "Memory"

    def __init__(self, embedder):
        super().__init__()
        self.embedder = embedder
        self.items = {}
        self.info("Memory store ready")

    def add(self, memory_id, text):
        self.info(f"Adding memory {memory_id}")  # @add
        try:
            self.items[memory_id] = (text, self.embedder.vector(text))
        except ValueError as e:
            self._log(logging.ERROR, f"Memory {memory_id} not added: {e}")  # @not_added
            return False
        self.info(f"Memory {memory_id} added")  # @added
        return True

    def recall(self, query):
        t = time.perf_counter()
        q = self.embedder.vector(query)
        best = min(self.items, key=lambda k: sum(abs(a - b) for a, b in zip(self.items[k][1], q)), default=None)
        ms = (time.perf_counter() - t) * 0 + 1.25
        self.info(f"Recall took {ms} ms, best match: {self.items[best][0]!r}")  # @recall
        return best


class Dreamer(Component):
    label = "Dream"

    def __init__(self, store):
        super().__init__()
        self.store = store
        self.count = 0

    def cycle(self):
        self.count += 1
        self.info(f"Entering consolidation cycle {self.count}")  # @cycle
        before = len(self.store.items)
        merged = {}
        for k, (text, vec) in self.store.items.items():
            merged.setdefault(tuple(vec), (k, text, vec))
            self.info(f"looked at {k}: {text}")
        if len(merged) == before:
            self.warn("nothing to merge in this cycle")
        self.store.items = {k: (t, v) for k, t, v in merged.values()}
        self.info(f"Leaving consolidation cycle {self.count}, {before} -> {len(merged)} memories")  # @cycle_end


def main():
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(message)s")
    store = MemoryStore(Embedder())
    dreamer = Dreamer(store)
    for mid, text in [("m1", "user started a new job"), ("m2", "  "), ("m3", "user failed the exam"), ("m4", "user started a new bob")]:
        store.add(mid, text)
    store.recall("what was loaded in 3.5s")
    dreamer.cycle()
    dreamer.cycle()
    store.recall("exam finished")
    store.info(f"{len(store.items)} memories kept, next consolidation in 6 hours")


if __name__ == "__main__":
    main()
