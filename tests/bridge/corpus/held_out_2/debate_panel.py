"""Two writers and a critic argue over a text in rounds; calls are logged by a decorator."""
import asyncio
import functools
import logging
import sys
import time

logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(levelname)s\t%(name)s\t%(message)s")
logging.getLogger("asyncio").setLevel(logging.ERROR)
panel_log = logging.getLogger("panel")


def logged(fn):
    @functools.wraps(fn)
    async def wrapper(self, *args):
        name = f"{self.name}.{fn.__name__}"
        self.log.debug(f"-> {name}({len(args)} args)")  # @enter
        t0 = time.perf_counter()
        try:
            out = await fn(self, *args)
        except Exception as e:
            self.log.debug(f"<- {name} raised {type(e).__name__}: {e}")  # @exit_bad
            raise
        self.log.debug(f"<- {name} ok [{(time.perf_counter() - t0) * 1000:.1f} ms]")  # @exit_ok
        return out
    return wrapper


class Agent:
    def __init__(self, name, persona):
        self.name = name
        self.persona = persona
        self.log = logging.getLogger(f"panel.{name}")
        self.log.info(f"joined the panel as '{persona}'")


class Writer(Agent):
    def __init__(self, name, persona, tired_after=99):
        super().__init__(name, persona)
        self.left = tired_after

    @logged
    async def propose(self, topic, remarks):
        await asyncio.sleep(0.001)
        if self.left == 0:
            raise RuntimeError("context window is full")
        self.left -= 1
        if remarks:
            self.log.info(f"taking {len(remarks)} remarks into account")
        return f"{self.name}'s text on {topic}" + "!" * len(remarks)


class Critic(Agent):
    @logged
    async def judge(self, texts):
        await asyncio.sleep(0.001)
        scores = {who: min(10, 5 + text.count("!") * 2) for who, text in texts.items()}
        for who, score in scores.items():
            self.log.info(f"{who}: {score}/10")
        return scores


class Panel:
    def __init__(self):
        self.writers = [Writer("orla", "journalist"), Writer("timo", "engineer", tired_after=1)]
        self.critic = Critic("mira", "editor")
        self.remarks = []

    async def round(self, topic):
        texts = {}
        results = await asyncio.gather(*(w.propose(topic, self.remarks) for w in self.writers), return_exceptions=True)
        for w, r in zip(self.writers, results):
            if isinstance(r, Exception):
                panel_log.warning(f"{w.name} drops out of this round: {r}")
            else:
                texts[w.name] = r
        return await self.critic.judge(texts)

    async def debate(self, topic, rounds=3, good=9):
        panel_log.info(f"Debate on '{topic}' begins (up to {rounds} rounds, pass mark {good})")  # @debate
        best = 0
        for n in range(rounds):
            scores = await self.round(topic)
            best = max(scores.values())
            panel_log.info(f"best score after {n + 1} rounds: {best}")
            if best >= good:
                break
            self.remarks.append(f"remark {n + 1}")
        if best < good:
            panel_log.error(f"Debate on '{topic}' ended without an accepted text")
            return None
        panel_log.info(f"Debate on '{topic}' concluded, best text scores {best}")  # @debate_ok
        return best


if __name__ == "__main__":
    result = asyncio.run(Panel().debate("heat pumps"))
    panel_log.info(f"final score {result}, cost 0.00 EUR")
