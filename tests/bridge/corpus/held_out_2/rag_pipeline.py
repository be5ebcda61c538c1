"""Index a few notes, then answer questions from them. The query path has spans of its own."""
import asyncio
import logging
import math
import sys
import time
from collections import Counter

from opentelemetry import trace

logging.basicConfig(level=logging.DEBUG, stream=sys.stdout,
                    format="%(asctime)s %(levelname)s [%(name)s] %(message)s")
logger = logging.getLogger("rag")
index_log = logging.getLogger("rag.index")
retr_log = logging.getLogger("rag.retrieve")
tracer = trace.get_tracer("rag")

NOTES = {
    "boiler.md": "The boiler needs service every March. The pressure must stay near 1.5 bar.",
    "garden.md": "Tomatoes are planted in May. Water them in the evening.",
    "empty.md": "",
    "car.md": "The car goes to inspection in October. Tyres are changed before winter.",
}


class EmptyDocument(ValueError):
    pass


def embed(text):
    return Counter(w.strip(".,?").lower() for w in text.split())


def cosine(a, b):
    num = sum(a[w] * b[w] for w in a)
    return num / (math.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values())) or 1)


class Index:
    def __init__(self):
        self.chunks = []

    def add_document(self, name, text):
        index_log.debug(f"Chunking {name} ({len(text)} chars)...")  # @chunk
        parts = [p.strip() for p in text.split(".") if p.strip()]
        if not parts:
            index_log.error(f"Could not chunk {name}: no sentences")  # @chunk_bad
            raise EmptyDocument(name)
        self.chunks += [(name, p, embed(p)) for p in parts]
        index_log.debug(f"Chunked {name} into {len(parts)} pieces")  # @chunk_ok

    def build(self, notes):
        started = time.perf_counter()
        skipped = []
        for i, (name, text) in enumerate(notes.items(), 1):
            index_log.info(f"document {i} of {len(notes)}")
            try:
                self.add_document(name, text)
            except EmptyDocument as e:
                skipped.append(str(e))
        took = time.perf_counter() - started
        index_log.info(f"Index built: {len(self.chunks)} chunks in {took * 1000:.1f} ms, skipped: {skipped}")  # @built


class Retriever:
    def __init__(self, index, k=2, floor=0.2):
        self.index, self.k, self.floor = index, k, floor

    async def __call__(self, question):
        retr_log.info(f"Retrieving top {self.k} for '{question}'")  # @retr
        q = embed(question)
        await asyncio.sleep(0.001)
        ranked = sorted(((cosine(q, e), n, p) for n, p, e in self.index.chunks), reverse=True)[: self.k]
        for score, name, _ in ranked:
            retr_log.debug(f"  {score:.2f} {name}")
        hits = [r for r in ranked if r[0] >= self.floor]
        retr_log.info(f"Retrieved {len(hits)} chunks above {self.floor}")  # @retr_ok
        return hits


async def generate(question, hits):
    logger.info(f"Generating answer from {len(hits)} chunks (temperature=0.1, max_tokens=256)")  # @gen
    await asyncio.sleep(0.002)
    if not hits:
        raise LookupError("no context to answer from")
    text = hits[0][2]
    logger.info(f"Generated answer, {len(text.split())} words")  # @gen_ok
    return text


async def answer(retriever, question):
    with tracer.start_as_current_span("rag.answer"):
        logger.debug("budget for this question: 2s")
        hits = await retriever(question)
        try:
            return await generate(question, hits)
        except LookupError as e:
            logger.warning(f"Answering without sources: {e}")
            return "I do not know."


async def main():
    logger.info(f"RAG demo, {len(NOTES)} notes, embedding model: bag-of-words")
    index = Index()
    index.build(NOTES)
    retriever = Retriever(index)
    for question in ("When is the boiler service?", "Which planet failed?"):
        logger.info(f"Q: {question}")
        logger.info(f"A: {await answer(retriever, question)}")
    logger.info("questions: 2, answered: 1, unanswered: 1")


if __name__ == "__main__":
    asyncio.run(main())
