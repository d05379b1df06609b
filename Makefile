PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# The CPU build of torch: a GPU build brings several GB of CUDA, so it is taken only where a GPU is.
TORCH ?= $(shell command -v nvidia-smi >/dev/null 2>&1 || [ "$$(uname)" = Darwin ] && echo torch==2.13.0 || echo torch==2.13.0+cpu)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
STAMP := $(VENV)/.installed
export TOKENIZERS_PARALLELISM = false
export HF_HUB_DISABLE_TELEMETRY = 1

.PHONY: setup demo test test-slow test-vllm lint safety-card bench-scoring bench-training bench-generation clean

setup: $(STAMP)

$(STAMP): constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet "$(TORCH)" || $(BIN)/pip install --quiet "$(TORCH)" --extra-index-url $(TORCH_INDEX)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[test,ray]"
	touch $@

demo: setup
	$(BIN)/maqa demo

test: setup
	$(BIN)/pytest -n 2 -m "not slow and not vllm"

test-slow: setup
	$(BIN)/pytest -n 2 -m "slow and not vllm"

bench-scoring: setup
	status=0; for bench in scoring statistics; do $(BIN)/python tests/bench_$$bench.py || status=1; done; exit $$status

bench-training: setup
	$(BIN)/python tests/bench_training.py

safety-card: setup
	$(BIN)/python tests/safety_card.py

# mypy needs the checkout under the name of the package, whatever its folder is called.
lint: setup
	mkdir -p .lint && ln -sfn .. .lint/maqa_severity
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	MYPYPATH=.lint $(BIN)/mypy -p maqa_severity
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) $(VENV)-vllm .lint build runs
