"""Memory agent: consolidates the day's episodes at night. Everything goes through _say()."""
import logging
import sys

logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(levelname)s %(name)s %(message)s")


class Phase:
    """Tells its beginning and its end when used in a with statement."""

    def __init__(self, agent, label):
        self.agent = agent
        self.label = label

    def __enter__(self):
        self.agent._say(logging.INFO, f"~~ {self.label}")  # @phase
        return self

    def __exit__(self, kind, exc, tb):
        if exc is not None:
            self.agent._say(logging.ERROR, f"~~ {self.label} broke off: {exc}")  # @phase_broke
        else:
            self.agent._say(logging.INFO, f"~~ {self.label} over")  # @phase_over
        return False


class MemoryAgent:
    def __init__(self, episodes):
        self._logger = logging.getLogger("memory")
        self.episodes = episodes
        self.facts = {}
        self._say(logging.INFO, "Memory agent initialized, vector store connected")

    def _say(self, level, text):
        self._logger.log(level, f"(night 12) {text}")

    def cluster(self):
        groups = {}
        for e in self.episodes:
            groups.setdefault(e.split()[0], []).append(e)
        self._say(logging.DEBUG, f"{len(groups)} clusters, largest finished at size {max(map(len, groups.values()))}")
        return groups

    def summarise(self, name, items):
        self._say(logging.INFO, f"Summarising cluster {name}")  # @sum
        if len(items) > 2:
            self._say(logging.INFO, f"Cluster {name} is too big, splitting it")  # @split
            mid = len(items) // 2
            left = self.summarise(name + "a", items[:mid])
            right = self.summarise(name + "b", items[mid:])
            self._say(logging.INFO, f"Halves of {name} put together")  # @joined
            text = left + " / " + right
        else:
            text = " + ".join(items)
        self._say(logging.INFO, f"Cluster {name} summarised: {text}")  # @summed
        return text

    def forget(self):
        before = len(self.episodes)
        self.episodes = [e for e in self.episodes if "failed" not in e]
        self._say(logging.INFO, f"Forgot {before - len(self.episodes)} episodes, decay interval: 24h")

    def persist(self):
        raise ConnectionError("store answers 503")

    def night(self):
        self._say(logging.INFO, "The agent falls asleep")  # @asleep
        with Phase(self, "light sleep"):
            groups = self.cluster()
        with Phase(self, "deep sleep"):
            for name, items in groups.items():
                self.facts[name] = self.summarise(name, items)
            with Phase(self, "REM"):
                self.forget()
        try:
            with Phase(self, "writing down"):
                self.persist()
        except ConnectionError:
            self._say(logging.WARNING, "Facts kept in RAM until tomorrow")
        self._say(logging.INFO, f"The agent wakes up with {len(self.facts)} facts")  # @awake


if __name__ == "__main__":
    MemoryAgent(["cat started purring", "cat failed to jump", "cat completed meal", "rain began", "rain ended"]).night()
