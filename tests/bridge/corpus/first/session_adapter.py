"""Voice sessions, each with an adapter that puts its id in front."""
import logging
import time

base = logging.getLogger("voice")
base.setLevel(logging.INFO)
handler = logging.StreamHandler()
handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
base.addHandler(handler)


class SessionAdapter(logging.LoggerAdapter):
    def process(self, msg, kwargs):
        return f"(session {self.extra['session_id']}) {msg}", kwargs


class Session:
    def __init__(self, session_id):
        self.session_id = session_id
        self.log = SessionAdapter(base, {"session_id": session_id})
        self.turns = 0

    def open(self):
        self.log.info("Opening session")  # @open

    def say(self, text):
        self.log.info(f"Handling utterance: {text}")  # @utt
        try:
            answer = self.think(text)
        except TimeoutError as e:
            self.log.error(f"Utterance could not be handled: {e}")  # @utt_bad
            return "sorry"
        self.turns += 1
        self.log.info(f"Utterance handled -> {answer}")  # @utt_ok
        return answer

    def think(self, text):
        self.log.info("Calling dialogue model, may take up to 120 seconds")  # @model
        time.sleep(0.002)
        if text.endswith("?"):
            raise TimeoutError("no answer after 120 seconds")
        self.log.info("Dialogue model returned 'closing the session failed, lol'")  # @model_ok
        return text.upper()

    def close(self):
        self.log.info(f"Session closed after {self.turns} turns")  # @close


def main():
    base.info("Voice front end ready")
    a, b = Session("s-01"), Session("s-02")
    a.open()
    a.say("hi")
    b.open()
    b.say("why?")
    a.say("bye")
    a.close()
    b.say("then not")
    b.close()
    base.info("Sessions opened: 2, closed: 2, error: 1")


main()
