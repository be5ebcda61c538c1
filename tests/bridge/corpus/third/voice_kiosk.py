import logging
from collections import deque

logging.basicConfig(level=logging.INFO,
                    format="%(asctime)s - %(name)s - %(levelname)s - %(message)s")


class SpeechIn:
    def __init__(self):
        self.logger = logging.getLogger("kiosk.stt")
        self.clock = deque([0.42, 0.38, 1.91])

    def transcribe(self, clip):
        text = clip["says"]
        took = self.clock.popleft()
        self.logger.info(f"Transcribed {clip['len']} s of audio in {took:.2f}s: '{text}'")  # @stt
        if took > 1:
            self.logger.warning("Transcription slower than the limit of 1.0s")
        return text


class SpeechOut:
    def __init__(self):
        self.logger = logging.getLogger("kiosk.tts")

    def say(self, text):
        self.logger.info(f"🔊 Synthesizing {len(text.split())} words")  # @tts
        if len(text) > 40:
            self.logger.warning("Text longer than 40 characters, using the short voice")
        self.logger.info("🔊 Synthesis complete")  # @tts_done


class Dialog:
    def __init__(self):
        self.logger = logging.getLogger("kiosk.dialog")
        self.answers = {
            "where is the train": "Platform four, departing in 12 minutes.",
            "opening hours": "We are open until eight.",
        }

    def answer(self, text):
        self.logger.info(f"Answering question: {text}")  # @answer
        try:
            reply = self.answers[text]
        except KeyError as e:
            self.logger.error(f"Error answering question: {e}")  # @answer_failed
            return None
        self.logger.info("Answer found")  # @answer_found
        return reply


class Kiosk:
    def __init__(self):
        self.logger = logging.getLogger("kiosk")
        self.logger.info("Initializing kiosk...")  # @init
        self.stt = SpeechIn()
        self.tts = SpeechOut()
        self.dialog = Dialog()
        self.served = 0
        self.logger.info("Kiosk initialized successfully")  # @init_done

    def visitor(self, clip):
        self.logger.info(f"Visitor {clip['visitor']} pressed the button, recording {clip['len']} seconds")
        text = self.stt.transcribe(clip)
        reply = self.dialog.answer(text)
        if reply is None:
            self.logger.info("No answer, playing the default sentence")
            reply = "Please ask the staff at the counter in the main hall."
        self.tts.say(reply)
        self.served += 1

    def report(self):
        self.logger.info(f"Served: {self.served}, avg response time: 0.90s, idle for 15s")


if __name__ == "__main__":
    k = Kiosk()
    k.visitor({"visitor": 1, "len": 3, "says": "where is the train"})
    k.visitor({"visitor": 2, "len": 2, "says": "opening hours"})
    k.visitor({"visitor": 3, "len": 5, "says": "has my upload failed or finished in 3s"})
    k.report()
    k.logger.info("Kiosk going to sleep for 30 minutes")
