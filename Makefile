# The whole developer interface. `make help` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# What the demo needs: envcheck alone, without what its development needs.
PLAIN := $(VENV)/.envcheck

.DEFAULT_GOAL := help
.PHONY: help demo test test-network lint fmt messages man changelog docs bench fuzz trust audit clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 18

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "envcheck needs Python 3.10 or newer; try make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

$(PLAIN): pyproject.toml | $(BIN)/python
	@echo "installing envcheck into $(VENV): half a minute, once"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(STAMP): pyproject.toml | $(BIN)/python
	@echo "installing envcheck and its development tools into $(VENV): a minute or two, once"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(PLAIN)

demo: $(PLAIN)  ## Check a Windows export offline: every problem with its fix, a lock, an environment file
	@$(BIN)/python fixtures/demo/run.py

test: $(STAMP)  ## Run the tests; they never leave this machine
	$(BIN)/python -m pytest -n auto

test-network: $(STAMP)  ## Run the tests that ask the Python package index
	$(BIN)/python -m pytest --network -m network

lint: $(STAMP)  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fmt: $(STAMP)  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: $(STAMP)  ## Collect the texts to translate, and compile the translations
	$(BIN)/python -m tests.support.messages

man: $(STAMP)  ## Write the manual pages anew, from the commands' help
	$(BIN)/python -m tests.support.manual

changelog: $(STAMP)  ## Show what the next release tells of changelog.d; VERSION=1.2.0 writes it into CHANGELOG.md
	$(BIN)/python -m towncrier build $(if $(VERSION),--yes --version $(VERSION),--draft --version next)

docs: $(STAMP)  ## Build the documentation into site/; a broken link fails it
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/python -m mkdocs build --strict

bench: $(STAMP)  ## Measure; needs ENVCHECK_SHARED, the folder of real repodata and exports
	$(BIN)/python tests/bench/startup.py
	$(BIN)/python -m tests.bench.speed
	$(BIN)/python tests/bench/corpus.py
	$(BIN)/python tests/bench/plan.py
	$(BIN)/python -m tests.bench.audit --only one two again

fuzz: $(STAMP)  ## Look for inputs that break a reader, two minutes long (FUZZ_SECONDS)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	$(BIN)/python -m tests.fuzz.fuzz --seconds $(or $(FUZZ_SECONDS),120)

trust: $(STAMP)  ## Thousands of generated questions, every fault of a channel, 200 killed runs, a shared cache for a minute
	$(BIN)/python -m pytest -n auto --hypothesis-profile=trust tests/property/test_right_answers.py tests/property/test_right_plans.py \
		tests/property/test_right_python_plans.py
	ENVCHECK_EVERY_FAULT=1 $(BIN)/python -m pytest -n auto tests/faults/test_misbehaving_channels.py
	ENVCHECK_KILLS=200 ENVCHECK_SHARED_SECONDS=60 $(BIN)/python -m pytest -n auto tests/faults/test_killed.py tests/faults/test_shared_cache.py

audit: $(STAMP)  ## Ask about known vulnerabilities of what is installed; needs the network (status 3 without)
	@$(BIN)/python -m tests.support.audit_dependencies

clean:  ## Remove what the targets above made
	rm -rf $(VENV) demo site build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
