# Two commands for a newcomer, each good as the very first one in a fresh clone:
#   make demo    the main job on real input, with output to read
#   make test    lint, types, import contracts, tests
# All that is needed beforehand is Python >= 3.11 and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# What `make pytest` runs: all, or such as TESTS=tests/runtime.
TESTS ?=

.PHONY: demo test check lint types contracts pytest versions soak bench format lock clean help

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
	@$(BIN)/python -m pytest $(TESTS)

# Each has an environment of its own, such as .venv-3.12. One that does not start here is named and left out.
PYTHONS ?= python3.11 python3.12 python3.13

versions: ## the tests on each of PYTHONS that is here
	@passed=; failed=; absent=; \
	for python in $(PYTHONS); do \
		version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) \
			|| { absent="$$absent $$python"; continue; }; \
		echo "== Python $$version"; \
		$(MAKE) --no-print-directory pytest PYTHON=$$python VENV=.venv-$$version \
			&& passed="$$passed $$version" || failed="$$failed $$version"; \
	done; \
	echo "== passed:$${passed:- none}; failed:$${failed:- none}; not here:$${absent:- none}"; \
	test -z "$$failed" -a -n "$$passed"

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
	rm -rf $(VENV) .venv-* .counterparts .mypy_cache .ruff_cache .pytest_cache .hypothesis dist bench/.build

$(VENV)/.made:
	@$(PYTHON) scripts/make_venv.py $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements/run.lock pyproject.toml
	@$(BIN)/python scripts/install.py requirements/run.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.lock
	@$(BIN)/python scripts/install.py requirements/dev.lock
	@touch $@
