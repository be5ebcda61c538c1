"""Search index whose phases are beams of light (contextmanager)."""
import contextlib
import logging

logging.basicConfig(level=logging.DEBUG, format="%(asctime)s|%(levelname)s|%(name)s|%(message)s")
lamp = logging.getLogger("lighthouse.index")

DOCS = {
    1: "the keeper lit the lamp",
    2: "loading of the ship failed in the storm",
    3: "",
    4: "the storm ended and the ship was saved",
}


@contextlib.contextmanager
def beam(what, **facts):
    tail = ", ".join(f"{k}={v}" for k, v in facts.items())
    lamp.info(f"beam on : {what} ({tail})")  # @on
    try:
        yield
    except ValueError as e:
        lamp.error(f"beam flickers: {what}: {e}")
        raise
    finally:
        lamp.info(f"beam off: {what}")  # @off


class Segment:
    def __init__(self, number):
        self.number = number
        self.postings = {}

    def add(self, doc, text):
        if not text:
            raise ValueError(f"document {doc} is empty")
        for word in text.split():
            self.postings.setdefault(word, set()).add(doc)


def build(number, docs):
    segment = Segment(number)
    with beam("segment", number=number, docs=len(docs)):
        for doc in docs:
            segment.add(doc, DOCS[doc])
            lamp.debug(f"posted {doc}: {DOCS[doc]}")
    return segment


def merge(segments):
    with beam("merge", segments=len(segments)):
        whole = Segment(0)
        for s in segments:
            for word, docs in s.postings.items():
                whole.postings.setdefault(word, set()).update(docs)
        lamp.info(f"{len(whole.postings)} words, load factor 0.7, merge limit 30s")
    return whole


def query(index, text):
    hits = set.intersection(*(index.postings.get(w, set()) for w in text.split()))
    micros = 400 * len(text)
    lamp.info(f"query answered: {text!r} → {len(hits)} hits, took {micros / 1000:.1f} ms")  # @answered
    return hits


def rebuild():
    segments = []
    with beam("rebuild", docs=len(DOCS)):
        for number, docs in ((1, [1, 2]), (2, [3, 4]), (3, [4])):
            try:
                segments.append(build(number, docs))
            except ValueError:
                lamp.warning(f"segment {number} left out, the index will do without")
        return merge(segments)


index = rebuild()
query(index, "the storm")
query(index, "lamp")
lamp.info("slow queries (over 100 ms): 0, failed: 0, average 5.2 ms")
