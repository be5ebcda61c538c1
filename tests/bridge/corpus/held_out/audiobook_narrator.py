#!/usr/bin/env python3
"""Reads a book aloud: two voices, one chapter per pool worker."""
import logging
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

logging.basicConfig(level=logging.INFO, stream=sys.stdout,
                    format="%(asctime)s [%(threadName)s] %(message)s")
logger = logging.getLogger("Narrator")


class VoiceBank:
    def __init__(self):
        self.loaded = {}

    def get(self, voice):
        if voice in self.loaded:
            logger.info(f"🎙️ Voice {voice} is already loaded")
            return self.loaded[voice]
        logger.info(f"🎙️ Warming up voice {voice} (this may take 30 seconds)")  # @warm
        time.sleep(0.01)
        self.loaded[voice] = {"rate": 22050}
        logger.info(f"🎙️ Voice {voice} warm, 22050 Hz")  # @is_warm
        return self.loaded[voice]

    def release_all(self):
        for voice in list(self.loaded):
            logger.info(f"🧊 Unloading voice {voice}")  # @unload
            del self.loaded[voice]
            logger.info(f"🧊 {voice} is off the GPU, 1.2 GB freed")  # @unloaded


def narrate(number, title, begun, go_on):
    tag = f"[ch{number:02d}]"
    logger.info(f"{tag} ▶ {title}")  # @chapter
    begun.set()
    go_on.wait(5)
    if number == 3:
        try:
            raise ValueError("unpronounceable word: 'Łódź'")
        except ValueError as exc:
            logger.error(f"{tag} ✗ {exc}")  # @chapter_bad
            return None
    audio = 61.5 * number
    logger.info(f"{tag} 50 % done, ETA 3 s")
    logger.info(f"{tag} ■ narrated at 14x real time (audio length: {audio:.1f}s)")  # @chapter_good
    return audio


def master(parts):
    stats = {"loudness_ms": 120, "encode_s": 2.5}
    logger.info(f"Loudness normalisation of {len(parts)} parts took {stats['loudness_ms']} ms")  # @loudness
    logger.info(f"Bitrate 64 kbit/s, crossfade: 250 ms, silence trimmed: 1.2 s")
    logger.info(f"Encoded to opus in {stats['encode_s']}s")  # @encode


def produce(book, chapters):
    logger.info(f"📖 Producing audiobook '{book}'")  # @book
    bank = VoiceBank()
    bank.get("emma")
    bank.get("emma")
    logger.info("Starting 3 pool workers...")
    results = []
    go_on = threading.Event()
    with ThreadPoolExecutor(max_workers=3, thread_name_prefix="voice") as pool:
        futures = []
        for number, title in enumerate(chapters, 1):
            begun = threading.Event()
            futures.append(pool.submit(narrate, number, title, begun, go_on))
            begun.wait(5)
        logger.info("Waiting for the chapters to be finished")
        go_on.set()
        results = [f.result() for f in futures]
    parts = [r for r in results if r]
    master(parts)
    bank.release_all()
    logger.info(f"📖 '{book}' is on disk: {len(parts)} chapters, 1 failed")  # @book_done


if __name__ == "__main__":
    produce("The Starting Line", ["Start Here", "Loading the Wagon", "Errors of Youth"])
