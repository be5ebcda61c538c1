import functools
import logging
import sys

_log = logging.getLogger("planner.trace")
prices = logging.getLogger("planner.prices")
logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(name)s %(message)s")

RECIPES = {
    "paella": ["rice", "broth", "saffron"],
    "broth": ["bones", "carrot"],
}
PRICES = {"rice": 1.2, "bones": 3.0, "carrot": 0.4, "turmeric": 2.1}
SUBSTITUTE = {"saffron": "turmeric"}


class OutOfStock(Exception):
    pass


def narrated(fn):
    """Tell every call of fn."""
    @functools.wraps(fn)
    def wrapper(*args, **kw):
        _log.debug(f"-> {fn.__name__}{args!r}")  # @call
        try:
            value = fn(*args, **kw)
        except Exception as exc:
            _log.debug(f"!! {fn.__name__} {type(exc).__name__}: {exc}")  # @blew
            raise
        _log.debug(f"<- {fn.__name__} {value!r}")  # @value
        return value
    return wrapper


@narrated
def price_of(item):
    if item not in PRICES:
        raise OutOfStock(f"{item} is finished until Monday")
    prices.info(f"{item}: {PRICES[item]:.2f} (price started at {PRICES[item] + 1:.2f}, loading fee 0)")
    return PRICES[item]


@narrated
def cost(item, depth=0):
    if depth > 5:
        raise RecursionError("recipe loop")
    if item in RECIPES:
        total = 0.0
        for part in RECIPES[item]:
            total += cost(part, depth + 1)
        return round(total, 2)
    try:
        return price_of(item)
    except OutOfStock as e:
        other = SUBSTITUTE.get(item)
        if other is None:
            raise
        _log.warning(f"{e}; using {other} instead")
        return price_of(other)


def shopping_list(dishes):
    _log.info(f"Shopping list for {', '.join(dishes)} in the making")  # @list
    total = 0.0
    for dish in dishes:
        try:
            total += cost(dish)
        except OutOfStock:
            _log.warning(f"{dish} is off the menu")
    _log.info(f"Shopping list: {total:.2f} EUR altogether, budget timeout: 5s")  # @listed


if __name__ == "__main__":
    shopping_list(["paella", "truffle"])
