"""A plugin host: plugins are grafted on, hooks call them in order."""
import functools
import logging
import types

logging.basicConfig(level=logging.DEBUG, format="%(levelname)s:%(name)s:%(message)s")
trunk = logging.getLogger("orchard")

HOOKS = {}


def hook(name, priority=5):
    def outer(fn):
        @functools.wraps(fn)
        def traced(*args, **kwargs):
            trunk.debug(f">> {name} [{fn.__name__}]")  # @enter
            try:
                result = fn(*args, **kwargs)
            except Exception as e:
                trunk.debug(f"<< {name} [{fn.__name__}] !! {type(e).__name__}: {e}")  # @leave_bad
                raise
            trunk.debug(f"<< {name} [{fn.__name__}] = {result!r}")  # @leave
            return result
        HOOKS.setdefault(name, []).append((priority, traced))
        return traced
    return outer


@hook("before_save", priority=9)
def stamp(doc):
    doc["stamp"] = "2024-10-02"
    return len(doc)


@hook("before_save", priority=1)
def spellcheck(doc):
    words = doc["text"].split()
    return [w for w in words if w.endswith("ed")]


@hook("after_save")
def thumbnail(doc):
    if "picture" not in doc:
        raise LookupError("picture is missing")
    return doc["picture"]


@hook("after_save", priority=8)
def notify(doc):
    for who in doc["readers"]:
        trunk.info(f"letter to {who}: your document has been saved, started by nobody")
    return None


def graft(source):
    trunk.info(f"Looking over {len(source)} saplings")  # @look
    alive = []
    for name, module in source.items():
        if not hasattr(module, "VERSION"):
            trunk.warning(f"{name} not grafted: it has no VERSION, error ignored")
            continue
        alive.append(name)
        trunk.info(f"{name} registered")
    trunk.info(f"{len(alive)} saplings taken, {len(source) - len(alive)} left in the shed")  # @taken
    return alive


def fire(name, doc):
    for _, fn in sorted(HOOKS.get(name, []), key=lambda p: p[0]):
        try:
            fn(doc)
        except LookupError as e:
            trunk.error(f"{name} goes on without {fn.__name__}: {e}")


def save(doc):
    trunk.info(f"💾 save of {doc['id']} requested by {doc['readers'][0]}")  # @save
    fire("before_save", doc)
    trunk.info(f"{doc['id']} on disk, {len(doc['text'])} characters")
    fire("after_save", doc)
    trunk.info(f"💾 save of {doc['id']} through")  # @saved


graft({"stamp": types.SimpleNamespace(VERSION=1), "blight": types.SimpleNamespace(), "notify": types.SimpleNamespace(VERSION=2)})
save({"id": "D-8", "text": "loaded failed stopped", "readers": ["ines", "raoul"]})
