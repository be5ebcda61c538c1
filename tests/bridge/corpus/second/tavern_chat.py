"""A chat server with a selector that is really a list."""
import logging
from collections import deque

logging.basicConfig(level=logging.INFO, format="%(levelname)-8s%(message)s")
barkeep = logging.getLogger("tavern")


class Conn:
    def __init__(self, user, lines):
        self.user = user
        self.inbox = deque(lines)
        self.outbox = []


class FakeSelector:
    def __init__(self, conns):
        self.conns = conns

    def select(self):
        return [c for c in self.conns if c.inbox][:1]


class Tavern:
    def __init__(self):
        self.sessions = {}
        self.count = 0

    def others(self, conn):
        return [c for c in self.sessions.values() if c is not conn]

    def translate(self, text, lang):
        barkeep.info(f"translator: {len(text)} letters for '{lang}'")  # @letters
        if lang == "xx":
            barkeep.error("translator: this tongue is foreign to me")  # @foreign
            return text
        barkeep.info("translator: done with it")  # @tongue
        return text[::-1]

    def run(self, selector):
        barkeep.info("Tavern open, 12 stools")
        while True:
            ready = selector.select()
            if not ready:
                barkeep.info("No guests left, last orders in 15 minutes")
                return
            conn = ready[0]
            word, _, rest = conn.inbox.popleft().partition(" ")
            self.count += 1
            barkeep.info(f"request #{self.count} from {conn.user}: {word}")  # @request
            if word == "JOIN":
                self.sessions[conn.user] = conn
                barkeep.info(f"session of {conn.user} started")
            elif word == "SAY":
                for other in self.others(conn):
                    other.outbox.append(rest)
                barkeep.info(f"request #{self.count}: heard by {len(self.others(conn))}")  # @heard
            elif word == "WHISPER":
                lang, _, text = rest.partition(" ")
                said = self.translate(text, lang)
                for other in self.others(conn):
                    other.outbox.append(said)
                barkeep.info(f"request #{self.count}: whispered")  # @whispered
            elif word == "LEAVE":
                del self.sessions[conn.user]
                barkeep.info(f"session of {conn.user} finished, lasted 12 minutes")
            else:
                barkeep.warning(f"request #{self.count}: nobody understands {word!r}, error sent")  # @nobody


tavern = Tavern()
tavern.run(FakeSelector([
    Conn("ann", ["JOIN", "SAY my boat failed, task completed", "LEAVE"]),
    Conn("ben", ["JOIN", "WHISPER fr loading ships", "WHISPER xx stop", "DANCE", "LEAVE"]),
]))
