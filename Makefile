# One command a purpose; each sets up what it needs in .venv from the lock files, and nothing outside it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONUNBUFFERED := 1

.PHONY: help setup demo dev test lint bench lock clean

help:
	@echo "make demo   the whole product on generated data, no account needed"
	@echo "make dev    the sandbox kept alive, and the Dagster UI with schedules and sensors on"
	@echo "make test   the tests      make lint   style, types, layers"
	@echo "make bench  the figures    make setup  only the environment      make clean  removes it, no data"

setup: $(VENV)/dev.stamp

demo: $(VENV)/run.stamp
	@$(BIN)/bcns demo

dev: $(VENV)/run.stamp
	@$(BIN)/bcns dev

# Many containers forbid Python to write bytecode; then each worker would rewrite the assertions of every module anew.
test: $(VENV)/dev.stamp
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist worksteal

lint: $(VENV)/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/dev.stamp
	@$(BIN)/python -m bcns_pipeline_tests.bench

# Universal, with hashes, and without any download host.
lock: $(VENV)/dev.stamp
	@for set in "requirements.lock" "requirements-dev.lock --group dev"; do \
	  $(BIN)/uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
	    --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	    --quiet --output-file $$set; done

# What a merchant's flows remember is not ours to remove: the database, its data key, NetSuite's private key.
clean:
	rm -rf $(VENV) .bcns/demo .bcns/dev .bcns/pytest .bcns/*.lock .pytest_cache .mypy_cache .ruff_cache .hypothesis \
	  .import_linter_cache .tmp_dagster_home_* *.egg-info
	@for kept in .bcns/*; do [ ! -e "$$kept" ] || echo "$$kept stays: your database or keys"; done

$(VENV)/run.stamp: requirements.lock pyproject.toml
	@$(PYTHON) .ci/install.py $(VENV) requirements.lock
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml
	@$(PYTHON) .ci/install.py $(VENV) requirements-dev.lock
	@touch $@ $(VENV)/run.stamp
