# A newcomer's two commands are `make demo` and `make test`; each sets itself up.
# They work in folders with spaces and Cyrillic letters, in any locale.
PYTHON ?= python3
export PYTHONUTF8 := 1
BIN := .venv/bin
CLASSIFICATION := cv-classification-dvc-pipeline
SEARCH := image-search-dvc-pipeline

.PHONY: demo apps screenshots test-faults benchmark-apps benchmark-detections benchmark-quality benchmark-review benchmark-scale benchmark-search benchmark-speed test test-fast check audit lock setup setup-dev

# ---- The demo: both pipelines on the synthetic set ---------------------------------------------
# It has a workspace of its own, demo_run/: the pipelines' folders and settings stay as they are.
DEMO := demo_run

demo: setup
	@$(BIN)/python -m demo.run
	@$(MAKE) --no-print-directory apps
	@echo
	@echo "This model knows drawings only. For real photos, the app has a switch to the pretrained"
	@echo "network, which needs no training. Without the app:"
	@echo "                             $(BIN)/panthera predict PHOTOS --out predictions.csv"

# Where the outputs are, of the demo and of a real run, and how to open the apps on them.
apps:
	@for at in $(wildcard $(DEMO)) .; do \
		test -e $$at/$(CLASSIFICATION)/models/best_model.pth || continue; \
		case $$at in .) what="your data"; to=; up=..;; *) what="the demo"; to=$$at/; up=../..;; esac; \
		echo; \
		echo "Of $$what:"; \
		echo "Report and confusion matrix: $${to}$(CLASSIFICATION)/results/"; \
		echo "Photos that it gets wrong:   $${to}$(CLASSIFICATION)/results/error_analysis.html"; \
		echo "Suspected label errors:      $${to}$(CLASSIFICATION)/results/label_review.html"; \
		echo "Model:                       $${to}$(CLASSIFICATION)/models/best_model.pth"; \
		echo "Model for ONNX Runtime:      $${to}$(CLASSIFICATION)/models/best_model.onnx"; \
		echo "Index:                       $${to}$(SEARCH)/faiss_index/vector_index.bin"; \
		echo; \
		echo "Plots in the browser:        (cd $${to}$(CLASSIFICATION) && $$up/$(BIN)/dvc plots show --open)"; \
		echo "Classify your photos:        (cd $${to}$(CLASSIFICATION) && $$up/$(BIN)/streamlit run web_app.py)"; \
		echo "Search for similar ones:     (cd $${to}$(SEARCH) && $$up/$(BIN)/streamlit run web_app.py)"; \
	done

# README's pictures, taken of the apps as they are; after `make demo` they show drawn photos only.
screenshots: setup-dev
	$(BIN)/python -m docs.screenshots docs/images

# ---- Tests --------------------------------------------------------------------------------------
# Processes with one thread of OpenMP each: threads that wait for each other's cores spin.
# tests/conftest.py shares the files out.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadscope \
	--no-loadscope-reorder

test: setup-dev
	$(PYTEST)

# The quick ones: no browser, no clone of the repository, no notebook.
test-fast: setup-dev
	$(PYTEST) -m "not faults and not pipeline and not browser and not slow" tests

# What takes long: stages killed and started twice (PANTHERA_KILLS=3 kills less often), a hundred
# thousand damaged photos, a million rows, full disks, servers that lie, and a real Milvus server,
# which uvx fetches.
test-faults: setup-dev
	$(BIN)/python -m pytest -m faults -s tests

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy panthera_vision environment demo benchmarks docs
	$(BIN)/mypy $(CLASSIFICATION)
	$(BIN)/mypy $(SEARCH)

# Known dangers in our own lines, and known holes in what we build upon; the latter needs a network.
audit: setup-dev
	$(BIN)/uvx --quiet bandit@1.9.4 --quiet --severity-level medium --recursive panthera_vision \
		environment demo benchmarks docs $(CLASSIFICATION)/src $(SEARCH)/src \
		$(CLASSIFICATION)/web_app.py $(SEARCH)/web_app.py
	$(BIN)/uvx --quiet pip-audit --requirement requirements.txt --disable-pip --no-deps

# ---- Measurements -------------------------------------------------------------------------------
# DATA has panthera_photos/<Species>/, second_source/<Species>/ (photos of the same species from
# elsewhere) and other_felids/<Species>/. OPTIONS: --far FOLDER, with photos of anything but cats;
# --train-backbones.
DATA ?= ../shared/data
OPTIONS ?=

benchmark-quality: setup-dev
	$(BIN)/python -m benchmarks.quality $(DATA) benchmarks/quality.md $(OPTIONS)

# Whole frames beside the boxes of a detector, on large frames with small animals.
benchmark-detections: setup
	$(BIN)/python -m benchmarks.detections $(DATA) benchmarks/detections.md

# Needs the model and the index of the pipelines.
benchmark-search: setup-dev
	$(BIN)/python -m benchmarks.search $(DATA) benchmarks/search.md

# Which order of review finds wrong labels, and what correcting them brings.
benchmark-review: setup-dev
	$(BIN)/python -m benchmarks.review $(DATA)

# How the cost of each stage grows with the collection, up to 100,000 photos.
benchmark-scale: setup-dev
	$(BIN)/python -m benchmarks.scale $(DATA)/panthera_photos benchmarks/scale.md $(OPTIONS)

# How long visitors of the apps wait, with the model and the index that lie in the pipelines.
PHOTOS ?= $(DATA)/panthera_photos

benchmark-apps: setup-dev
	$(BIN)/python -m benchmarks.apps $(PHOTOS) benchmarks/apps.md

# The network and the training beside the ordinary way, on PHOTOS.
benchmark-speed: setup-dev
	$(BIN)/python -m benchmarks.speed $(PHOTOS) benchmarks/speed.md

# ---- The environment ----------------------------------------------------------------------------
# UV_TORCH_BACKEND=cpu (or cu128, rocm6.4, …) before `make` picks another build of torch.
setup: .venv/.installed

setup-dev: .venv/.installed-dev

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 …" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

.venv/.installed: .venv/bin/uv requirements.txt pyproject.toml $(wildcard environment/*.p*)
	@# Compiled now, as pip does, the packages do not delay the first start of every program.
	$(BIN)/uv pip install --quiet --compile-bytecode --python .venv -r requirements.txt
	$(BIN)/uv pip install --quiet --python .venv --no-deps --editable .
	cp environment/0_dvc_startup.pth environment/dvc_startup.py \
		"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	$(BIN)/uv pip install --quiet --python .venv -r requirements-dev.txt
	@touch $@

# ---- Pinned versions ----------------------------------------------------------------------------
# `make lock` keeps the pins that still fit; `make lock UPGRADE=--upgrade` takes the newest versions.
UPGRADE ?=
# torch itself pins its GPU libraries exactly. Left out here, they are installed with the builds of
# torch that want them, and a CPU build comes without.
OF_TORCH := cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cccl nvidia-cuda-cupti \
	nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile \
	nvidia-curand nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 \
	nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx triton
COMPILE = $(BIN)/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --no-emit-index-url \
	--custom-compile-command "make lock" $(OF_TORCH:%=--no-emit-package %) pyproject.toml

EXTRAS := pipeline apps serve onnx

lock: .venv/bin/uv
	$(COMPILE) $(EXTRAS:%=--extra %) --output-file requirements.txt
	$(COMPILE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt
