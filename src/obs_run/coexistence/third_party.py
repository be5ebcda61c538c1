"""Instrumentors of other distributions: each is looked at when its library arrives, and none can stop another.

A scan of entry points takes 10 to 75 ms, in each process. The folders of the namespace packages that instrumentors live
in tell in a fraction of a millisecond which there may be.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # the module typing costs more than all of this package's start

_ROOTS = ("opentelemetry.instrumentation.genai", "opentelemetry.instrumentation", "openinference.instrumentation")
# Folder of the instrumentor -> the module that it waits for, where that is called otherwise.
_LIBRARIES = {
    "aiohttp_client": "aiohttp",
    "aiohttp_server": "aiohttp.web",
    "alephalpha": "aleph_alpha_client",
    "beeai": "beeai_framework",
    "bedrock": "botocore",
    "google_adk": "google.adk",
    "google_genai": "google.genai",
    "google_generativeai": "google.genai",
    "langchain": "langchain_core",
    "llamaindex": "llama_index.core",
    "llama_index": "llama_index.core",
    "milvus": "pymilvus",
    "mysql": "mysql.connector",
    "mysqlclient": "MySQLdb",
    "openai_agents": "agents",
    "openai_v2": "openai",
    "portkey": "portkey_ai",
    "qdrant": "qdrant_client",
    "sagemaker": "botocore",
    "strands_agents": "strands",
    "tortoiseorm": "tortoise",
    "urllib": "urllib.request",
    "watsonx": "ibm_watsonx_ai",
    "weaviate_client": "weaviate",
    "writer": "writerai",
}
# Folders with an instrumentor for each of several libraries, whose entry points are called as the libraries are.
_SEVERAL = {"botocore": ("botocore", "aiobotocore"), "httpx": ("httpx", "httpx2")}
# They see calls of a library that we instrument only in part, and go on beside ours.
_MAY_COEXIST = frozenset(["botocore", "sagemaker"])
# Helpers of others, and what would double our own: logs are captured by the log bridge, runs by the run span.
_NOT_WATCHED = frozenset(
    [
        "asgi",
        "asyncio",
        "auto_instrumentation",
        "aws_lambda",
        "boto",
        "dbapi",
        "distro",
        "exceptions",
        "genai",
        "logging",
        "system_metrics",
        "threading",
        "utils",
        "wsgi",
    ]
)
_outcomes: dict[str, str] = {}
_installed_by_module: dict[str, tuple[str, ...]] = {}
_scanned: list[bool] = []


def installed_instrumentors() -> dict[str, tuple[str, ...]]:
    """Return the packages of others that may instrument a library, by the module that they wait for."""
    if not _scanned:
        packages: dict[str, list[str]] = {}
        for root in _ROOTS:
            for name in _installed(root):
                for library in libraries_of(name):
                    packages.setdefault(library, []).append(f"{root}.{name}")
        _installed_by_module.update({module: tuple(names) for module, names in packages.items()})
        _scanned.append(True)
    return _installed_by_module


def outcomes() -> dict[str, str]:
    """Return what became of each instrumentor whose library arrived, by distribution: "active", or why not."""
    return dict(_outcomes)


def note(distribution: str, outcome: str) -> None:
    """Remember what became of an instrumentor."""
    _outcomes[distribution] = outcome


def libraries_of(package: str) -> tuple[str, ...]:
    """Return the modules of the libraries that the instrumentors in ``package`` are for."""
    folder = package.rpartition(".")[2]
    return _SEVERAL.get(folder) or (_LIBRARIES.get(folder, folder),)


def waits_for_library(module: str) -> bool:
    """Whether the instrumentor in ``module`` is looked at when its library is imported."""
    return any(is_submodule(module, package) for packages in installed_instrumentors().values() for package in packages)


def may_coexist(package: str) -> bool:
    """Whether an instrumentor may run beside ours of the same library."""
    return package.rpartition(".")[2] in _MAY_COEXIST


def is_submodule(module: str, library: str) -> bool:
    """Whether ``module`` is ``library`` or in it."""
    return module == library or module.startswith(f"{library}.")


def own_instrumentors_for(library: str) -> frozenset[str]:
    """Return the instrumentor modules of ours that wait for modules of ``library``, and tell of all that it does."""
    from obs_instrumentors import BESIDE_OTHERS, TABLE

    return frozenset(name for module, name in TABLE.items() if is_submodule(module, library)) - BESIDE_OTHERS


def _installed(root: str) -> list[str]:
    path = root.split(".")
    names: set[str] = set()
    for folder in sys.path:
        instrumentors = os.path.join(folder, *path)
        if os.path.isdir(instrumentors):
            names.update(os.listdir(instrumentors))
    return sorted(name for name in names - _NOT_WATCHED if name.isidentifier() and name[0] != "_")
