# Short words; `make help` lists them, CONTRIBUTING.md says more.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON := $(CURDIR)/.venv/bin/python
BIN := .venv/bin
export LOCKGATE_ENGINE ?= embedded
# Most tests wait for containers: three processes keep two processors busy.
WORKERS ?= 3

.PHONY: help setup base demo test test-long test-real tools lint bench clean

help: ## these lines
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## bring this machine to where the others work (asks before it installs; YES=1 does not)
	@ci/setup

base: setup ## the standard base image, built, scanned and pushed by this repository's own pipeline
	@$(PYTHON) -m ci.base

demo: base ## build, test, scan, measure and publish examples/shop
	@cd examples/shop && $(PYTHON) -m pipelines run
	@$(PYTHON) -m ci.published examples/shop

lint: setup ## ruff, mypy, import-linter
	@echo "ruff check" && $(BIN)/ruff check --quiet .
	@echo "ruff format --check" && $(BIN)/ruff format --check --quiet .
	@echo "mypy" && $(BIN)/mypy --no-error-summary
	@echo "mypy for macOS, all but the embedded engine" && $(BIN)/mypy --no-error-summary --platform darwin \
		--cache-dir .mypy_cache/darwin --exclude pipelines/engine/embedded/ -p pipelines
	@echo "lint-imports" && { said=$$($(BIN)/lint-imports 2>&1) || { echo "$$said"; exit 1; }; }

test: lint base ## lint and every test but the slow ones, in WORKERS processes side by side; all branches of the pure files
	@$(PYTHON) -m tests.branches
	@$(PYTHON) -m pytest -q -m "not slow" -n $(WORKERS)

test-long: base ## the slow tests
	@$(PYTHON) -m pytest -q -m slow

test-real: base ## the tests worth asking a real Dagger engine (set _EXPERIMENTAL_DAGGER_RUNNER_HOST, and have dagger on PATH)
	@: "$${_EXPERIMENTAL_DAGGER_RUNNER_HOST:?names no Dagger engine}"
	@LOCKGATE_ENGINE=dagger $(PYTHON) -m pytest -q -m real

bench: base ## measure: start-up, unchanged runs, builds beside docker, buildah and podman, the engine beside runc
	@$(PYTHON) -m benchmarks

tools: ## look for newer images; what is in the cache is not built again
	@ci/setup --refresh

clean: ## remove what this checkout made; the machine's cache and registry stay (ci/teardown stops the registry)
	@rm -rf .venv .lockgate examples/shop/.lockgate lockgate.local.toml examples/shop/lockgate.local.toml \
		dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
