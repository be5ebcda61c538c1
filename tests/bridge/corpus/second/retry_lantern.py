"""Lanterns in the wind: a retry decorator that tells every attempt."""
import functools
import logging

logging.basicConfig(level=logging.INFO, format="%(levelname)s - %(funcName)s - %(message)s")

WIND = {3: [True, False], 5: [True, True, True], 6: [False]}


class Blown(OSError):
    pass


def stubborn(times):
    def wrap(fn):
        log = logging.getLogger(f"lantern.{fn.__name__}")

        @functools.wraps(fn)
        def inner(*args):
            for n in range(1, times + 1):
                log.info(f"{fn.__name__}{args}: match {n} of {times} struck")  # @struck
                try:
                    value = fn(*args)
                except Blown as e:
                    log.warning(f"{fn.__name__}{args}: match {n} of {times} went out ({e}), waiting 2s")  # @out
                    last = e
                else:
                    log.info(f"{fn.__name__}{args}: match {n} did it")  # @did_it
                    return value
            log.error(f"{fn.__name__}{args}: box of matches empty, last trouble was {last}")
            raise last
        return inner
    return wrap


@stubborn(times=3)
def ignite(number):
    if WIND[number].pop(0):
        raise Blown("wind")
    return number


def tend(number):
    log = logging.getLogger("lantern.keeper")
    log.info(f"Lantern {number}: up the ladder")  # @ladder
    try:
        ignite(number)
    except OSError as e:
        log.error(f"Lantern {number} stays dark: {e}")  # @dark
        return False
    log.info(f"Lantern {number} burns, oil for 9.5 hours")  # @burns
    return True


def street(numbers):
    log = logging.getLogger("lantern.street")
    log.info(f"Dusk. Round of {len(numbers)} lanterns begins")  # @round
    lit = [n for n in numbers if tend(n)]
    log.info(f"Round ends, lit {len(lit)}, failed {len(numbers) - len(lit)}, retries 3")  # @round_end


street([3, 5, 6])
