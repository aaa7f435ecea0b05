# `make demo` shows everything. Every target makes the environment it needs first.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
PYTHON ?= python3
export DAGSTER_HOME := $(CURDIR)/.safety_assets/dagster

.DEFAULT_GOAL := help
.PHONY: help demo ui test check bench model clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

$(DAGSTER_HOME)/dagster.yaml: dagster.yaml
	mkdir -p $(@D)
	cp dagster.yaml $@

demo: $(STAMP) $(DAGSTER_HOME)/dagster.yaml  ## fine-tune twice on real weights, and see what the gate says of each
	$(BIN)/python -m safety_assets.demo

ui: $(STAMP) $(DAGSTER_HOME)/dagster.yaml  ## Dagster's user interface on http://127.0.0.1:3000
	$(BIN)/dagster dev --workspace workspace.yaml --host 127.0.0.1 --port 3000

test: $(STAMP)  ## the tests, offline, on two cores
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not browser and not real_data and not architectures and not long and not postgres and not walkthrough'

check: $(STAMP)  ## format, lint, types, who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)  ## the measured claims
	$(BIN)/python -m benchmarks

model: $(STAMP)  ## build the embedded models and data again, from nothing
	$(BIN)/python -m data.build

clean:  ## remove everything that was made, the environment included
	rm -rf $(VENV) .safety_assets
