# `make run` and `make test` are all that a bare machine with Python >= 3.11 needs.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: run test check evidence evidence-status evidence-stop lock

run: $(READY)
	$(BIN)/snakemake --cores all

test: $(READY)
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile pipeline/rules

# Long trainings, in the background: what is finished is to be committed (benchmarks/evidence/).
evidence: $(READY)
	nice -n 19 $(BIN)/python -m pipeline evidence run

evidence-status: $(READY)
	$(BIN)/python -m pipeline evidence status

# Before anything is timed.
evidence-stop: $(READY)
	$(BIN)/python -m pipeline evidence stop

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("robustinfo needs Python >= 3.11; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e .
	@touch $@

# After a change of dependencies in pyproject.toml; needs uv.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --quiet -o requirements.lock
