# The verbs of the project. Each makes its own virtual environment in .venv where it needs one:
# `make test PYTHON=python3.12` chooses the interpreter.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --quiet --disable-pip-version-check
WORKERS ?= 2

.PHONY: help demo test lint fmt laws bench docs wheel nightly clean runtime-ir

help:
	@echo "make demo | test | lint | fmt | laws | bench | docs | wheel | nightly | runtime-ir | clean"

# One stamp per set of optional packages, so that no target installs more than it needs.
$(VENV)/base.stamp: pyproject.toml
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --editable .
	@touch $@

$(VENV)/%.stamp: pyproject.toml $(VENV)/base.stamp
	@$(PIP) install --editable '.[$*]'
	@touch $@

demo: $(VENV)/demo.stamp
	$(RUN) examples/digits.py

test: $(VENV)/dev.stamp
	HYPOTHESIS_PROFILE=$${HYPOTHESIS_PROFILE:-ci} $(RUN) -m pytest --quiet -n $(WORKERS)

laws: $(VENV)/dev.stamp
	$(RUN) -m pytest --quiet -n $(WORKERS) tests/test_laws.py

nightly: $(VENV)/dev.stamp
	HYPOTHESIS_PROFILE=nightly $(RUN) -m pytest --quiet -n $(WORKERS)

lint: $(VENV)/dev.stamp
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy

fmt: $(VENV)/dev.stamp
	$(RUN) -m ruff format .
	$(RUN) -m ruff check --fix .

bench: $(VENV)/bench.stamp
	$(RUN) benchmarks/run.py

docs: $(VENV)/dev.stamp
	$(RUN) tools/reference.py docs/reference

wheel: $(VENV)/dev.stamp
	rm -rf build dist
	$(RUN) -m build --wheel --outdir dist . > /dev/null
	$(RUN) tools/check_wheel.py dist/*.whl

# The native dispatcher's LLVM IR, made again from its C sources.
runtime-ir: $(VENV)/ir.stamp
	$(RUN) -m kernels.runtime.build

clean:
	rm -rf $(VENV) build dist docs/reference *.egg-info .pytest_cache .mypy_cache .ruff_cache
	rm -rf .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
