"""ModelOpsAgent: answers requests by ZMQ, asks a model, keeps tasks and goals, and logs as the agents of a fleet do.

It knows nothing of obs-run. Needs pyzmq and openai, OPENAI_API_KEY and OPENAI_BASE_URL; listens on the port it is given.
"""

import argparse
import json
import logging
import os
import sqlite3
import sys
import threading
import time
import uuid
from datetime import datetime, timezone
from logging.handlers import RotatingFileHandler
from pathlib import Path
from queue import Empty, Queue

import zmq
from openai import OpenAI, OpenAIError


class JsonFormatter(logging.Formatter):
    def format(self, record):
        return json.dumps(
            {
                "timestamp": datetime.fromtimestamp(record.created, tz=timezone.utc).isoformat(),
                "level": record.levelname,
                "logger": record.name,
                "message": record.getMessage(),
            }
        )


def setup_logger(name, folder):
    logger = logging.getLogger(name)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if not logger.handlers:
        handler = RotatingFileHandler(Path(folder) / f"{name}.log", maxBytes=1_000_000, backupCount=2)
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
        console = logging.StreamHandler(sys.stdout)
        console.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
        logger.addHandler(console)
    return logger


class ModelLoadError(Exception):
    pass


class ModelRegistry:
    """Which models are in memory, and what they take of it."""

    SIZES = {"phi-3-mini": 2300, "nllb-translator": 1400, "whisper-small": 900}

    def __init__(self, logger, budget_mb=4000):
        self.logger = logger
        self.budget_mb = budget_mb
        self.loaded = {}
        self.lock = threading.RLock()
        self.logger.info(f"ModelRegistry initialized with VRAM budget {budget_mb} MB")

    def used(self):
        return sum(self.SIZES[model_id] for model_id in self.loaded)

    def ensure(self, model_id):
        with self.lock:
            if model_id in self.loaded:
                self.logger.debug(f"Model {model_id} already loaded")
                self.loaded[model_id] = time.time()
                return
            self.load(model_id)

    def load(self, model_id):
        self.logger.info(f"[VRAM] Loading model {model_id}...")
        if model_id not in self.SIZES:
            self.logger.error(f"[VRAM] Failed to load model {model_id}: not in registry")
            raise ModelLoadError(f"unknown model: {model_id}")
        need = self.SIZES[model_id]
        while self.used() + need > self.budget_mb:
            oldest = min(self.loaded, key=self.loaded.get)
            self.unload(oldest)
        time.sleep(0.02)
        self.loaded[model_id] = time.time()
        self.logger.info(f"[VRAM] Model {model_id} loaded, {self.used()} of {self.budget_mb} MB in use")

    def unload(self, model_id):
        self.logger.info(f"[VRAM] Unloading model {model_id} (idle timeout: 300s)")
        time.sleep(0.005)
        del self.loaded[model_id]
        self.logger.info(f"[VRAM] Unloaded model {model_id}")


class TaskMemory:
    """Tasks and what came of them, in SQLite."""

    def __init__(self, logger, path):
        self.logger = logger
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.db.execute("CREATE TABLE IF NOT EXISTS tasks (id TEXT PRIMARY KEY, goal TEXT, status TEXT, result TEXT)")
        self.lock = threading.Lock()

    def save(self, task_id, goal_id, status, result=""):
        with self.lock:
            self.db.execute("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?)", (task_id, goal_id, status, result))
            self.db.commit()
        self.logger.debug(f"Task {task_id} saved with status {status}")

    def count(self):
        return dict(self.db.execute("SELECT status, COUNT(*) FROM tasks GROUP BY status"))


class LanguageService:
    """Translation and summaries by a model, with a dictionary where the model does not answer."""

    DICTIONARY = {"good morning": "magandang umaga", "thank you": "salamat"}

    def __init__(self, logger, registry):
        self.logger = logger
        self.registry = registry
        self.client = OpenAI(max_retries=0)
        self.model = os.environ.get("OPENAI_MODEL", "gpt-5-mini")

    def ask(self, prompt):
        answer = self.client.chat.completions.create(model=self.model, messages=[{"role": "user", "content": prompt}])
        return answer.choices[0].message.content or ""

    def translate(self, text, target):
        self.logger.info(f"🌐 Translating {len(text)} characters to {target}")
        self.registry.ensure("nllb-translator")
        started = time.time()
        try:
            result = self.ask(f"Translate to {target}, one line only: {text}")
        except OpenAIError as e:
            self.logger.warning(f"Model did not translate ({type(e).__name__}), falling back to dictionary")
            result = self.DICTIONARY.get(text.lower())
            if result is None:
                self.logger.error(f"❌ Translation failed: no entry for {text[:30]!r}")
                raise
        self.logger.info(f"✅ Translation complete in {time.time() - started:.3f}s")
        return result

    def summarize(self, text):
        self.logger.info("Generating summary...")
        self.registry.ensure("phi-3-mini")
        try:
            pieces = []
            stream = self.client.chat.completions.create(
                model=self.model, messages=[{"role": "user", "content": f"Summarize: {text}"}], stream=True
            )
            for chunk in stream:
                pieces += [choice.delta.content or "" for choice in chunk.choices]
        except OpenAIError as e:
            self.logger.error(f"Error generating summary: {e}")
            return {"status": "error", "error": str(e)}
        self.logger.info(f"Generated summary with {len(pieces)} chunks")
        return {"status": "success", "summary": "".join(pieces)}


