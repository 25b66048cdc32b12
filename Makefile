# Two commands matter to a newcomer: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
THREADS ?= 2

.PHONY: demo test test-slow check format load clean

demo: $(VENV)/.installed
	$(BIN)/python -m anticipate demo

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n $(THREADS) -m "not slow"

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n $(THREADS) -m slow

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Ten minutes: bundles are replaced and clients misbehave while every answer is checked.
load: $(VENV)/.installed-test
	$(BIN)/python benchmarks/load.py --minutes 10

$(VENV)/.created:
	$(PYTHON) -c "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 'anticipate needs Python 3.11 or later; name one: make PYTHON=python3.12 ' + sys.argv[1])" demo
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.created setup.cfg pyproject.toml
	$(PIP) -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.created setup.cfg pyproject.toml
	$(PIP) -e ".[test]"
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-test
	$(PIP) -e ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage
