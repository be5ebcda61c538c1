"""A decorator tells entry and exit; the function walks a tree."""
import functools
import logging

logging.basicConfig(level=logging.DEBUG, format="%(levelname)-7s %(message)s")
LOG = logging.getLogger("tree")

TREE = {"root": ["left", "right"], "left": ["leaf"], "right": [], "leaf": []}


def traced(fn):
    @functools.wraps(fn)
    def wrapper(*args):
        shown = ", ".join(repr(a) for a in args)
        LOG.debug(f"Entering {fn.__name__}({shown})")  # @enter
        try:
            value = fn(*args)
        except Exception as e:
            LOG.debug(f"Exception in {fn.__name__}: {e!r}")  # @boom
            raise
        LOG.debug(f"Leaving {fn.__name__} -> {value!r}")  # @leave
        return value
    return wrapper


@traced
def weigh(node):
    if node not in TREE:
        raise KeyError(node)
    total = 1
    for child in TREE[node]:
        total += weigh(child)
    LOG.info(f"{node} weighs {total}, entering it in the ledger")
    return total


@traced
def weigh_safely(node):
    try:
        return weigh(node)
    except KeyError as e:
        LOG.warning(f"unknown node {e}, leaving it out")
        return 0


def main():
    LOG.info("Tree loaded")
    weigh_safely("root")
    weigh_safely("branch")
    LOG.info("Everything weighed")


if __name__ == "__main__":
    main()
