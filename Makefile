# Targets for people; each is one command that can be run by hand.
PYTHON ?= .venv/bin/python

.PHONY: setup test lint types demo lock

setup:  ## a virtual environment with everything, editable
	python3 -m venv .venv
	$(PYTHON) -m pip install -q --no-deps --require-hashes -r requirements/dev.txt
	$(PYTHON) -m pip install -q --no-deps -e .

test:  ## the whole suite, on all cores
	sh scripts/test

lint:  ## style and floors
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	.venv/bin/lint-imports

types:  ## mypy, strict
	$(PYTHON) -m mypy

demo:  ## the first command of the README
	.venv/bin/assay demo

lock:  ## pin what pyproject.toml allows (needs uv)
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header pyproject.toml --extra demo -o requirements/demo.txt
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header pyproject.toml --extra archives --extra hdf5 -o requirements/scan.txt
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-header pyproject.toml --extra all --group dev -o requirements/dev.txt
