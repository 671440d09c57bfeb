# The front door. `make help` says what there is.
BUILD ?= build
JOBS ?= $(shell nproc)

.DEFAULT_GOAL := help
.PHONY: help setup build test check test-sanitizers format

help: ## say what there is
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install system packages (as root) and Python packages into .venv, where missing
	@scripts/setup.sh

build: setup ## build everything into build/
	@echo "build: into $(BUILD)"
	@cmake --preset release -B $(BUILD) > /dev/null
	@ninja -C $(BUILD) -j$(JOBS)

test: build ## build and run every test
	@.venv/bin/python scripts/run_tests.py --build $(BUILD)

check: build ## the fast gate before a commit: unit tests and lit
	@.venv/bin/python scripts/run_tests.py --build $(BUILD) --suites unit,lit

test-sanitizers: setup ## the same tests under address and undefined-behaviour sanitizers
	@cmake --preset sanitizers > /dev/null
	@ninja -C build-sanitizers -j$(JOBS)
	@.venv/bin/python scripts/run_tests.py --build build-sanitizers --suites unit,lit

format: ## format the C++ sources
	@git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format-22 -i

