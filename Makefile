# The two commands of the README. Both install what they need into .venv first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
JOBS   ?= auto

.PHONY: start test lint check clean

$(VENV)/.run: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.run

start: $(VENV)/.run
	@exec $(BIN)/cloudlet start $(ARGS)

test: $(VENV)/.dev lint
	env -u AWS_CA_BUNDLE $(BIN)/python -m pytest -n $(JOBS) $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check cloudlet tests bench
	$(BIN)/ruff format --check cloudlet tests bench
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache
