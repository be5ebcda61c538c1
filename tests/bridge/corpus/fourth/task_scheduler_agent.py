#!/usr/bin/env python3
# Priority task scheduler with per-service circuit breakers; workers run in threads.
import heapq
import logging
import queue
import threading
import time

logging.basicConfig(level=logging.INFO, format="[%(levelname)s] [%(threadName)s] %(message)s")
log = logging.getLogger("task_scheduler")


class Task:
    def __init__(self, task_id, kind, prio, payload=""):
        self.task_id, self.kind, self.prio, self.payload = task_id, kind, prio, payload

    def __lt__(self, other):
        return self.prio < other.prio


SERVICE_FOR = {"translate": "translation_service", "speak": "tts_service", "vision": "vision_agent"}


class TaskScheduler:
    def __init__(self, n_workers=2):
        self.heap = []
        self.inbox = queue.Queue()
        self.open_circuits = {"vision_agent"}
        self.done = 0
        log.info("Initializing Task Scheduler")  # @init
        self.threads = []
        for i in range(n_workers):
            log.info(f"Starting worker thread {i}")
            self.threads.append(threading.Thread(target=self._worker, name=f"worker-{i}", daemon=True))
        log.info(f"Task Scheduler initialized ({n_workers} workers, {len(self.open_circuits)} open circuit)")  # @init_ok

    def start(self):
        for t in self.threads:
            t.start()

    def submit(self, task):
        heapq.heappush(self.heap, task)
        log.info(f"Queued {task.task_id} ({task.kind}) with priority {task.prio}; queue size now {len(self.heap)}")

    def dispatch_all(self):
        while self.heap:
            task = heapq.heappop(self.heap)
            service = SERVICE_FOR[task.kind]
            if service in self.open_circuits:
                log.warning(f"Circuit for {service} is open. Dropping task {task.task_id}.")
                continue
            log.info(f"Dispatching task {task.task_id} of type {task.kind}")  # @disp
            self.inbox.put((task, service))

    def _worker(self):
        while True:
            item = self.inbox.get()
            if item is None:
                break
            task, service = item
            try:
                answer = self._call(task, service)
                log.info(f"Task {task.task_id} completed successfully: {answer}")  # @done
                self.done += 1
            except Exception as e:
                log.error(f"Failed to process task {task.task_id} with {service}: {e}")  # @fail
            finally:
                self.inbox.task_done()

    def _call(self, task, service):
        log.info(f"Sending request to {service} for {task.task_id} with timeout 2000 ms")  # @send
        time.sleep(0.003)
        if task.payload == "bad":
            raise ValueError("malformed reply: expected 'status'")
        log.info(f"Received response from {service} for {task.task_id}")  # @recv
        return f"{len(task.payload)} bytes"

    def stop(self):
        for _ in self.threads:
            self.inbox.put(None)
        for t in self.threads:
            t.join(timeout=1)


if __name__ == "__main__":
    sched = TaskScheduler()
    sched.submit(Task("task-a1", "speak", 5, "hello there"))
    sched.submit(Task("task-a2", "translate", 1, "kumusta"))
    sched.submit(Task("task-a3", "vision", 2))
    sched.submit(Task("task-a4", "translate", 3, "bad"))
    sched.start()
    sched.dispatch_all()
    sched.inbox.join()
    sched.stop()
    log.info(f"Scheduler idle. completed={sched.done} failed=1 dropped=1")
