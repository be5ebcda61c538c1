"""Tools of an agent are traced by a decorator that logs entering, leaving and failing."""
import functools
import logging
import sys
import time

logger = logging.getLogger("toolkit")
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(levelname)s %(message)s")


def tool(func):
    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        logger.info(f"🔧 {func.__name__} invoked with {args}")  # @tool
        started = time.perf_counter()
        try:
            result = func(*args, **kwargs)
        except Exception as e:
            logger.error(f"💥 {func.__name__} crashed after {time.perf_counter() - started:.3f}s: {e}")  # @tool_bad
            raise
        logger.info(f"🏁 {func.__name__} delivered {result!r}")  # @tool_ok
        return result
    return wrapper


@tool
def read_file(name):
    if name == "missing.txt":
        raise FileNotFoundError(name)
    return "loading complete"


@tool
def count_words(name):
    text = read_file(name)
    logger.debug(f"tokenizing {name}")  # @tok
    words = text.split()
    logger.debug(f"tokenized {name}: {len(words)} words")  # @tok_ok
    return len(words)


@tool
def shell(command):
    logger.debug("$ " + command)
    if command.startswith("rm"):
        logger.warning("command refused by policy")
        return -1
    return 0


class Agent:
    def execute(self, plan):
        logger.info(f"Plan with {len(plan)} actions")
        ok = 0
        for n, (action, argument) in enumerate(plan, 1):
            logger.info(f"Action {n} of {len(plan)}: {action.__name__}")  # @act
            try:
                action(argument)
                ok += 1
            except Exception:
                logger.warning(f"Action {n} skipped")  # @act_bad
        logger.info(f"{ok} of {len(plan)} actions succeeded")


Agent().execute([(count_words, "notes.txt"), (read_file, "missing.txt"), (shell, "ls"), (shell, "rm -r /")])
