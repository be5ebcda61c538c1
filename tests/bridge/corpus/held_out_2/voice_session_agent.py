"""Voice sessions handled in a thread pool; each session has its own LoggerAdapter."""
import io
import json
import logging
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor


class JsonLine(logging.Formatter):
    def format(self, r):
        doc = {"ts": self.formatTime(r), "level": r.levelname, "agent": r.name, "message": r.getMessage()}
        for k in ("session_id", "request_id", "component"):
            if hasattr(r, k):
                doc[k] = getattr(r, k)
        return json.dumps(doc)


base = logging.getLogger("RealTimeVoice")
base.propagate = False
base.setLevel(logging.DEBUG)
_handler = logging.StreamHandler(sys.stdout)
_handler.setFormatter(JsonLine())
base.addHandler(_handler)


class SessionAdapter(logging.LoggerAdapter):
    def process(self, msg, kwargs):
        kwargs.setdefault("extra", {}).update(self.extra)
        return f"[{self.extra['session_id']}] {msg}", kwargs


class VoiceSession:
    def __init__(self, session_id, chunks):
        self.session_id = session_id
        self.chunks = chunks
        self.logger = SessionAdapter(base, {"session_id": session_id, "component": "session"})

    def run(self):
        self.logger.info(f"Session started with {len(self.chunks)} chunks")  # @sess
        transcript = []
        for no, chunk in enumerate(self.chunks, 1):
            self.logger.debug(f"chunk {no}: {len(chunk)} bytes, rms={len(chunk) / 100:.2f}")
            if not chunk:
                self.logger.warning(f"chunk {no} is silent, skipped")
                continue
            transcript.append(self.transcribe(chunk))
        text = " ".join(t for t in transcript if t)
        try:
            self.speak(text)
        except ValueError as e:
            self.logger.error(f"Session failed: {e}")  # @sess_bad
            return False
        self.logger.info(f"Session ended, {len(text)} characters heard")  # @sess_ok
        return True

    def transcribe(self, chunk):
        t0 = time.perf_counter()
        time.sleep(0.002)
        text = chunk.decode()
        ms = (time.perf_counter() - t0) * 1000
        self.logger.info(f"PERF_METRIC: [STTService] - [Transcription] - Duration: {ms:.2f}ms")  # @perf
        return text

    def speak(self, text):
        self.logger.info("Synthesizing answer...")  # @tts
        if not text:
            self.logger.error("Synthesis failed: empty text")  # @tts_bad
            raise ValueError("nothing to say")
        time.sleep(0.001)
        wav = io.BytesIO(text.encode() * 3)
        self.logger.info(f"Synthesized {len(wav.getvalue())} bytes of audio")  # @tts_ok


class VoiceAgent:
    def __init__(self):
        self.lock = threading.Lock()
        self.sessions = {}
        self.logger = base
        self.logger.info("VoiceAgent initialized (sample_rate=16000, chunk=30ms)")

    def open_all(self, plan):
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="voice") as pool:
            futures = {sid: pool.submit(VoiceSession(sid, c).run) for sid, c in plan.items()}
            for sid, f in futures.items():
                with self.lock:
                    self.sessions[sid] = f.result()
        good = sum(self.sessions.values())
        self.logger.info(f"[Metrics] sessions total={len(self.sessions)} succeeded={good} failed={len(self.sessions) - good}")

    def cleanup(self):
        self.logger.info("VoiceAgent closed all sockets")


if __name__ == "__main__":
    agent = VoiceAgent()
    try:
        agent.open_all({
            "s-71f0": [b"turn on", b"the light"],
            "s-90ac": [b"", b""],
            "s-b3d2": [b"what time", b"", b"is it"],
        })
    except KeyboardInterrupt:
        base.info("Interrupted by user")
    finally:
        agent.cleanup()
