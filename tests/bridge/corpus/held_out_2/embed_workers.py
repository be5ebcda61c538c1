"""Embedding backfill: one reader, two workers on an asyncio queue, a flusher, a deadline."""
import asyncio
import logging
import sys

log = logging.getLogger("backfill")


class StoreDown(Exception):
    pass


class VectorStore:
    def __init__(self, fail_first=1):
        self.rows = []
        self.fail = fail_first

    async def upsert(self, batch):
        await asyncio.sleep(0.001)
        if self.fail:
            self.fail -= 1
            raise StoreDown("503 from vector store")
        self.rows.extend(batch)


class Worker:
    def __init__(self, name, queue, store):
        self.name, self.queue, self.store = name, queue, store
        self.log = logging.getLogger(f"backfill.{name}")

    async def run(self):
        self.log.info("worker started")
        try:
            while True:
                no, texts = await self.queue.get()
                try:
                    await self.process(no, texts)
                finally:
                    self.queue.task_done()
        except asyncio.CancelledError:
            self.log.info("worker cancelled")
            raise

    async def process(self, no, texts):
        self.log.info(f"Batch #{no}: embedding {len(texts)} texts")  # @batch
        vectors = [[len(t), t.count("e")] for t in texts]
        await asyncio.sleep(0.002 if no % 2 else 0.001)
        if any(v[0] == 0 for v in vectors):
            self.log.error(f"Batch #{no}: rejected, it holds an empty text")  # @batch_bad
            return
        for attempt in (1, 2, 3):
            try:
                await self.store.upsert(vectors)
                break
            except StoreDown as e:
                self.log.warning(f"Batch #{no}: upsert try {attempt} of 3 did not work: {e}, sleeping 1 ms")
                await asyncio.sleep(0.001)
        self.log.info(f"Batch #{no}: stored {len(vectors)} vectors")  # @batch_ok


async def reader(queue):
    log.info("Reading rows from table 'articles'")  # @read
    rows = ["energy", "bridge", "detour", "", "tomato", "evening", "winter tyres", "inspection"]
    for no, i in enumerate(range(0, len(rows), 2), 1):
        await queue.put((no, rows[i:i + 2]))
        log.debug(f"queued batch {no}, queue size {queue.qsize()}")
    log.info(f"Read {len(rows)} rows")  # @read_ok


async def compact(store):
    log.info("Compacting collection...")  # @compact
    await asyncio.sleep(5)
    log.info("Compaction finished")


async def main():
    log.info("backfill configuration: batch=2 workers=2 deadline=1s")
    queue, store = asyncio.Queue(), VectorStore()
    workers = [asyncio.create_task(Worker(n, queue, store).run()) for n in ("w0", "w1")]
    await reader(queue)
    await asyncio.wait_for(queue.join(), timeout=1)
    log.info(f"queue drained, {len(store.rows)} vectors in store")
    try:
        await asyncio.wait_for(compact(store), timeout=0.01)
    except asyncio.TimeoutError:
        log.warning("compaction takes longer than 0.01s, leaving it to the nightly job")
    for w in workers:
        w.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    log.info("totals: batches=4 stored=3 rejected=1")


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(asctime)s %(name)-12s %(levelname)-7s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    asyncio.run(main())
