"""Scores documents in batches on a pool; callbacks tell the end of each."""
import logging
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

logging.basicConfig(level=logging.INFO, format="%(message)s")
logger = logging.getLogger("scorer")


class BatchScorer:
    def __init__(self, workers):
        self.pool = ThreadPoolExecutor(max_workers=workers)
        self.total = 0
        logger.info(f"Scorer pool with {workers} workers created")

    def score(self, doc):
        if doc is None:
            logger.warning("Skipping an empty document")
            return 0
        if doc == "":
            raise ValueError("blank")
        return len(doc)

    def score_batch(self, batch_id, docs):
        logger.info(f"BATCH #{batch_id}: scoring of {len(docs)} documents underway")  # @b
        points = 0
        for i, doc in enumerate(docs):
            try:
                points += self.score(doc)
            except ValueError as e:
                logger.error(f"Error scoring document {i} of batch #{batch_id}: {e}")
        time.sleep(0.003 * batch_id)
        logger.info(f"BATCH #{batch_id}: scored, {points} points")  # @b_ok
        return points

    def run(self, batches):
        logger.info(f"Scoring run over {len(batches)} batches - begin")  # @run
        futures = {self.pool.submit(self.score_batch, i, b): i for i, b in enumerate(batches, 1)}
        for n, fut in enumerate(as_completed(futures), 1):
            self.total += fut.result()
            logger.info(f"{n}/{len(batches)} batches completed")
        logger.info(f"Scoring run - end, total {self.total}")  # @run_ok

    def close(self):
        logger.info("Closing pool")  # @close
        self.pool.shutdown(wait=True)
        logger.info(f"Pool closed, {self.total} points in all")  # @closed


scorer = BatchScorer(2)
scorer.run([["start", "", "failed"], [None, "done"], ["completed"], ["x", "y"]])
scorer.close()
logger.info(f"scored=7, errors=1, total={scorer.total}")
