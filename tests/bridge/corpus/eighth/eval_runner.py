"""Evaluates prompts against cases, with a judge model; timing in each line."""
import logging
import random
import time

random.seed(3)
LOG = logging.getLogger("evals")
LOG.setLevel(logging.INFO)
stream = logging.StreamHandler()
stream.setFormatter(logging.Formatter("{asctime} {levelname:>7} {message}", style="{"))
LOG.addHandler(stream)


class Judge:
    def score(self, case, output):
        LOG.info("judging case %s", case["name"])  # @judge
        if output is None:
            LOG.warning("nothing to judge in case %s", case["name"])  # @judge_bad
            return 0.0
        score = float(case["expect"] in output)
        LOG.info("case %s scored %.1f", case["name"], score)  # @judge_ok
        return score


class Runner:
    def __init__(self, cases):
        self.cases, self.judge = cases, Judge()

    def complete(self, case):
        LOG.info("-> completion for case %s", case["name"])  # @comp
        started = time.time()
        time.sleep(0.001)
        if case["prompt"] == "crash":
            LOG.error("<- completion for case %s: HTTP 500", case["name"])  # @comp_bad
            return None
        LOG.info("<- completion for case %s: %d tokens in %.2fs", case["name"], len(case["prompt"]), time.time() - started)  # @comp_ok
        return case["prompt"][::-1]

    def run_case(self, case):
        LOG.info("CASE %s ...", case["name"])  # @case
        score = self.judge.score(case, self.complete(case))
        if score < 1:
            LOG.error("CASE %s FAIL", case["name"])  # @case_bad
        else:
            LOG.info("CASE %s PASS", case["name"])  # @case_ok
        return score

    def run(self):
        LOG.info("evaluating %d cases", len(self.cases))  # @run
        scores = [self.run_case(case) for case in self.cases]
        LOG.info("evaluation over, mean score %.2f", sum(scores) / len(scores))  # @run_ok
        return scores


Runner([
    {"name": "reverse", "prompt": "abc", "expect": "cba"},
    {"name": "failed-login", "prompt": "ok", "expect": "no"},
    {"name": "server", "prompt": "crash", "expect": ""},
]).run()
