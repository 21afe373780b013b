# make demo        two frames in, a preview of the frames between them out; with FCVG_MODELS it paints
# make test        lint and all tests, also in a real ComfyUI if one is found
# make test-quick  without slow tests, in one ComfyUI: under five minutes
# make coverage    the core's tests alone, and a table of the lines and branches that they do not reach
# make lint        ruff alone: rules and format
# make docs        writes the help pages of the nodes and the tables of other pages, draws the rooms
# make registry    runs the registry's tools on the pack as it is published
# make learn       trains a tiny model on two drawn clips, and measures whether it follows control
#                  frames; LEARN=--short: with half of the steps
# make fuzz        tests each reader of files with 5,000 damaged inputs; FCVG_FUZZ_EXAMPLES=N: with N
#
# All need Python 3.10 or newer and a package index; they install into .venv and nowhere else.

PYTHON ?= python3
PY := .venv/bin/python
DEMO := demo

# These three belong together: torchaudio beside torch of another release breaks transformers.
TORCH := torch==2.11.0 torchvision==0.26.0 torchaudio==2.11.0

.PHONY: demo learn test test-quick coverage registry docs fuzz lint clean

demo: .venv/installed
	$(PY) -m fcvg_core demo $(DEMO)

test: .venv/installed
	$(PY) -m ruff check .
	$(PY) -m ruff format --check --quiet .
	$(PY) tests/run.py

test-quick: .venv/installed
	$(PY) -m ruff check .
	$(PY) -m ruff format --check --quiet .
	$(PY) tests/run.py --quick

coverage: .venv/installed
	$(PY) tests/run.py --coverage

registry: .venv/installed
	$(PY) tests/registry_tools.py
	FCVG_TEST_REGISTRY=1 $(PY) -m pytest -q -ra tests/registry

docs: .venv/installed
	$(PY) docs/help.py
	$(PY) docs/rooms.py
	$(PY) docs/memory_table.py
	$(PY) docs/performance_table.py
	$(PY) docs/training_tables.py

fuzz: .venv/installed
	FCVG_FUZZ_EXAMPLES="$${FCVG_FUZZ_EXAMPLES:-5000}" OMP_NUM_THREADS=1 \
		$(PY) -m pytest -q -ra --durations=0 tests/fuzz

learn: .venv/installed
	$(PY) benchmarks/learn.py $(LEARN)

lint: .venv/installed
	$(PY) -m ruff check .
	$(PY) -m ruff format --check --quiet .

clean:
	rm -rf .venv $(DEMO)

.venv/installed: pyproject.toml requirements.txt Makefile
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(PY) -m pip install --quiet --disable-pip-version-check $(TORCH) -e ".[standalone,test]"
	@# Servers without a screen often lack libGL, which opencv-python links to.
	@$(PY) -c "import cv2" 2>/dev/null || { \
		$(PY) -m pip uninstall --quiet --yes opencv-python; \
		$(PY) -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps opencv-python-headless; }
	touch $@
