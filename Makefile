# `make run` and `make test` are all that a bare machine with Python >= 3.11 needs.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

# Processes that the tests run in, side by side; and which tests (`make test MARKED='not slow'`).
WORKERS ?= 2
MARKED ?= not fuzz and not engines
PYTEST := -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

.PHONY: run test test-bottom integration docs check proof fuzz faults pictures wheel lock
.PHONY: evidence evidence-status evidence-stop

run: $(READY)
	$(BIN)/snakemake --cores all

test: $(READY)
	$(BIN)/python $(PYTEST) -m '$(MARKED)'

# A real Slurm, S3, PostgreSQL, MLflow server and Chromium, each on loopback: some ten minutes. What
# they need is in docs/scale-out.md; one that is not installed fails. SOME: `-k 'not slurm'`.
integration: .venv/.engines
	ROBUSTINFO_ENGINES=required $(BIN)/python -m pytest -m engines tests/engines $(SOME)

.venv/.engines: $(READY)
	$(BIN)/python -m pip install --quiet --no-build-isolation -e '.[engines]'
	@touch $@

# The pages that are made from code are as committed; then the site, in site/: a dead link fails.
docs: $(READY)
	$(BIN)/python -m pytest -m docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --site-dir site

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile pipeline/rules
	$(BIN)/mypy

# Planted defects, honest networks and provable answers, by every protocol: days of one core. It goes
# on where it was stopped, and writes docs/proof.md. `make proof ONLY='honest/tiny'`: these alone.
proof: $(READY)
	OMP_NUM_THREADS=1 nice -n 19 $(BIN)/python -m tests.evaluation.proof $(if $(ONLY),--only $(ONLY))

# 20,000 studies and 5,000 files that are not what they should be: an hour of a core. It writes
# docs/bad-input.md.
fuzz: $(READY)
	OMP_NUM_THREADS=1 nice -n 19 $(BIN)/python -m tests.fuzz

# The pictures of the report in the documentation, of a finished quickstart; needs Chromium.
pictures: $(READY)
	$(BIN)/python -m tests.screens results/quickstart/report.html docs/pictures

# Kills, full disks, silent servers and damaged files on a small study.
# It writes docs/faults.md; the disks need root.
faults: $(READY)
	$(BIN)/python -m tests.faults.trials

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

# The tests at the lowest versions that pyproject.toml admits, on Python 3.11; needs uv.
test-bottom: .venv-bottom/.ready
	.venv-bottom/bin/python $(PYTEST) -m 'not slow'

.venv-bottom/.ready: pyproject.toml
	$(PYTHON) -m venv --clear .venv-bottom
	uv pip install --quiet --python .venv-bottom/bin/python --resolution lowest-direct -e '.[dev]'
	@touch $@

# Source and wheel (made from it), tried where nothing but the library's own dependencies is; needs uv.
wheel:
	rm -rf dist
	uv build --quiet
	uv run --isolated --no-project --with dist/*.whl robustinfo judge --help

# After a change of dependencies in pyproject.toml; needs uv.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --quiet -o requirements.lock
