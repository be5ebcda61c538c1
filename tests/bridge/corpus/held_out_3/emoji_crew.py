"""A crew of helpers that log with emojis, through adapters that put the role in front."""
import logging
import sys
import time

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
root_log = logging.getLogger("crew")


class Role(logging.LoggerAdapter):
    def process(self, msg, kwargs):
        return f"[{self.extra['role']}] {msg}", kwargs


class Member:
    def __init__(self, role):
        self.role = role
        self.log = Role(logging.getLogger("crew.member"), {"role": role})
        self.log.info("👋 hello, ready to work")

    def use(self, tool, arg):
        self.log.info(f"🔧 using {tool} on '{arg}'")  # @tool
        time.sleep(0.004)
        if tool == "printer":
            self.log.warning(f"🧯 {tool} is on fire, moving on without it")  # @tool_bad
            return None
        self.log.info(f"📦 {tool} gave {len(arg)} results")  # @tool_ok
        return arg.upper()

    def work(self, task):
        self.log.info(f"🤖 working on: {task}")  # @work
        if task == "find news":
            self.use("search", "started fires")
        if task == "write page":
            self.log.info("🤔 hmm, the search failed to finish? no, fine")
            self.use("printer", "page")
            self.think_long()
        if task == "sing":
            raise RuntimeError("I have no voice")
        self.log.info(f"✅ finished: {task}")  # @work_ok

    def think_long(self):
        for n in range(3):
            time.sleep(0.002)
            self.log.info(f"⏳ still thinking ({n + 1}/3)")


class Crew:
    def __init__(self, name, plan):
        self.name, self.plan = name, plan
        self.members = {role: Member(role) for role in dict(plan)}

    def kickoff(self):
        t0 = time.time()
        root_log.info("─" * 30)
        root_log.info(f"🚀 Kicking off crew '{self.name}'")  # @crew
        for role, task in self.plan:
            try:
                self.members[role].work(task)
            except RuntimeError as exc:
                self.members[role].log.error(f"❌ {task} went wrong: {exc}")  # @work_bad
                root_log.error(f"💥 Crew '{self.name}' gave up")  # @crew_bad
                return False
        root_log.info(f"🏁 Crew '{self.name}' wrapped up in {time.time() - t0:.2f}s")  # @crew_ok
        return True


def main():
    root_log.info("🎬 crew runner v3 started")
    done = [
        Crew("news", [("researcher", "find news"), ("writer", "write page")]).kickoff(),
        Crew("choir", [("researcher", "find news"), ("singer", "sing"), ("writer", "write page")]).kickoff(),
    ]
    root_log.info(f"📊 crews done: {sum(done)}, failed: {len(done) - sum(done)}")
    root_log.info("💤 sleeping for 30 minutes (not really)")


if __name__ == "__main__":
    main()
