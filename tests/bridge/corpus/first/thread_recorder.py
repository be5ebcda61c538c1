"""A recorder whose jobs are begun by the caller and ended by worker threads."""
import logging
import queue
import threading
import time

logging.basicConfig(level=logging.INFO,
                    format="%(asctime)s | %(threadName)s | %(message)s")
logger = logging.getLogger("recorder")


class Recorder:
    def __init__(self):
        self.jobs = queue.Queue()
        self.results = {}
        logger.info("Starting background thread...")
        self.thread = threading.Thread(target=self._work, name="rec-worker", daemon=True)
        self.thread.start()
        logger.info("Background thread started")

    def submit(self, clip):
        job_id = f"rec{clip:03d}"
        logger.info(f"Recording {job_id}: capturing 5 seconds at 16000 Hz")  # @rec
        self.jobs.put((job_id, clip))
        return job_id

    def _work(self):
        logger.info("Waiting for recordings...")
        while True:
            item = self.jobs.get()
            if item is None:
                logger.info("Worker told to stop")
                return
            self._finish(*item)

    def _finish(self, job_id, clip):
        time.sleep(0.004)
        if clip == 2:
            logger.error(f"Recording {job_id} failed: microphone unplugged")  # @rec_bad
            self.results[job_id] = None
            return
        self.results[job_id] = clip * 5
        logger.info(f"Recording {job_id} saved ({clip * 5} kB)")  # @rec_ok

    def close(self):
        logger.info("Stopping recorder")  # @stop
        self.jobs.put(None)
        self.thread.join()
        logger.info("Recorder stopped")  # @stopped


rec = Recorder()
for n in (1, 2, 3):
    rec.submit(n)
time.sleep(0.06)
logger.info(f"Queue depth 0, uptime {0.06:.2f}s")
rec.close()
