# Needs Python 3.11+ and make. `make help` lists what there is.
.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-release lint style types fences unit venv lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# PyPI's Linux torch asks for these; pip brings them with torch where they are wanted
TORCH_PARTS := torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cccl \
  nvidia-cuda-cupti nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile \
  nvidia-curand nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink \
  nvidia-nvshmem-cu13 nvidia-nvtx
UV := uv==0.13.9
# Test processes, each with servers of its own; the tests of a file stay together and share what is dear
JOBS ?= 2
PYTEST := $(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

help: ## this list
	@echo "AdaPTwin. Targets:"
	@sed -n 's/^\([a-z-]*\):.*## /  make \1@/p' $(MAKEFILE_LIST) | awk -F@ '{ printf "%-19s %s\n", $$1, $$2 }'

demo: $(STAMP) ## compress a real Whisper for one speaker, from upload to result table (SPEECH=folder MODEL=name GENERAL=folder CUT=0.35 JOB=json)
	@$(BIN)/python -m bench.demo $(if $(SPEECH),--speech "$(SPEECH)") $(if $(GENERAL),--general "$(GENERAL)") \
	  $(if $(MODEL),--model "$(MODEL)") $(if $(CUT),--cut "$(CUT)") $(if $(JOB),--job '$(JOB)')

test: lint unit ## all checks, and the tests that a change must pass (JOBS=processes)

test-fast: $(STAMP) style fences ## for every save: style, fences, and the unit tests that need no weights and no server
	$(PYTEST) -q -m "not release and not weights" tests/arch tests/unit

test-release: $(STAMP) ## what a release must pass too: real weights, every runtime, every shape, every base folder, a browser
	$(PYTEST) -m release

lint: $(STAMP) ## style, types and the fences between packages
	@$(MAKE) --no-print-directory -j2 --output-sync=target types style fences

style: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

fences: $(STAMP)
	$(BIN)/lint-imports

unit: $(STAMP)
	$(PYTEST) -m "not release"

venv: $(STAMP) ## install the pinned dependencies into .venv

$(STAMP): requirements.lock requirements-torch.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, and $(PYTHON) is not (or is missing). Install it, or name one: make PYTHON=python3.12 venv"; exit 1; }
	@test -x $(BIN)/python || { echo "== 1/4 making $(VENV)"; $(PYTHON) -m venv $(VENV); } || { \
	  rm -rf $(VENV); echo "Could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "== 2/4 installing pinned dependencies, each checked against its hash (300 MB, minutes the first time)"
	@$(BIN)/python -m pip install --require-hashes --no-deps -r requirements.lock || { \
	  echo "Installing failed: see the last lines above. Check the network and the free disk (3 GB), then run make again: it goes on where it stopped."; exit 1; }
	@echo "== 3/4 installing torch (200 MB; with CUDA several GB)"
	@$(BIN)/python -m pip install -r requirements-torch.txt || { \
	  echo "Installing torch failed: see above. Check network and disk, then run make again."; exit 1; }
	@echo "== 4/4 installing this project"
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lock: $(STAMP) ## write requirements.lock anew from requirements.in, newest versions
	$(BIN)/python -m pip install --quiet $(UV)
	$(BIN)/uv pip compile requirements.in --constraint requirements-torch.txt --upgrade --universal --generate-hashes \
	  --python-version 3.11 --no-annotate --custom-compile-command "make lock" \
	  $(addprefix --no-emit-package ,$(TORCH_PARTS)) --quiet --output-file requirements.lock

clean: ## remove .venv, caches and what the demo left
	rm -rf $(VENV) demo var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
