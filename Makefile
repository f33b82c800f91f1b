# Two commands for a newcomer, each good as the very first one in a fresh clone:
#   make demo    the main job on real input, with output to read
#   make test    lint, types, import contracts, tests
# All that is needed beforehand is Python >= 3.11 and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check lint types contracts pytest soak bench format lock clean help

help: ## what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

demo: $(VENV)/.run ## the main job on real input
	@$(BIN)/python examples/demo.py

test: check pytest ## lint, types, import contracts, tests

check: lint types contracts ## everything of `make test` but the tests

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev
	@$(BIN)/mypy

contracts: $(VENV)/.dev
	@$(BIN)/lint-imports

pytest: $(VENV)/.dev counterparts debian-packages
	@$(BIN)/python -m pytest

soak: $(VENV)/.dev ## the long runs
	@$(BIN)/python -m pytest -m soak -n 0 --timeout 3600

bench: $(VENV)/.dev counterparts ## the tables of the README (needs a C compiler)
	@$(BIN)/python -m bench

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# AWS's own runtime client and emulator, to test and measure against. Where they cannot be had the
# tests that need them are skipped and say so.
.PHONY: counterparts
counterparts: $(VENV)/.dev
	@$(BIN)/python scripts/counterparts.py

# Debian's packages that some tests need, installed where that can be done.
.PHONY: debian-packages
debian-packages: $(VENV)/.dev
	@$(BIN)/python scripts/debian_packages.py

lock: $(VENV)/.dev ## refresh requirements/*.lock
	@$(BIN)/python scripts/lock.py

clean:
	rm -rf $(VENV) .counterparts .mypy_cache .ruff_cache .pytest_cache .hypothesis dist bench/.build

$(VENV)/.made:
	@$(PYTHON) scripts/make_venv.py $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements/run.lock pyproject.toml
	@$(BIN)/python scripts/install.py requirements/run.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.lock
	@$(BIN)/python scripts/install.py requirements/dev.lock
	@touch $@
