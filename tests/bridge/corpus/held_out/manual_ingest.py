"""Ingests product manuals into a vector index. Model calls are traced by hand, the rest is only logged."""
import logging
import sys

from opentelemetry import trace

tracer = trace.get_tracer("manual-ingest")
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)-7s %(funcName)-10s %(message)s")
log = logging.getLogger(__name__)


class Throttled(Exception):
    pass


class Embedder:
    def __init__(self):
        self.calls = 0

    def __call__(self, chunk):
        with tracer.start_as_current_span("embeddings text-small") as span:
            self.calls += 1
            span.set_attribute("chunk.length", len(chunk))
            if self.calls == 2:
                raise Throttled("429, retry after 20 s")
            return [float(len(chunk)), 1.0]


def paginate(path):
    with tracer.start_as_current_span("pdf.parse"):
        log.info(f"{path}: page 1 of 2 rendered")
        log.info(f"Looking for tables in {path}")  # @tables
        found = 0 if "pump" in path else 2
        log.info(f"{found} tables cut out of {path}")  # @tables_out
        return [f"{path} page {n}: Start the motor. Loading failed? Call us." for n in (1, 2)]


def embed(path, chunks, embedder):
    log.info(f"Embedding {len(chunks)} chunks of {path}")  # @embed
    vectors = []
    for i, chunk in enumerate(chunks):
        try:
            vectors.append(embedder(chunk))
        except Throttled as e:
            log.warning(f"Chunk {i} throttled: {e}; again at half speed")
            vectors.append(embedder(chunk))
    log.info(f"{len(vectors)} vectors for {path}, 2 dimensions")  # @vectors
    return vectors


def ingest(path, index, embedder):
    log.info(f"Manual {path}")  # @manual
    if path.endswith(".doc"):
        log.error(f"Manual {path} can't be read, .doc files ended with 2007")  # @unreadable
        return
    pages = paginate(path)
    log.info("Stripping headers and footers")  # @strip
    pages = [p.split(":", 1)[1] for p in pages]
    index[path] = embed(path, pages, embedder)
    log.info(f"Manual {path} is searchable")  # @searchable


def main():
    index = {}
    embedder = Embedder()
    with tracer.start_as_current_span("ingest.batch"):
        for path in ("pump.pdf", "mixer.doc", "lift.pdf"):
            ingest(path, index, embedder)
    log.info(f"Compacting the index ({len(index)} manuals)")  # @compact
    with tracer.start_as_current_span("index.compact"):
        log.info("segment 1 of 1 merged")
    log.info("Index compacted, next compaction in 24 h")  # @compacted


if __name__ == "__main__":
    main()
