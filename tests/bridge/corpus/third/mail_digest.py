# Sends the weekly digest to subscribers. Cron calls this file once a week.
import logging
import sys
from collections import Counter
from types import SimpleNamespace as NS

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(module)s.%(funcName)s: %(message)s")

ARTICLES = [
    NS(id=11, title="How we started a failed bakery", clicks=250),
    NS(id=12, title="Loading docks explained", clicks=90),
    NS(id=13, title="Finished basements", clicks=5),
]
SUBSCRIBERS = [
    NS(email="ann@example.org", active=True, lang="en"),
    NS(email="bob@example.org", active=False, lang="en"),
    NS(email="carla@example", active=True, lang="en"),
    NS(email="dirk@example.org", active=True, lang="de"),
]
stats = Counter()


class SmtpRefused(Exception):
    pass


class Smtp:
    def __enter__(self):
        logging.info("Connecting to mail relay on port 25 (timeout 20s)")  # @connect
        self.sent = []
        logging.info("Connected to mail relay")  # @connected
        return self

    def __exit__(self, *exc):
        logging.info(f"Mail relay connection closed after {len(self.sent)} messages")
        return False

    def sendmail(self, to, body):
        if "." not in to.split("@")[1]:
            raise SmtpRefused(f"550 bad recipient {to}")
        self.sent.append(to)


def select(minimum):
    logging.info(f"Selecting articles with at least {minimum} clicks")  # @select
    chosen = [a for a in ARTICLES if a.clicks >= minimum]
    if not chosen:
        logging.info("No article is good enough")
        return []
    for a in chosen:
        logging.info(f"  - {a.title}")
    logging.info(f"{len(chosen)} articles selected")  # @selected
    return chosen


def render(articles, lang):
    try:
        head = {"en": "This week"}[lang]
    except KeyError:
        logging.warning(f"No template for language {lang}, using en instead")
        head = "This week"
    return head + "\n" + "\n".join(a.title for a in articles)


def deliver(smtp, sub, articles):
    if not sub.active:
        stats["skipped"] += 1
        logging.info(f"{sub.email} has unsubscribed")
        return
    logging.info(f"Sending digest to {sub.email}")  # @send
    body = render(articles, sub.lang)
    try:
        smtp.sendmail(sub.email, body)
    except SmtpRefused as e:
        stats["failed"] += 1
        logging.error(f"Sending digest to {sub.email} failed: {e}")  # @send_failed
        return
    stats["sent"] += 1
    logging.info(f"Digest sent to {sub.email} ({len(body)} bytes)")  # @sent


def main():
    articles = select(1000)
    if not articles:
        logging.info("Trying again with a lower limit")
        articles = select(50)
    with Smtp() as smtp:
        for sub in SUBSCRIBERS:
            deliver(smtp, sub, articles)
    logging.info(f"Digest: {stats['sent']} sent, {stats['failed']} failed, {stats['skipped']} skipped")


main()
