"""Two TTS voices, one thread each, that draw sentences from one queue."""
import logging
import queue
import threading
import time

logging.basicConfig(level=logging.INFO, format="%(threadName)-6s %(message)s")
log = logging.getLogger("tts")
sentences = queue.Queue()
gate = threading.Barrier(2)


def phonemes(text):
    log.info(f"Converting {len(text)} characters to phonemes")  # @ph
    time.sleep(0.002)
    log.info(f"Conversion gave {len(text) * 2} phonemes")  # @ph_ok
    return text * 2


def vocode(ph):
    log.info(f"Vocoder pass over {len(ph)} phonemes")  # @voc
    time.sleep(0.003)
    if "#" in ph:
        raise ValueError("no sound for '#'")
    log.info(f"Vocoder pass done, audio is {len(ph) / 10:.1f} seconds long")  # @voc_ok


def voice(first):
    log.info(f"Voice thread started with {first!r}")
    todo = [first]
    gate.wait()
    if first != "hello":
        time.sleep(0.002)
    for text in todo:
        log.info(f"Speaking: {text}")  # @sp
        try:
            vocode(phonemes(text))
        except ValueError:
            log.exception("Speech synthesis failed")  # @sp_bad
            continue
        log.info(f"Spoken, {sentences.qsize()} left.")  # @sp_ok
        if not sentences.empty() and first == "hello":
            todo.append(sentences.get())
    log.info(f"Voice thread ended, {len(todo)} sentences")


def main():
    for s in ("how are you", "bye"):
        sentences.put(s)
    threads = [threading.Thread(target=voice, args=(s,), name=f"voice{i}")
               for i, s in enumerate(("hello", "#1 hit"))]
    log.info(f"Starting {len(threads)} voice threads")
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    log.info("All voices have finished, 3 sentences spoken, 1 failed")


if __name__ == "__main__":
    main()
