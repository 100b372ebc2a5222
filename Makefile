# make demo   measure a small sweep and print its table; makes everything it needs first
# make unit   the unit tests: no engine, no guest, no browser, no network, no root
# make test   all checks and tests
# make lint   the checks alone
# make fuzz   many made-up sweep files and command lines (CASES=20000)
# make mutants  change the code, one expression at a time, and list what no test notices (ROOMS=, MOST=)
# make docs   build the documentation into site/
# make torture  100 rounds of random faults over random sweeps, and docs/reliability.md about them (an hour)
# make bench  what pqbed's own steps cost (root: it compares with native namespaces)
# CA_BUNDLE=FILE with any of them: certificates (PEM) to trust besides the system's, for downloads.

CA_BUNDLE ?= $(PQBED_CA_BUNDLE)
BIN := .venv/bin

export PQBED_CA_BUNDLE := $(CA_BUNDLE)

# The unit tests on every core, with one worker more, since some tests wait; each takes what is left of another's.
WORKERS = $(shell echo $$(($$(nproc) + 1)))
UNIT = $(BIN)/pytest tests/unit --numprocesses $(WORKERS) --dist worksteal

.PHONY: demo unit test fuzz mutants lint docs torture bench setup

demo: setup
	$(BIN)/pqbed build $(if $(CA_BUNDLE),--ca-bundle "$(CA_BUNDLE)")
	$(BIN)/pqbed sweep --preset demo

unit:
	@scripts/setup.sh unit
	$(UNIT) --quiet

# The beds one test at a time: guests and engines share the host's addresses, and its cores are what is measured with.
test: lint
	@scripts/setup.sh tests
	$(UNIT) --cov
	$(BIN)/pytest --ignore tests/unit

CASES ?= 20000
fuzz: setup
	PQBED_FUZZ_CASES=$(CASES) $(BIN)/pytest tests/unit/cli/test_fuzz.py --timeout 0 --hypothesis-show-statistics

MOST ?= 60
mutants: setup
	cd tests && ../$(BIN)/python -m mutation.run_mutants $(ROOMS) --most $(MOST)

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup
	$(BIN)/python -m pip install -q --disable-pip-version-check $(if $(CA_BUNDLE),--cert "$(CA_BUNDLE)") --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

torture: setup
	cd tests && ../$(BIN)/python -m torture --rounds 100 --seed 1 --results ../.torture.ndjson --page ../docs/reliability.md

bench: setup
	for bench in tests/benchmarks/bench_*.py; do $(BIN)/python "$$bench" || exit 1; done

setup:
	@scripts/setup.sh
