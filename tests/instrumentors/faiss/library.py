"""FAISS's scenario set, in this process."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.instrumentors.scenarios import Driver, Library, Scenario

OLDEST, NEWEST = "1.8, oldest", "1.15, newest"


class Faiss(Driver):
    """Indexes of four vectors."""

    def __init__(self, kind: str, stub: Any) -> None:
        super().__init__(kind, stub)
        self.faiss, self.numpy = import_module("faiss"), import_module("numpy")

    def vectors(self, *rows: tuple[float, float]) -> Any:
        return self.numpy.array(rows, dtype="float32")

    def index(self, kind: str = "Flat") -> Any:
        made = self.faiss.index_factory(2, kind)
        # What is under test here is not the filling: the class's method as the library made it.
        add = type(made).add
        getattr(add, "__wrapped__", add)(made, self.vectors((0, 0), (1, 0), (2, 0), (3, 0)))
        return made

    def listed(self, found: Any) -> Any:
        return [each.tolist() for each in found]


def search(operation: str = "search", **more: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.top_k": 2,
        "db.system.name": "faiss",
        "db.operation.name": operation,
        "db.response.returned_rows": 2,
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return {name: value for name, value in told.items() if value is not None}


def _hits(**scores: float) -> dict[str, Any]:
    return {"gen_ai.retrieval.documents": [{"id": name[1:], "score": score} for name, score in scores.items()]}


LIBRARY = Library(
    name="faiss",
    instrumentor="obs_instrumentors.faiss",
    environments={OLDEST: ("faiss-cpu==1.8.0", "numpy<2"), NEWEST: ("faiss-cpu>=1.15,<2",)},
    driver=Faiss,
    kinds=("sync",),
    variables={"OBS_FAISS": "all"},
    more=("more.py",),
    scenarios=(
        Scenario(
            "retrieval",
            lambda its: its.listed(its.index().search(its.vectors((0, 1)), 2)),
            "retrieval",
            search(obs__retrieval__scores=(1.0, 2.0)),
            _hits(_0=1.0, _1=2.0),
        ),
        Scenario(
            "retrieval of two, more than there are",
            lambda its: its.listed(its.index("HNSW8").search(its.vectors((0, 0), (3, 0)), k=5)),
            "retrieval",
            search(
                gen_ai__retrieval__top_k=5,
                db__operation__batch__size=2,
                db__response__returned_rows=8,
                obs__retrieval__scores=(0.0, 1.0, 4.0, 9.0, 0.0, 1.0, 4.0, 9.0),
            ),
        ),
        Scenario(
            "retrieval within a radius",
            lambda its: its.listed(its.index().range_search(its.vectors((0, 0)), 1.5)),
            "retrieval",
            search("range_search", gen_ai__retrieval__top_k=None, obs__retrieval__scores=(0.0, 1.0)),
            _hits(_0=0.0, _1=1.0),
        ),
        Scenario(
            "write",
            lambda its: its.index().add(its.vectors((4, 0), (5, 0))),
            "add",
            {"db.system.name": "faiss", "db.operation.name": "add", "db.operation.batch.size": 2},
            {},
        ),
        Scenario(
            "delete",
            lambda its: its.index().remove_ids(its.numpy.array([0, 2])),
            "remove_ids",
            {"db.system.name": "faiss", "db.operation.name": "remove_ids", "db.operation.batch.size": 2},
        ),
        Scenario(
            "train",
            lambda its: its.index().train(its.vectors((4, 0), (5, 0))),
            "train",
            {"db.system.name": "faiss", "db.operation.name": "train", "db.operation.batch.size": 2},
        ),
        Scenario(
            "error",
            lambda its: its.index().search(its.numpy.zeros((1, 3), "float32"), 2),
            "retrieval",
            search(db__response__returned_rows=None, error__type="AssertionError"),
            error="AssertionError",
        ),
    ),
)
