# Two commands for a fresh machine: `make run` and `make test`. `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
export PYTHON

.PHONY: help run test check lint types imports bench bench-relay bench-ingest bench-telemetry bench-recorder bench-review bench-access audit prove-relay prove-ingest prove-telemetry prove-recorder docs-ingest setup setup-test clean lock dashboard-test
.DEFAULT_GOAL := help

help: ## what there is to do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: ## .venv and the dashboard, nothing else
	@scripts/setup run

run: setup ## set up and start the demo (prints the URL)
	@exec $(BIN)/lagebild demo

setup-test: ## what the tests need, Debian's packages included
	@scripts/setup test

test: setup-test ## set up and run all tests
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder
	@$(MAKE) --no-print-directory dashboard-test

dashboard-test:
	@$(BIN)/python scripts/build_dashboard.py test

check: setup-test lint types imports test ## all that must be green before a commit

lint: ## ruff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: ## mypy --strict
	@$(BIN)/mypy

imports: ## the floor plan's import contracts
	@$(BIN)/lint-imports

bench: setup-test ## measure the live path (QUICK=1: under 50 s)
	@$(BIN)/python -m tests.bench.live $(if $(QUICK),--quick)

bench-relay: setup-test ## measure the relay beside Janus, Pion and stock aiortc (QUICK=1: under 50 s)
	@scripts/bench-relay-setup
	@$(BIN)/python -m tests.bench.film
	@$(BIN)/python -m tests.bench.relay $(if $(QUICK),--quick)

bench-ingest: setup-test ## measure every way in, sender to bus (QUICK=1: under 50 s)
	@$(BIN)/python -m tests.bench.ingest $(if $(QUICK),--quick)

bench-telemetry: setup-test ## measure places on the ground, telemetry beside its picture, CPU a message (QUICK=1: under 50 s)
	@$(BIN)/python -m tests.bench.telemetry $(if $(QUICK),--quick)

bench-recorder: setup-test ## measure what a kill loses, byte exactness, and what recording costs (QUICK=1: under 50 s)
	@$(BIN)/python -m tests.bench.recorder $(if $(QUICK),--quick)

bench-review: setup-test ## measure lists, seeks, telemetry in review and exports (QUICK=1: under 50 s)
	@$(BIN)/python -m tests.bench.review $(if $(QUICK),--quick)

bench-access: setup-test ## measure the policy walk, revocation, and pictures beside an attack (QUICK=1: under 50 s)
	@$(BIN)/python -m tests.bench.access $(if $(QUICK),--quick)

prove-relay: setup-test ## bad networks, hostile viewers, joins and leaves: 15 minutes at most
	@$(BIN)/python -m tests.prove.relay

docs-ingest: setup-test ## make the table in docs/ingest.md anew, by real publishers
	@$(BIN)/python -m pytest -q tests/interop/test_ingest_matrix.py -k every_way
	@$(BIN)/python -m tests.interop.ingest_matrix

prove-ingest: setup-test ## a million hostile inputs over all parsers of ingest: 15 minutes at most
	@$(BIN)/python -m tests.prove.ingest

prove-telemetry: setup-test ## a million hostile inputs over all parsers of telemetry: 15 minutes at most
	@$(BIN)/python -m tests.prove.telemetry

prove-recorder: setup-test ## 200 kills at random moments under load, and full disks: 25 minutes at most
	@$(BIN)/python -m tests.prove.recorder

audit: setup-test ## known vulnerabilities in what we depend on, Python and JavaScript
	@scripts/audit

lock: setup ## write requirements/*.txt anew
	@scripts/lock

clean: ## remove everything made by building and testing
	rm -rf .venv .venv-stations build web/dashboard/dist web/dashboard/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
