# The two commands of the README. Both install what they need into .venv first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
JOBS   ?= auto

.PHONY: start test lint clean

$(VENV)/.run: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.run

# Client programs that tests drive: awscli v1 apart from our own botocore, and the JavaScript SDK where there is npm.
$(VENV)/.tools: tests/clients/js/package-lock.json $(VENV)/.dev
	@$(PYTHON) -m venv $(VENV)/tools/awscli
	@$(VENV)/tools/awscli/bin/python -m pip install -q --disable-pip-version-check awscli
	@if command -v npm >/dev/null; then cd tests/clients/js && npm ci --no-audit --no-fund --loglevel=error; fi
	@touch $@

start: $(VENV)/.run
	@exec $(BIN)/cloudlet start $(ARGS)

test: $(VENV)/.dev $(VENV)/.tools lint
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check cloudlet tests bench
	$(BIN)/ruff format --check cloudlet tests bench
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache
