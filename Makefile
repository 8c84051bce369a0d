# make run     the page, at http://127.0.0.1:7860       (ARGS="--port 8000" and the like are passed on)
# make test    the tests, in a browser too where there is one
# make check   ruff and mypy
# make train   the demo pair, from its knowledge (three quarters of an hour on two cores)
# make bench   how fast the demo and the detector are
# make wheel   the wheel, in dist/
# make space   the folder to push as a Hugging Face Space, in dist/space (docs/hosting.md)

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test check train bench wheel space clean

run: $(VENV)/installed
	$(BIN)/unsaid chat $(ARGS)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

train: $(VENV)/installed
	$(BIN)/python -m chat.engines.demo.train $(ARGS)

bench: $(VENV)/installed
	$(BIN)/python -m chat.engines.bench
	$(BIN)/python -m chat.engines.switch_bench
	$(BIN)/python -m chat.engines.remote_bench
	$(BIN)/python -m chat.ui.bench
	$(BIN)/python -m detectors.bench

wheel: $(VENV)/installed-dev
	$(BIN)/python -m build --wheel

space: | $(VENV)/bin/python
	$(BIN)/python space/build.py $(ARGS)

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Unsaid needs Python 3.11 or newer with venv. Install it, or: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# torch first and alone: the constraint names the build, and nothing else may ask for another.
$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Unsaid into $(VENV) (some minutes the first time)"
	$(PIP) torch
	$(PIP) --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
