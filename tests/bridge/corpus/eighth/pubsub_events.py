"""Event names with fields in extra; jobs begin in one callback and end in another."""
import logging
import time

log = logging.getLogger("bus")


class FieldFormatter(logging.Formatter):
    def format(self, record):
        text = super().format(record)
        return f"{text} job_id={getattr(record, 'job_id', '-')}"


handler = logging.StreamHandler()
handler.setFormatter(FieldFormatter("%(levelname)s %(message)s"))
log.addHandler(handler)
log.setLevel(logging.INFO)


class Renderer:
    def __init__(self):
        self.jobs, self.handlers = {}, {}
        for topic in ("submit", "frame", "finish", "abort"):
            self.handlers[topic] = getattr(self, f"on_{topic}")
        log.info("renderer.ready")

    def on_submit(self, job_id, frames):
        self.jobs[job_id] = [0, frames]
        log.info("job.started", extra={"job_id": job_id, "frames": frames})  # @job

    def on_frame(self, job_id, frames=None):
        log.info("frame.begin", extra={"job_id": job_id})  # @frame
        time.sleep(0.001)
        self.jobs[job_id][0] += 1
        log.info("frame.end", extra={"job_id": job_id, "n": self.jobs[job_id][0]})  # @frame_ok

    def on_finish(self, job_id, frames=None):
        done, frames = self.jobs.pop(job_id)
        log.info("job.completed", extra={"job_id": job_id, "done": done})  # @job_ok

    def on_abort(self, job_id, frames=None):
        self.jobs.pop(job_id)
        log.error("job.failed", extra={"job_id": job_id, "reason": "out of paint"})  # @job_bad

    def dispatch(self, events):
        for topic, *args in events:
            self.handlers[topic](*args)


renderer = Renderer()
renderer.dispatch([
    ("submit", "j1", 2), ("frame", "j1"), ("submit", "j2", 1), ("frame", "j2"), ("frame", "j1"),
    ("abort", "j2"), ("finish", "j1"), ("submit", "j3", 1), ("frame", "j3"), ("finish", "j3"),
])
