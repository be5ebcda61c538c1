"""First-level support agent. One adapter per ticket puts the number in front."""
import logging
import sys


class TicketLog(logging.LoggerAdapter):
    def process(self, msg, kwargs):
        return f"[{self.extra['ticket']}] {msg}", kwargs


base = logging.getLogger("desk")
base.setLevel(logging.DEBUG)
_out = logging.StreamHandler(sys.stdout)
_out.setFormatter(logging.Formatter("%(asctime)s | %(levelname)-8s | %(message)s"))
base.addHandler(_out)
base.propagate = False

KNOWLEDGE = {"printer": "Turn it off and on again.", "vpn": "Renew the certificate."}


class Ticket:
    def __init__(self, number, customer, text):
        self.number = number
        self.text = text
        self.log = TicketLog(base, {"ticket": f"TCK-{number}"})
        self.answer = None
        self.log.info(f"created by {customer}: \"{text}\"")

    def take(self):
        self.log.info("Agent takes over")  # @take
        self.topic = None

    def classify(self):
        self.log.info("Classifying")  # @classify
        for topic in KNOWLEDGE:
            if topic in self.text.lower():
                self.topic = topic
                break
        self.log.info(f"Topic: {self.topic}")  # @topic

    def draft(self):
        self.log.info("Drafting an answer")  # @draft
        if self.topic is None:
            self.log.warning("Nothing in the knowledge base, draft not possible")  # @no_draft
            return False
        self.answer = KNOWLEDGE[self.topic]
        self.log.debug(f"Answer so far: {self.answer}")
        self.log.info(f"Draft of {len(self.answer)} characters")  # @drafted
        return True

    def close(self):
        self.log.info("Sent, ticket closed by agent")  # @close

    def escalate(self, why):
        self.log.error(f"Given to a human: {why}")  # @escalate


def nightly_sync():
    base.info("Syncing the knowledge base with the wiki")  # @sync
    for page in ("printer", "vpn"):
        base.debug(f"page {page} unchanged, last completed edit 3 days ago")
    base.info("Wiki and knowledge base agree")  # @agree


def desk():
    nightly_sync()
    one = Ticket(1041, "ada", "My printer started to fail, error E-05, please start over")
    two = Ticket(1042, "bob", "Loading of my page failed. Finished with you!")
    three = Ticket(1043, "eve", "VPN connected, then disconnected")
    one.take()
    two.take()
    one.classify()
    two.classify()
    if one.draft():
        one.close()
    three.take()
    if not two.draft():
        two.escalate("no topic found")
    three.classify()
    if three.draft():
        three.close()
    base.info("Desk: 3 tickets taken, 2 closed, 1 escalated, average handling time: 4.5 s")


if __name__ == "__main__":
    desk()
