# The front door. Needs Python 3.10 or newer, make, and a network; everything else is made here.
.PHONY: install demo quick explore test test-all check lint types pins prices docs backends benchmark clean

PYTHON ?= python3
UV := $(or $(shell command -v uv),.cache/uv/bin/uv)
BIN := .venv/bin
JOBS ?= 2
# Without bytecode each ring compiles its tests, and each agent under test ours, anew.
unexport PYTHONDONTWRITEBYTECODE
NEEDS_MORE := backends or environments or heavy or slow

install: .venv/installed

demo: install
	$(BIN)/python examples/demo.py

# An agent of a fleet and its log lines; the same agent with a framework. Each in an environment that is made first.
demo-fleet demo-langgraph demo-openai-agents demo-pydantic-ai: install
	$(BIN)/python examples/demo.py $(@:demo-%=%)

# What needs neither network nor other environments nor backends: for after each change, in less than five minutes.
# The generated tests try a share of their examples.
quick: install
	$(BIN)/python -m pytest -n $(JOBS) -m "not ($(NEEDS_MORE))"

# What goes in, and what CI runs (which versions of the libraries: docs/testing.md). The backends are found or built first:
# five minutes when cold, none after that. Before these, the tests of `quick` run with all examples.
test test-all: export OBS_TESTS_EXAMPLES = all
test: quick
	$(BIN)/python -m tests.e2e.backends.install
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --durations 30 -m "($(NEEDS_MORE)) and not heavy"

# Draw ten times the examples of all generated tests, others each time.
explore: export OBS_TESTS_EXAMPLES = many
explore: install
	$(BIN)/python -m pytest -n $(JOBS) -m "hypothesis and not ($(NEEDS_MORE))"

# All versions of all libraries, and those that take several GB; what passed, and when, is kept in docs/testing.md.
test-all: export OBS_TESTS_VERSIONS = all
test-all: export OBS_TESTS_KEEP_RUNS = 1
test-all: quick
	$(BIN)/python -m tests.e2e.backends.install
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "$(NEEDS_MORE)"
	$(BIN)/python tools/make_docs.py

check: lint types test

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: install
	$(BIN)/mypy

# Write the tables in README.md and docs/ from the code.
docs: install
	$(BIN)/python tools/make_docs.py

# Write the table of prices from the data of the package genai-prices.
prices: install
	$(BIN)/python tools/make_prices.py

# Resolve the development environment anew, with hashes; a lock file would record download addresses.
pins: $(UV)
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes --no-annotate \
	  --custom-compile-command "make pins" --extra grpc --extra privacy --extra view --group test --group lint \
	  pyproject.toml --output-file requirements/development.txt

# Run the Collector, Jaeger and Prometheus until Ctrl-C.
backends: install
	$(BIN)/python -m tests.e2e.backends.run

benchmark: install
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python -m benchmarks.imports
	$(BIN)/python -m benchmarks.call
	$(BIN)/python -m benchmarks.api
	$(BIN)/python -m benchmarks.audit

clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache

.venv/installed: $(UV) pyproject.toml requirements/development.txt
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync --quiet --python .venv --require-hashes requirements/development.txt
	$(UV) pip install --quiet --python .venv --no-deps --editable .
	touch $@

.cache/uv/bin/uv:
	$(PYTHON) -m venv .cache/uv
	.cache/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
