# What a developer types, and exactly what CI runs. PYTHON is the interpreter the environment is made with.
PYTHON ?= python3
BUDGET ?= 2min
BIN := .venv/bin
INSTALLED := .venv/.installed

export OMP_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check bench faults clean

demo: $(INSTALLED)  ## search for a model on the small data set that comes along
	$(BIN)/automl search --task image-clf --budget $(BUDGET)

test: $(INSTALLED)  ## every test that needs no GPU: the quick ones on both cores, then the slow ones by themselves
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not gpu and not slow"
	$(BIN)/python -m pytest -q -m "slow and not gpu"

check: $(INSTALLED)  ## format, lint, types, architecture
	$(BIN)/ruff check automl tests examples
	$(BIN)/ruff format --check automl tests examples
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/architecture

bench: $(INSTALLED)  ## what the machinery costs; prints tables, asserts nothing
	$(BIN)/python tests/bench/bench_start.py
	$(BIN)/python tests/bench/bench_simulated.py
	$(BIN)/python tests/bench/bench_overhead.py
	$(BIN)/python tests/bench/bench_image_throughput.py
	$(BIN)/python tests/bench/bench_ragged.py

faults: $(INSTALLED)  ## the tests that kill and corrupt; pytest says 5 when there are none
	$(BIN)/python -m pytest -m faults || [ $$? -eq 5 ]

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache build dist

$(INSTALLED): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@
