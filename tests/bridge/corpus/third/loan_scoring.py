import functools
import logging
import random

logging.basicConfig(format="%(levelname)s|%(funcName)s|%(message)s", level=logging.DEBUG)
audit = logging.getLogger("loans.audit")
logger = logging.getLogger("loans")


def audited(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        audit.debug(f"ENTER {fn.__name__}")  # @enter
        try:
            result = fn(*args, **kwargs)
        except Exception as exc:
            audit.error(f"ABORT {fn.__name__}: {type(exc).__name__}: {exc}")  # @abort
            raise
        audit.debug(f"LEAVE {fn.__name__}")  # @leave
        return result
    return inner


class BureauError(Exception):
    ...


class Applicant:
    def __init__(self, name, income, debts):
        self.name, self.income, self.debts = name, income, debts


@audited
def fetch_history(a):
    if a.income < 0:
        raise BureauError("invalid income in file")
    logger.info(f"Bureau file of {a.name}: {len(a.debts)} open loans, last one completed 2019")
    return a.debts


@audited
def affordability(a, debts):
    free = a.income - sum(debts)
    logger.debug(f"{a.name} has {free} left per month")
    return free


@audited
def score(a):
    debts = fetch_history(a)
    free = affordability(a, debts)
    rnd = random.Random(7)
    return max(0, min(100, free // 20 + rnd.randint(0, 3)))


def decide(application_id, a):
    logger.info(f"Application {application_id}: decision process started")  # @decide
    try:
        points = score(a)
    except BureauError as e:
        logger.error(f"Application {application_id}: decision failed, {e}")  # @decide_failed
        return "manual"
    if points < 50:
        logger.warning(f"Application {application_id}: rejected with {points} points")  # @rejected
        return "no"
    logger.info(f"Application {application_id}: accepted with {points} points")  # @accepted
    return "yes"


def main():
    logger.info("Scoring service up, model version 12, decision timeout 900 ms")
    people = {
        7001: Applicant("Ms. Start", 4200, [300, 150]),
        7002: Applicant("Mr. Loading", 1100, [700]),
        7003: Applicant("Dr. Fail", -1, []),
    }
    outcome = {}
    for application_id, applicant in people.items():
        outcome[application_id] = decide(application_id, applicant)
    logger.info(f"Outcome: {outcome}")
    n = sum(1 for v in outcome.values() if v == "manual")
    logger.info(f"{n} application(s) forwarded to manual review")


main()
