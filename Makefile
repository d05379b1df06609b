PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# The CPU build of torch: a GPU build brings several GB of CUDA, so it is taken only where a GPU is.
TORCH ?= $(shell command -v nvidia-smi >/dev/null 2>&1 && echo torch==2.13.0 || echo torch==2.13.0+cpu)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
STAMP := $(VENV)/.installed
export TOKENIZERS_PARALLELISM = false
export HF_HUB_DISABLE_TELEMETRY = 1

.PHONY: setup demo test test-slow lint clean

setup: $(STAMP)

$(STAMP): constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet "$(TORCH)" || $(BIN)/pip install --quiet "$(TORCH)" --extra-index-url $(TORCH_INDEX)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[test]"
	touch $@

demo: setup
	$(BIN)/maqa demo

test: setup
	$(BIN)/pytest -n 2 -m "not slow and not vllm"

test-slow: setup
	$(BIN)/pytest -m "slow and not vllm"

# mypy needs the checkout under the name of the package, whatever its folder is called.
lint: setup
	mkdir -p .lint && ln -sfn .. .lint/maqa_severity
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	MYPYPATH=.lint $(BIN)/mypy -p maqa_severity
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) .lint build runs
