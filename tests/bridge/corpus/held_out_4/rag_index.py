"""Builds an index of documents and answers questions from it."""
import logging

logging.basicConfig(level=logging.INFO, format="[%(levelname)s] %(message)s")
logger = logging.getLogger(__name__)

DOCS = {"a.md": "cats purr and sleep", "b.md": "dogs bark", "c.md": "", "d.md": "birds sing songs"}


class Index:
    def __init__(self):
        self.chunks = []

    def chunk(self, name, text):
        words = text.split()
        if not words:
            raise ValueError("empty document")
        return [(name, " ".join(words[i:i + 2])) for i in range(0, len(words), 2)]

    def build(self, docs):
        logger.info("=" * 40)
        logger.info(f"📚 Building index from {len(docs)} documents")  # @build
        logger.info("=" * 40)
        skipped = 0
        for n, (name, text) in enumerate(docs.items(), 1):
            logger.info(f"[{n}/{len(docs)}] Chunking {name}")  # @chunk
            try:
                parts = self.chunk(name, text)
            except ValueError as e:
                logger.warning(f"Could not chunk {name}: {e}")  # @chunk_bad
                skipped += 1
                continue
            self.chunks.extend(parts)
            logger.info(f"    -> {len(parts)} chunks from {name}")  # @chunk_ok
        self.embed()
        logger.info(f"✅ Index built: {len(self.chunks)} chunks, {skipped} documents skipped")  # @build_ok

    def embed(self):
        logger.info("🧮 Computing embeddings...")  # @embed
        for i in range(0, len(self.chunks), 3):
            logger.info(f"   batch {i // 3 + 1} embedded")
        logger.info("🧮 Embeddings computed")  # @embed_ok

    def retrieve(self, question):
        logger.info(f"🔍 Searching for: {question}")  # @search
        hits = [c for c in self.chunks if set(c[1].split()) & set(question.split())]
        if not hits:
            logger.info("🔍 No results")  # @search_none
            return []
        logger.info(f"🔍 Found {len(hits)} results")  # @search_ok
        return hits


def answer(index, question):
    logger.info(f"❓ Question: {question}")  # @q
    hits = index.retrieve(question)
    if not hits:
        logger.warning("🤷 No context, answering from general knowledge")
    text = "; ".join(h[1] for h in hits) or "I don't know"
    logger.info(f"💬 Answer: {text}")  # @a
    return text


def main():
    index = Index()
    index.build(DOCS)
    for question in ("do cats fail", "what do dogs do", "what is complete"):
        answer(index, question)
    logger.info("Bye 👋")


main()
