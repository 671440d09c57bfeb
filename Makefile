# The front door. `make help` says what there is.
BUILD ?= build
JOBS ?= $(shell nproc)
# For test-models and bench: which models (a comma-separated list, empty is all), threads, and stacks to compare.
MODELS ?=
THREADS ?= 1
BACKENDS ?= ort,tenon
# For fuzz: of each suite.
SECONDS ?= 60
# For operators: a regular expression on their names, empty is all.
ONLY ?=
# For test-generated: FIRST:LAST, the last not included.
SEEDS ?= 1000:1200

comma := ,

.DEFAULT_GOAL := help
.PHONY: help setup build test check fuzz test-sanitizers test-generated test-large demo test-models bench docs operators format

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

check: build ## the fast gate before a commit: format, unit tests and lit
	@.venv/bin/python scripts/run_tests.py --build $(BUILD) --suites format,unit,lit

fuzz: build ## mutants of IR, bytecode, models and artifacts, SECONDS=60 of each; what fails is kept in $(BUILD)/fuzz
	@mkdir -p $(BUILD)/fuzz
	@test -d $(BUILD)/fuzz/nodes || .venv/bin/python -W ignore fuzz/node_models.py $(BUILD)/fuzz/nodes
	@$(BUILD)/bin/tenon-compile test/Integration/Inputs/program.mlir --runtime=/dev/null --quiet -o $(BUILD)/fuzz/seed.so
	@$(BUILD)/bin/tenon-fuzz modules test --seconds=$(SECONDS) --keep=$(BUILD)/fuzz; failed=$$?; \
	$(BUILD)/bin/tenon-fuzz bytecode test --seconds=$(SECONDS) --keep=$(BUILD)/fuzz || failed=1; \
	$(BUILD)/bin/tenon-fuzz models $(BUILD)/fuzz/nodes \
	  --seconds=$(SECONDS) --keep=$(BUILD)/fuzz || failed=1; \
	$(BUILD)/bin/tenon-fuzz artifacts $(BUILD)/fuzz/seed.so --seconds=$(SECONDS) --keep=$(BUILD)/fuzz || failed=1; \
	exit $$failed

test-sanitizers: setup ## the same tests under address and undefined-behaviour sanitizers
	@cmake --preset sanitizers > /dev/null
	@ninja -C build-sanitizers -j$(JOBS)
	@.venv/bin/python scripts/run_tests.py --build build-sanitizers --suites unit,lit

test-generated: build ## generated graphs, interpreted after every pass and compiled; SEEDS=1000:1200 says which
	@PYTHONPATH=$(BUILD)/python TENON_BUILD=$(CURDIR)/$(BUILD) TENON_SEEDS=$(SEEDS) .venv/bin/python -m pytest -q -p no:cacheprovider \
	  -n $(JOBS) --dist=load python/tests/test_generated_graphs.py python/tests/test_typed_graphs.py \
	  python/tests/test_generated_contractions.py python/tests/test_operator_models.py

test-large: build ## a model with 3 GB of weights: what compiling and running it hold in memory (10 GB on disk)
	@PYTHONPATH=$(BUILD)/python TENON_BUILD=$(CURDIR)/$(BUILD) .venv/bin/python -m pytest -q -s -p no:cacheprovider \
	  python/tests/large_weights.py

demo: build ## compile a trained network that reads text, and read a picture with it
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r examples/ocr/requirements.txt
	@PYTHONPATH=$(BUILD)/python .venv/bin/python examples/ocr/read_line.py

test-models: build ## compile whole models and compare with ONNX Runtime; MODELS=a,b selects
	@PYTHONPATH=$(BUILD)/python .venv/bin/python benchmarks/check_models.py $(BUILD)/models $(if $(MODELS),--only $(MODELS))

bench: build ## time whole models beside other stacks; MODELS=a,b THREADS=1 BACKENDS=ort,tenon
	@PYTHONPATH=$(BUILD)/python .venv/bin/python benchmarks/check_models.py $(BUILD)/models --make $(if $(MODELS),--only $(MODELS))
	@PYTHONPATH=$(BUILD)/python .venv/bin/python benchmarks/peers.py --threads $(THREADS) --backends $(BACKENDS) \
	  $(if $(MODELS),$(foreach m,$(subst $(comma), ,$(MODELS)),$(BUILD)/models/$(m)),$(BUILD)/models/*)

docs: build ## write the page of levels, and the references of ops and passes into $(BUILD)/docs
	@.venv/bin/python scripts/update_docs.py --build $(BUILD)

operators: build ## run ONNX's operators at all versions, types and sizes; docs/operators.json records what was right; ONLY=REGEX
	@.venv/bin/python scripts/measure_operators.py --build $(BUILD) $(if $(ONLY),--only '$(ONLY)')

format: ## format the C++ sources
	@git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format-22 -i

