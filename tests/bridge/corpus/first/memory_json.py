"""Memory keeper with a rotating JSON logger of its own (propagate off)."""
import json
import logging
import logging.handlers
import os
import time


class JsonFormatter(logging.Formatter):
    def format(self, record):
        return json.dumps({"timestamp": record.created, "level": record.levelname,
                           "agent": record.name, "message": record.getMessage()})


def get_rotating_json_logger(name):
    path = os.path.join(os.getcwd(), f"{name}.jsonl")
    lg = logging.getLogger(name)
    lg.handlers.clear()
    h = logging.handlers.RotatingFileHandler(path, maxBytes=10 * 2**20, backupCount=5, delay=True)
    h.setFormatter(JsonFormatter())
    lg.addHandler(h)
    lg.setLevel(logging.INFO)
    lg.propagate = False
    return logging.LoggerAdapter(lg, {"component": "memory"})


class MemoryKeeper:
    def __init__(self):
        self.logger = get_rotating_json_logger("memory_keeper")
        self.logger.info("[Memory] Opening episodic store")  # @open
        self.rows = []
        time.sleep(0.003)
        self.logger.info("[Memory] Episodic store opened (0 rows)")  # @opened

    def store(self, text, importance):
        if not text:
            self.logger.warning("[Memory] Empty memory refused")
            return None
        self.logger.info(f"[Memory] Storing memory of {len(text)} chars, importance {importance}")  # @store
        vec = self.embed(text)
        self.rows.append((text, vec, importance))
        self.logger.info(f"[Memory] Stored as row {len(self.rows)}")  # @stored
        return len(self.rows)

    def embed(self, text):
        self.logger.info("[Embedder] Computing embedding")  # @emb
        time.sleep(0.002)
        try:
            return [ord(c) / 255 for c in text.encode("ascii").decode()]
        except UnicodeEncodeError as e:
            self.logger.warning(f"[Embedder] Not ascii ({e.reason}); falling back to hashing")
            return [hash(text) % 7]
        finally:
            self.logger.info("[Embedder] Embedding computed")  # @emb_done

    def consolidate(self):
        self.logger.info(f"[Memory] Consolidation of {len(self.rows)} rows begins")  # @cons
        kept = []
        for text, vec, importance in self.rows:
            if importance is None:
                self.logger.error(f"[Memory] Could not weigh {text!r}, row skipped")
                continue
            kept.append((text, vec, importance))
        dropped = len(self.rows) - len(kept)
        self.rows = kept
        self.logger.info(f"[Memory] Consolidation finished: kept {len(kept)}, failed {dropped}")  # @cons_done


if __name__ == "__main__":
    mk = MemoryKeeper()
    mk.store("the user loading the van failed", 3)
    mk.store("", 1)
    mk.store("caf\u00e9 opened at nine", None)
    mk.consolidate()
    mk.logger.info(f"[Memory] {len(mk.rows)} rows in memory")
