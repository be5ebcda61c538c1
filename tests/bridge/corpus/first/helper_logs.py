"""All lines of this agent go through one helper method."""
import logging
import sys
import time


class BaseAgent:
    def __init__(self, name):
        self.name = name
        self._logger = logging.getLogger("fleet")

    def _log(self, level, msg, *parts):
        text = " ".join([msg, *map(str, parts)])
        self._logger.log(getattr(logging, level.upper()), f"[{self.name}] {text}")


class ScoutAgent(BaseAgent):
    def search(self, query):
        self._log("info", f"Searching the web for '{query}'")  # @search
        hits = self._fetch(query)
        if hits is None:
            self._log("error", f"Search for '{query}' failed")  # @search_bad
            return []
        self._log("info", f"Search for '{query}' returned", len(hits), "hits")  # @search_ok
        return hits

    def _fetch(self, query):
        self._log("debug", "GET https://search.example/?q=" + query)
        time.sleep(0.002)
        return None if query == "failure" else [query] * 3


class WriterAgent(BaseAgent):
    def report(self, scout, queries):
        self._log("info", f"Composing report on {len(queries)} topics")  # @rep
        found = []
        for q in queries:
            found += scout.search(q)
        self._outline(found)
        self._log("info", "Report composed,", len(found), "sources")  # @rep_ok

    def _outline(self, found):
        self._log("info", "Outlining...")  # @outl
        time.sleep(0.001)
        self._log("info", "Outline has", len(found) // 2, "chapters")


logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(levelname)s %(message)s")
scout, writer = ScoutAgent("scout"), WriterAgent("writer")
scout._log("info", "agent started")
writer._log("info", "agent started")
writer.report(scout, ["success stories", "failure"])
writer._log("info", "finished=1 failed=1 running=0")
