"""Reads a mailbox and writes a digest; each step says what it did."""
import logging
import time

log = logging.getLogger("digest")
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s: %(message)s")

MAILS = [{"id": "m1", "from": "ann", "body": "meeting failed, new date?"}, {"id": "m2", "from": "bob", "body": ""},
         {"id": "m3", "from": "eve", "body": "invoice started processing"}]


class Mailbox:
    def connect(self, host):
        log.info(f"Connecting to {host}:993 ...")  # @con
        time.sleep(0.001)
        log.info("Logged in as digest-bot")  # @con_ok

    def fetch(self):
        log.info("Checking for new mail")  # @fetch
        log.info(f"{len(MAILS)} new messages")  # @fetch_ok
        return MAILS

    def logout(self):
        log.info("Disconnected")


class Digest:
    def __init__(self):
        self.lines = []

    def summarize(self, mail):
        log.info(f"Summarizing {mail['id']} from {mail['from']}")  # @sum
        if not mail["body"]:
            log.info(f"{mail['id']} is empty, skipping")  # @sum_skip
            return
        self.lines.append(mail["body"][:10])
        log.info(f"Summary of {mail['id']}: {self.lines[-1]}")  # @sum_ok

    def write(self, to):
        log.info(f"Writing digest for {to}")  # @write
        if not to.endswith("@example.org"):
            log.error(f"Digest not written: bad address {to}")  # @write_bad
            return False
        log.info(f"Digest written ({len(self.lines)} entries)")  # @write_ok
        return True


def main():
    log.info("Digest agent v2.1, schedule: every 30 minutes")
    box, digest = Mailbox(), Digest()
    box.connect("imap.example.org")
    for mail in box.fetch():
        digest.summarize(mail)
    digest.write("boss@example.org")
    digest.write("nobody")
    box.logout()
    log.info("All done, sleeping for 30 minutes")


main()
