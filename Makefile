# make demo     set up, then one million messages between two enclaves
# make test     set up, then all tests
# make check    what CI does: lint, types, tests
# make bench    every figure against what a Python user would pick instead
.PHONY: demo test setup check lint types bench docs clean
PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(shell find src native -name '*.[ch]' -o -name '*.in' -o -name '*.py' -path 'src/*' -o -name '*.xsd') CMakeLists.txt pyproject.toml
export PYTHON

demo: .venv/installed
	$(BIN)/eactors run examples/demo/pingpong.py examples/demo/two-enclaves.xml --stats --expect 1000000

# Two at a time: most of them wait for the processes that they have started.
test: .venv/installed
	$(BIN)/python -m pytest -n 2

setup: .venv/installed

.venv/installed: $(SOURCES)
	tools/setup.sh dev
	@touch $@

check: lint types test

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed
	$(BIN)/mypy

.venv/bench-installed: $(SOURCES)
	tools/setup.sh dev,bench
	@touch .venv/installed $@

bench: .venv/bench-installed
	$(BIN)/python benchmarks/run.py $(BENCH)

docs: .venv/installed
	$(BIN)/python tools/reference.py

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
