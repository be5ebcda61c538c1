"""Retrieval and an answer: embedding, search, reranking, LLM; with a cache, a refusal and a failure."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
log = logging.getLogger("rag.engine")
llm_log = logging.getLogger("rag.llm")
idx_log = logging.getLogger("rag.index")


class Index:
    def __init__(self, docs):
        idx_log.info("Building index from {} documents".format(len(docs)))  # @build
        self.chunks = []
        for d in docs:
            time.sleep(0.002)
            self.chunks += d.split(". ")
        idx_log.info("Indexed {} documents ({} chunks)".format(len(docs), len(self.chunks)))  # @build_ok

    def search(self, vector, words, k=3):
        t0 = time.perf_counter()
        idx_log.info("Searching index, k={}, dim={}".format(k, len(vector)))  # @srch
        time.sleep(0.004)
        hits = [c for c in self.chunks if any(w in c for w in words)][:k]
        ms = (time.perf_counter() - t0) * 1000
        idx_log.info("{} chunks found in {:.1f} ms".format(len(hits), ms))  # @srch_ok
        return hits


class LLM:
    def complete(self, prompt):
        llm_log.info("Calling mini-7b with {} prompt chars, max_time=30s".format(len(prompt)))  # @llm
        time.sleep(0.012)
        if "vault" in prompt:
            raise ConnectionError("upstream closed the stream")
        llm_log.info("mini-7b answered, 40 tokens")  # @llm_ok
        return prompt[:10]


class Engine:
    def __init__(self):
        self.index = Index(["cats sleep. cats start slow", "dogs bark. dogs fail", "the vault is done"])
        self.llm = LLM()
        self.cache = {}
        log.info("Engine up, model mini-7b loaded lazily")

    def embed(self, text):
        log.debug("embedding text")
        time.sleep(0.002)
        return [float(len(w)) for w in text.split()]

    def rerank(self, hits):
        log.info("Reranking {} chunks".format(len(hits)))  # @rerank
        time.sleep(0.003)
        return sorted(hits, key=len)

    def ask(self, qid, question):
        log.info("New question [{}]: {}".format(qid, question))  # @ask
        t0 = time.time()
        if question in self.cache:
            log.info("[{}] answered from cache".format(qid))  # @ask_hit
            return self.cache[question]
        hits = self.index.search(self.embed(question), question.split())
        if not hits:
            log.warning("No context for [{}], refusing to answer".format(qid))  # @ask_none
            return None
        hits = self.rerank(hits)
        try:
            text = self.llm.complete("\n".join(hits))
        except ConnectionError:
            log.exception("[{}] LLM call failed".format(qid))  # @llm_bad
            log.error("Giving up on [{}]".format(qid))  # @ask_bad
            return None
        self.cache[question] = text
        log.info("Answered [{}] in {:.2f} s with {} citations".format(qid, time.time() - t0, len(hits)))  # @ask_ok
        return text


engine = Engine()
engine.ask("q1", "do cats sleep")
engine.ask("q2", "unicorns finished loading")
engine.ask("q3", "is vault open")
engine.ask("q4", "do cats sleep")
