# Humay: set-up and the main jobs. Everything lives in .venv; nothing else on the machine is touched.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
RUNTIME := $(VENV)/.runtime

.PHONY: demo test slow lint docs clean

demo: $(RUNTIME)          ## run the example mission: plan, pictures, catalogue, report
	$(BIN)/humay run examples/azersky/mission.toml -o out/azersky

test: $(READY)            ## the fast tests
	$(BIN)/python -m pytest -n auto -m "not slow" -q

slow: $(READY)            ## the slow evidence: real data, browser, many random problems
	$(BIN)/python -m pytest -n auto -m slow -q

lint: $(READY)            ## form and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

docs: $(READY)            ## the documentation, into site/
	$(BIN)/zensical build --strict --clean

$(RUNTIME): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $(RUNTIME)

$(READY): $(RUNTIME)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $(READY)

clean:
	rm -rf $(VENV) out site
	find src -name "*.nb[ic]" -delete   # numba does not see edits in callees
