"""News desk: three authors, three logging libraries in one process."""
import logging
import sys

import structlog
from loguru import logger as press

press.remove()
press.add(sys.stdout, format="{time:HH:mm:ss} | {level} | {message}", level="DEBUG")

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(asctime)s %(levelname)s %(name)s %(message)s")
wire = logging.getLogger("desk.wire")

structlog.configure(
    processors=[structlog.stdlib.add_log_level, structlog.processors.KeyValueRenderer(key_order=["event"])],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)
editor = structlog.get_logger("desk.editor")

FEED = [
    ("n1", "Harbour bridge opened, ferry service ended"),
    ("n2", "Rocket start failed again"),
    ("n3", ""),
    ("n4", "Court: loading of goods completed too late"),
]


class Rejected(ValueError):
    pass


def read_feed():
    wire.info(f"Pulling the feed, page size 20, at most 5 s")  # @pull
    for nid, head in FEED:
        wire.debug(f"on the wire: {nid} {head}")
    wire.info(f"Feed pulled: {len(FEED)} items")  # @pulled
    return FEED


def shorten(nid, head):
    slog = editor.bind(item=nid)
    slog.info("shorten.start", chars=len(head))  # @shorten
    if not head:
        slog.error("shorten.error", reason="headline is empty")  # @shorten_error
        raise Rejected(nid)
    if "Rocket" in head:
        slog.warning("model_unavailable", fallback="cut at 20 characters")
        short = head[:20]
    else:
        short = " ".join(head.split()[:3])
    slog.info("shorten.end", short=short)  # @shortened
    return short


def publish(nid, short):
    press.info(f"{nid} goes to print")  # @print
    if "Court" in short:
        press.warning(f"{nid} is held back by the lawyers")  # @held
        return False
    press.debug(f"{nid} typeset, columns started: 1, hyphenation errors: 0")
    press.success(f"{nid} printed")  # @printed
    return True


def story(nid, head):
    wire.info(f"Story {nid} taken up by the desk")  # @story
    short = shorten(nid, head)
    out = publish(nid, short)
    press.info(f"Story {nid} off the desk, {'printed' if out else 'not printed'}")  # @off


def edition(name):
    editor.info("edition.open", name=name)  # @edition
    dropped = 0
    for nid, head in read_feed():
        try:
            story(nid, head)
        except Rejected as e:
            wire.error(f"Story {e} dropped")  # @dropped
            dropped += 1
    press.info("Plates were exposed in {} min", 1.5)  # @plates
    editor.info("edition.closed", name=name, stories=len(FEED), failed=dropped)  # @closed


if __name__ == "__main__":
    edition("evening")
