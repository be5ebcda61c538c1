"""A council of model agents with tools; event names with fields."""
import logging
from itertools import count

logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)-16s %(message)s")
serial = count(1)

SCRIPT = {
    "archivist": ("You are the archivist. Start by loading the minutes. If loading failed, say so.",
                  [("minutes", "2023"), ("minutes", "1999")]),
    "critic": ("Task completed? Finish with 'done in 5s'.", [("rate", "plan B"), ("rate", "plan C")]),
    "chair": ("Summarise. Stop.", []),
}


class Tools:
    def __init__(self):
        self.log = logging.getLogger("council.tools")
        self.pending = []

    def call(self, name, arg):
        call_id = f"c{next(serial)}"
        self.log.info(f"tool.call call_id={call_id} name={name} arg={arg!r}")  # @call
        self.pending.insert(0, (call_id, name, arg))
        return call_id

    def drain(self):
        out = []
        while self.pending:
            call_id, name, arg = self.pending.pop(0)
            if arg == "1999":
                self.log.error(f"tool.error call_id={call_id} reason='no such year'")  # @call_error
                out.append(None)
                continue
            self.log.info(f"tool.result call_id={call_id} size={len(arg)}")  # @call_result
            out.append(arg)
        return out


class Agent:
    def __init__(self, name, tools):
        self.name, self.tools = name, tools
        self.log = logging.getLogger(f"council.{name}")
        self.log.info(f"agent.created name={name}")

    def complete(self, prompt):
        self.log.debug(prompt)
        self.log.info(f"llm.begin agent={self.name} prompt_chars={len(prompt)} timeout=30s")  # @llm
        answer = f"{self.name}: I started, I failed, I finished"
        self.log.info(f"llm.end agent={self.name} answer={answer!r}")  # @llm_end
        return answer

    def turn(self, number):
        prompt, wanted = SCRIPT[self.name]
        self.log.info(f"turn.begin n={number} agent={self.name}")  # @turn
        for name, arg in wanted:
            self.tools.call(name, arg)
        results = self.tools.drain()
        answer = self.complete(prompt + str(results))
        self.log.info(f"turn.end n={number} agent={self.name} results={len(results)}")  # @turn_end
        return answer


def council():
    log = logging.getLogger("council")
    tools = Tools()
    agents = [Agent(name, tools) for name in SCRIPT]
    log.info("council.open members=3 topic='the bridge'")  # @open
    votes = []
    for number, agent in enumerate(agents, 1):
        votes.append(agent.turn(number))
        log.info(f"progress {number}/{len(agents)} elapsed=0.0s")
    log.info(f"council.close votes={len(votes)}")  # @close
    log.info("usage started=3 completed=3 failed_tools=1 tokens=812")


council()