class GoalManager:
    """Breaks goals into tasks, and has a thread of its own that works them off."""

    def __init__(self, logger, memory, language):
        self.logger = logger
        self.memory = memory
        self.language = language
        self.queue = Queue()
        self.running = True
        self.thread = threading.Thread(target=self.run, name="goal-worker", daemon=True)
        self.thread.start()
        self.logger.info("Goal worker thread started")

    def set_goal(self, description):
        goal_id = f"goal-{uuid.uuid4().hex[:6]}"
        self.logger.info(f"Goal {goal_id} accepted: {description}")
        for number, step in enumerate(("collect", "compose", "deliver"), 1):
            self.queue.put((f"{goal_id}-t{number}", goal_id, step))
        return goal_id

    def run(self):
        while self.running:
            try:
                task_id, goal_id, step = self.queue.get(timeout=0.05)
            except Empty:
                continue
            self.execute_task(task_id, goal_id, step)

    def execute_task(self, task_id, goal_id, step):
        self.logger.info(f"Executing task {task_id}: {step}")
        self.memory.save(task_id, goal_id, "running")
        try:
            if step == "deliver":
                raise ConnectionError("speaker is offline")
            result = self.language.ask(f"In one sentence: how would you {step} a morning briefing?")
            self.memory.save(task_id, goal_id, "completed", result)
            self.logger.info(f"Task {task_id} completed")
        except Exception as e:
            self.memory.save(task_id, goal_id, "failed", str(e))
            self.logger.error(f"Task {task_id} failed: {e}")

    def wait(self):
        while not self.queue.empty():
            time.sleep(0.01)
        time.sleep(0.1)
        self.running = False
        self.thread.join(timeout=5)


class ModelOpsAgent:
    def __init__(self, port, folder):
        self.logger = setup_logger("ModelOpsAgent", folder)
        self.logger.info("=" * 60)
        self.logger.info(f"Initializing ModelOpsAgent on port {port}")
        self.started = time.time()
        self.served = 0
        self.registry = ModelRegistry(self.logger)
        self.memory = TaskMemory(self.logger, Path(folder) / "tasks.db")
        self.language = LanguageService(self.logger, self.registry)
        self.goals = GoalManager(self.logger, self.memory, self.language)
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.REP)
        self.socket.bind(f"tcp://127.0.0.1:{port}")
        self.running = True
        self.logger.info("ModelOpsAgent initialized successfully")

    def handle_request(self, request):
        action = request.get("action")
        if action == "translate":
            translated = self.language.translate(request["text"], request.get("target", "Filipino"))
            return {"status": "success", "translated": translated}
        if action == "summarize":
            return self.language.summarize(request["text"])
        if action == "load_model":
            self.registry.ensure(request["model_id"])
            return {"status": "success"}
        if action == "set_goal":
            return {"status": "success", "goal_id": self.goals.set_goal(request["description"])}
        if action == "health":
            uptime = time.time() - self.started
            self.logger.info(f"Health check: uptime {uptime:.1f}s, {self.served} requests served")
            return {"status": "ok", "served": self.served}
        if action == "shutdown":
            self.running = False
            return {"status": "success"}
        self.logger.warning(f"Unknown action: {action}")
        return {"status": "error", "error": f"unknown action: {action}"}

    def run(self):
        self.logger.info("Starting request loop, waiting for requests...")
        while self.running:
            message = self.socket.recv_string()
            try:
                request = json.loads(message)
            except json.JSONDecodeError as e:
                self.logger.error(f"Invalid JSON in request: {e}")
                self.socket.send_json({"status": "error", "error": "invalid JSON"})
                continue
            self.logger.info(f"Received request: {request.get('action')}")
            started = time.time()
            try:
                response = self.handle_request(request)
            except Exception as e:
                self.logger.exception(f"Error processing request: {e}")
                response = {"status": "error", "error": str(e)}
            self.served += 1
            self.socket.send_json(response)
            self.logger.info(f"Sent response: {response['status']} ({(time.time() - started) * 1000:.0f} ms)")

    def cleanup(self):
        self.logger.info("Cleaning up resources...")
        self.goals.wait()
        self.socket.close(linger=500)
        self.context.term()
        self.logger.info(f"Cleanup complete. Tasks: {self.memory.count()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", default=".")
    args, _ = parser.parse_known_args()
    agent = ModelOpsAgent(args.port, args.folder)
    try:
        agent.run()
    except KeyboardInterrupt:
        agent.logger.info("Interrupted by user")
    finally:
        agent.cleanup()
