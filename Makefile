# Everything runs in .venv, made here on first use with the versions of constraints.txt.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint slow bench golden pins clean
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
# The first Python that is new enough; `make PYTHON=/path/to/python3.12 …` chooses another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$python; break; fi; done)
INSTALL = $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

help:  ## show this list
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/core  ## replay a generated session through two strategies; report in out/demo/report.html
	@$(BIN)/twosided demo --out out/demo

test: lint  ## lint, types, import rules, then all tests: interpreted, bounds-checked, compiled
	@echo "== kernels as plain Python"
	@NUMBA_DISABLE_JIT=1 $(BIN)/pytest -n 2 -m "interpreted and not slow"
	@echo "== kernels with checked array bounds"
	@NUMBA_BOUNDSCHECK=1 TWOSIDED_CACHE=$(VENV)/cache-boundscheck $(BIN)/pytest -n 2 -m "interpreted and not slow"
	@echo "== everything, compiled"
	@$(BIN)/pytest -n 2

lint: $(VENV)/dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

slow: $(VENV)/dev  ## the tests that take minutes
	@$(BIN)/pytest -m slow

bench: $(VENV)/dev  ## all benchmarks, one JSON line each, peers measured in the same run
	@for script in $$(grep -l "^if __name__" benchmarks/*.py); do $(BIN)/python $$script; done

golden: $(VENV)/dev  ## rewrite the golden files; the only way they change
	@TWOSIDED_GOLDEN=write $(BIN)/pytest -m golden
	@git --no-pager diff --stat -- tests/golden

pins:  ## regenerate constraints.txt from what pyproject.toml allows today
	@rm -rf $(VENV)/pins && $(MAKE) VENV=$(VENV)/pins $(VENV)/pins/python
	@$(VENV)/pins/bin/python -m pip --disable-pip-version-check install --quiet '.[dev]'
	@{ echo '# Made by `make pins`: every package that twosided[dev] reaches, in the versions it is tested with.'; \
	   $(VENV)/pins/bin/python -m pip --disable-pip-version-check freeze --exclude twosided \
	   | sed -E 's/^numpy==.*/&; python_version < "3.14"\nnumpy==2.3.5; python_version >= "3.14"/'; } > constraints.txt
	@rm -rf $(VENV)/pins

clean:  ## remove .venv, caches and output
	@rm -rf $(VENV) out build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	@find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# Stamps: made again only when what is wanted has changed.
$(VENV)/python:
	@if [ -z "$(PYTHON)" ]; then echo "twosided needs Python 3.11 or newer; none was found (make PYTHON=/path/to/python3 names one)" >&2; exit 1; fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "twosided needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment (on Debian: apt install python3-venv)" >&2; exit 1; }
	@touch $@

$(VENV)/core: pyproject.toml constraints.txt | $(VENV)/python
	@echo "Installing twosided into $(VENV) (once)"
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/dev: pyproject.toml constraints.txt | $(VENV)/python
	@echo "Installing twosided and what its tests need into $(VENV) (once)"
	@$(INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/core
