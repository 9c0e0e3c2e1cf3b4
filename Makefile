# Everything runs in .venv beside this file. Nothing else on the machine is changed, but for one thing: `make test`
# installs MariaDB where there is none and it may (set JEONGGI_TEST_DATABASE_URL to test on a server of your own).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
SOURCES := jobs lib tests bench
# One more than there are cores: much of the time goes into leases that run out and disks that sync.
AT_ONCE = $$(( $$($(BIN)/python -c 'import os; print(os.cpu_count())') + 1 ))
COVERAGE := COVERAGE_FILE=.venv/coverage $(BIN)/coverage

.PHONY: setup demo test lint bench chaos year clean

setup: .venv/dev.stamp

# Whoever has the tools has the libraries too; the demo needs no more than these.
demo: $(if $(wildcard .venv/dev.stamp),.venv/dev.stamp,.venv/run.stamp)
	@$(BIN)/python -m jobs.ops demo

test: setup lint
	@$(BIN)/python -m tests.mariadb --install
	@$(BIN)/python -m pytest -q -n $(AT_ONCE)
	@rm -f .venv/coverage*
	@$(COVERAGE) run --source=lib/billing -m pytest -q tests/billing > .venv/billing.log || { cat .venv/billing.log; exit 1; }
	@$(COVERAGE) combine -q
	@$(COVERAGE) report --fail-under=100 > .venv/billing.log \
	  || { cat .venv/billing.log; echo 'every branch of lib/billing needs a case in tests/billing'; exit 1; }

lint: setup
	@$(BIN)/ruff format --check --quiet $(SOURCES) || { echo 'run: $(BIN)/ruff format $(SOURCES)'; exit 1; }
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }
	@$(BIN)/python -m pip --disable-pip-version-check check > .venv/pip-check.log || { cat .venv/pip-check.log; exit 1; }
	@echo 'lint: clean'

bench: setup
	@$(BIN)/python -m bench

# Three simulated years on either database, each held to the model of the rules; then some months in which faults
# fall on most runs: lost replies, kills, cut connections, neighbours away. About three quarters of an hour.
year: setup
	@$(BIN)/python -m tests.mariadb --install
	@$(BIN)/python -m tests.year --database sqlite --seed 1 --seed 2 --seed 3
	@$(BIN)/python -m tests.year --database mariadb --seed 1 --seed 2 --seed 3
	@$(BIN)/python -m tests.year --faults --database sqlite --seed 1 --subscriptions 60 --days 200
	@$(BIN)/python -m tests.year --faults --database mariadb --seed 1 --subscriptions 60 --days 120

# At least 2,000 faults, and the builds that are broken on purpose; about half an hour.
chaos: setup
	@$(BIN)/python -m tests.mariadb --install
	@$(BIN)/python -m tests.chaos
	@$(BIN)/python -m tests.chaos --control
	@JEONGGI_CHAOS=1 $(BIN)/python -m pytest -q tests/chaos/test_ways_out.py

clean:
	@rm -rf .venv build *.egg-info .coverage .coverage.* .*_cache .hypothesis
	@find jobs lib tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/dev.stamp: requirements-dev.lock setup.cfg pyproject.toml | $(BIN)/pip
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps -e .
	@touch $@

.venv/run.stamp: requirements.lock setup.cfg pyproject.toml | $(BIN)/pip
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps -e .
	@touch $@

# pip is the last thing that venv puts there: a folder without it was left half-made.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Python 3.11 or later is needed; name it: make PYTHON=python3.12 setup'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null \
	  || { echo "Python's venv is missing; on Debian and Ubuntu run: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv --clear .venv
