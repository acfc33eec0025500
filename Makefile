# The two commands of the README, and what they stand on.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MIDFILL := $(BIN)/midfill

.PHONY: try test test-editors bundle clean
.DEFAULT_GOAL := try

# Set everything up, then complete a marked place in examples/.
try: bundle
	$(MIDFILL) doctor
	@echo; echo "examples/inventory.py, line 26, completed:"; echo
	$(MIDFILL) complete examples/inventory.py:26:5

# Lint, types, unit, export and end-to-end tests over the real bundle.
test: bundle $(VENV)/tested
	$(BIN)/nox -s lint typecheck tests

# Real Neovims, Emacsen and Helix, which are installed into .nox/editors first (Debian).
test-editors: bundle $(VENV)/tested
	$(BIN)/nox -s editors

# The default model, from its weights to a verified INT8 bundle, in the cache folder; left alone where it is already.
bundle: $(VENV)/installed
	$(MIDFILL) pull

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --no-compile --editable .
	touch $@

# What the tests need besides: tools in the versions of the lock file, and torch, for `midfill export` and `tune`.
$(VENV)/tested: $(VENV)/installed requirements.lock
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes --no-deps --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-compile --editable ".[tune,eval]" --group dev
	touch $@

clean:
	rm -rf $(VENV) .nox .mypy_cache .ruff_cache .pytest_cache .grimp_cache .coverage dist site
