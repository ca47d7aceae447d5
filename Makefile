# Every command a person needs. Set-up happens by itself: each target asks for the environment it uses.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
PYTHON ?= python3
PY := .venv/bin/python

.PHONY: help
help: ## show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.run-ready: requirements.lock tools/setup.py pyproject.toml
	@$(PYTHON) tools/setup.py run
.venv/.dev-ready: requirements-dev.lock tools/setup.py pyproject.toml
	@$(PYTHON) tools/setup.py dev

.PHONY: install demo test drill search check lint types bench lock clean
install: .venv/.run-ready ## make .venv with the `orgstream` command in it
demo: .venv/.run-ready ## three orgs, live load, a proof at the end (no server needed)
	@exec $(PY) -m pipeline demo $(ARGS)
bench: .venv/.run-ready ## the benchmarks, on embedded servers
	@exec $(PY) -m pipeline bench $(ARGS)
# Most tests wait for servers and processes, so three at a time do well on two processors. Files are begun in
# the order of their names, which has the longest first. A Python that may keep what it has compiled starts
# in half the time, and the tests start hundreds.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/.dev-ready ## lint, types, SQL and the tests
	@$(MAKE) --no-print-directory check
	@exec $(PY) -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)
drill: .venv/.dev-ready ## CI's second part: break a running pipeline and ask a real Prometheus
	@$(PY) tools/prometheus.py
	@exec $(PY) -m pytest -m drill $(ARGS)
search: SEEDS ?= 200
search: .venv/.dev-ready ## CI's third part: random rules and load over many orgs
	@ORGSTREAM_TEST_EXAMPLES=$$(($(SEEDS) / 50)) $(PY) -m pytest tests/integration/echoes/test_random.py $(ARGS)
check: .venv/.dev-ready ## everything but the tests
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint types
lint: .venv/.dev-ready .venv/.sql-clean ## ruff, and sqlfluff where SQL changed
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
.venv/.sql-clean: .venv/.dev-ready .sqlfluff $(shell find sql -name '*.sql')
	@$(PY) -m sqlfluff lint --processes 2 sql
	@touch $@
types: .venv/.dev-ready ## mypy, strict, tests too
	@$(PY) -m mypy
lock: .venv/.dev-ready ## write the hash-locked requirements anew from pyproject.toml
	@$(PY) tools/lock.py
clean: ## remove the environment, caches and embedded servers' data
	rm -rf .venv .orgstream dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
