"""Subtitles for the clips of a reel, two hands at a time."""
import logging
import time
from concurrent.futures import ThreadPoolExecutor

logging.basicConfig(level=logging.INFO, format="%(relativeCreated)5d %(threadName)s %(message)s")
log = logging.getLogger("reel")

CLIPS = {
    "opening": (0.12, ["ffmpeg version 6.0", "Starting encode pass 1", "frame= 250 time=00:00:10 speed=4x"]),
    "duel": (0.04, ["Stream mapping: #0:0 -> #0:0", "Conversion failed!"]),
    "credits": (0.02, ["encode finished in 8.1s, restarting clock"]),
}


class ToolError(RuntimeError):
    pass


def ffmpeg(clip):
    pause, lines = CLIPS[clip]
    for text in lines:
        log.info(f"[ffmpeg/{clip}] {text}")
    time.sleep(pause)
    if "failed" in lines[-1]:
        raise ToolError("ffmpeg left with code 1")
    return len(lines)


def caption(clip, lang):
    log.info(f"🎬 captions/{lang}: work on '{clip}'")  # @work
    try:
        frames = ffmpeg(clip)
    except ToolError:
        log.exception(f"captions/{lang}: '{clip}' ruined")  # @ruined
        return None
    tag = f"'{clip}'"
    text = " ".join(["🎬", f"captions/{lang}:", tag, "in the can,", f"{frames} frames"])
    log.info(text)  # @can
    return clip


def mux(clips):
    log.info(f"Muxing {len(clips)} clips, audio delay 80 ms")  # @mux
    log.info("Joining the audio tracks")  # @audio
    size = sum(len(c) for c in clips)
    log.info(f"  container: mkv, size {size} kB, average bitrate 3.2 Mb/s")
    log.info("Muxing: finished")  # @muxed
    return size


def reel(number, lang):
    log.info(f"Reel {number}: subtitles in '{lang}' ordered")  # @ordered
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="hand") as hands:
        futures = []
        for clip in CLIPS:
            futures.append(hands.submit(caption, clip, lang))
            time.sleep(0.01)
        log.info("Waiting for both hands...")
        good = [f.result() for f in futures if f.result()]
    mux(good)
    log.info(f"Reel {number}: delivered with {len(good)} of {len(CLIPS)} clips")  # @delivered


reel(4, "pt")
