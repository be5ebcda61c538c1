"""A voice session: wake word, recording, transcript, thinking, speaking; one barge-in, one silence."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s|%(name)s|%(levelname)s|%(message)s")
ears = logging.getLogger("voice.ears")
stt = logging.getLogger("voice.stt")
brain = logging.getLogger("voice.brain")
mouth = logging.getLogger("voice.mouth")
main_log = logging.getLogger("voice.session")


class SilentAudio(Exception):
    pass


def record(frames):
    ears.info("Recording for up to 5 seconds")  # @rec
    for n in range(frames):
        time.sleep(0.002)
        ears.debug("frame %d level=%.1f", n, n / 10)
    ears.info("Recording stopped, %d frames kept", frames)  # @rec_ok
    return [0] * frames * 160


def transcribe(samples):
    if not samples:
        stt.warning("Buffer is empty, not transcribing")
        raise SilentAudio("no samples")
    stt.info("Transcribing %d samples", len(samples))  # @stt
    t0 = time.time()
    time.sleep(0.008)
    text = "start loading the dishwasher" if len(samples) > 500 else "stop, failed again"
    stt.info("Transcript in %.2fs: '%s'", time.time() - t0, text)  # @stt_ok
    return text


def think(text):
    brain.info("Thinking about: %s", text)  # @th
    time.sleep(0.006)
    if "failed" in text:
        try:
            raise KeyError("mood")
        except KeyError as e:
            brain.warning("Mood lookup failed (%s), going on without", e)
    reply = f"You said {text}"
    brain.info("Reply ready (%d words)", len(reply.split()))  # @th_ok
    return reply


def speak(text, barge_in):
    mouth.info("Speaking: %s", text)  # @sp
    for _ in range(3):
        time.sleep(0.003)
        if barge_in:
            mouth.info("Playback interrupted by user")  # @sp_cut
            return
    mouth.info("Playback finished")  # @sp_ok


def turn(n, frames, barge_in=False):
    main_log.info("Turn %d begins", n)  # @turn
    try:
        speak(think(transcribe(record(frames))), barge_in)
    except SilentAudio as e:
        main_log.error("Turn %d given up: %s", n, e)  # @turn_bad
        return
    main_log.info("Turn %d over", n)  # @turn_ok


def session():
    main_log.info("Session s-1 opened for user 'completed'")  # @ses
    ears.info("Wake word detected")
    turn(1, 5)
    turn(2, 2, barge_in=True)
    turn(3, 0)
    main_log.info("Session s-1 closed after 3 turns")  # @ses_ok


main_log.info("Loaded voice config: rate=16000, lang=en")
main_log.info("Microphone ready")
session()
main_log.info("Waiting for the next wake word... (none in this demo)")
