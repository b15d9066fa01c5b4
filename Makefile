# Two commands for a machine with Python 3.11 or newer and nothing else: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint docs bench bench-peers test-heavy test-interop clean

demo: $(READY)
	$(BIN)/ptychopinn demo

test: lint
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not gpu and not heavy"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.regression

# Ours beside pty-chi, in an environment of its own: pty-chi wants torchvision, and that the full torch.
PEERS := .venv-peers
bench-peers: $(PEERS)/.ready
	$(PEERS)/bin/python -m benchmarks.peers --epochs 30

$(PEERS)/.ready: pyproject.toml
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check torch torchvision
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[ptychi]"
	touch $(PEERS)/.ready

test-heavy: $(READY)
	$(BIN)/python -m pytest -m heavy

# Ptychodus itself drives the package, and cdtools and PtyLab read its files, in an environment of
# their own that this target makes.
INTEROP := .venv-interop
test-interop: $(INTEROP)/.ready
	PYTHONPATH=src $(INTEROP)/bin/python -m pytest tests/interop tests/ptycho/test_ptychodus_plugin.py tests/io/test_peers_read.py

$(INTEROP)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(INTEROP)
	$(INTEROP)/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(INTEROP)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,interop]"
	$(INTEROP)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps "$$(grep '^neuraloperator==' constraints.txt)"
	touch $(INTEROP)/.ready

# torch first and by its exact version: a plain range would take a build with CUDA.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps "$$(grep '^neuraloperator==' constraints.txt)"
	touch $(READY)

# The site, without a warning, in ./site.
docs: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) $(INTEROP) $(PEERS) build dist site docs/reference out *.egg-info src/*.egg-info .ruff_cache .mypy_cache .pytest_cache
