from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import obs_run
from tools.make_docs import EXTENSION_MODULES


def test_the_public_names_are_these() -> None:
    assert obs_run.__all__ == ["__version__", "audit"]
    assert all(hasattr(obs_run, name) for name in obs_run.__all__)
    assert obs_run.__version__.count(".") == 2


def test_the_package_costs_nothing_to_import() -> None:
    code = "import sys; before = set(sys.modules); import obs_run; print(sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "['obs_run']"


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'obs_run' has no attribute 'nonsense'"):
        obs_run.nonsense  # noqa: B018 (asking is the test)


@pytest.mark.parametrize("name", EXTENSION_MODULES)
def test_what_others_may_build_on_is_listed_sorted_and_explained(name: str) -> None:
    module = import_module(name)
    assert module.__doc__
    assert list(module.__all__) == sorted(set(module.__all__))
    for public in module.__all__:
        assert not public.startswith("_")
        assert getattr(module, public).__doc__, f"{name}.{public}"
