# What one does here every day. `make` alone lists it. Needs Python 3.11 or newer, make and git; brings the rest.

UV_VERSION := 0.13.8
BIN := .venv/bin
PLUGINS := -p playwright -p schemathesis
UV := .tools/bin/uv
READY := .venv/.ready

export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS ?= true
# Where it is set, every program begun here compiles all it loads, each time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check adapters bench bench-tau2 battery peers foreign frameworks servers conformance fuzz fuzz-parsers browser coverage docs sizes

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## a day of the shop: agents act, are stopped, killed, undone and proven (SERVE=1: live, behind the console)
	@$(BIN)/interlock demo $(if $(SERVE),--serve)

# Many tests wait for other processes: one more than there are cores keeps those busy.
ONE_MORE = $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)

test: $(READY) ## every promise, one line a suite
	@$(BIN)/pytest $(PLUGINS) -m "not slow" -n $(ONE_MORE) --dist worksteal

check: $(READY) ## style, types, floors and drawn pages, in under a minute
	@echo "ruff"        && $(BIN)/ruff check --quiet && $(BIN)/ruff format --check --quiet
	@echo "mypy, pyright"; $(BIN)/mypy --no-error-summary & mypy=$$!; $(BIN)/pyright; found=$$?; wait $$mypy && exit $$found
	@echo "floors"      && $(BIN)/lint-imports --no-logo
	@echo "drawn pages" && $(BIN)/python -m scripts.generate --check
	@$(BIN)/python -m scripts.sizes

bench: $(READY) ## the figures of docs/benchmarks.md
	@$(UV) sync --locked --quiet --group bench
	@$(BIN)/python -m bench

bench-tau2: $(READY) ## a public retail benchmark through the gate, and back
	@$(BIN)/python -m bench.tau2

fuzz: $(READY) ## compiled policies against their oracle, a million times
	@$(BIN)/python -m bench.fuzz

peers: $(READY) ## the same battery on others, each in an environment of its own, into docs/battery.md
	@PATH="$(dir $(abspath $(UV))):$$PATH" $(BIN)/python -m bench.battery

foreign: $(READY) ## the programs of others that tests/foreign asks; what cannot be had here is left out
	@bash scripts/foreign.sh $(UV)

conformance: $(READY) ## the protocol's conformance suite by itself and through the gateway, into docs/mcp-conformance.md
	@$(BIN)/python -m tests.peers_mcp.report

servers: $(READY) ## MCP servers and clients of others that tests/peers_mcp speaks to; what cannot be had here is left out
	@bash scripts/servers.sh $(UV)

frameworks: $(READY) ## an environment for each framework that Interlock is tested under; what cannot be had here is left out
	@bash scripts/frameworks.sh $(UV)

SECONDS_EACH ?= 60
FUZZ_PYTHON ?= python3.12

fuzz-parsers: $(READY) ## every parser of the evidence under a coverage-guided fuzzer (FUZZ_PYTHON: 3.12 or newer)
	@mkdir -p .foreign && $(UV) run --quiet --isolated --locked --python $(FUZZ_PYTHON) --with atheris==3.1.0 \
	  python -m bench.battery.parsers $(SECONDS_EACH)

adapters: $(READY) ## frameworks' adapters and MCP's own programs, in their environments, at length: types, crashes, pauses
	@$(BIN)/pytest -n auto --dist worksteal tests/frameworks tests/peers_mcp tests/docs/test_pages.py

battery: $(READY) ## the long versions of the slow suites
	@$(BIN)/pytest $(PLUGINS) -m slow -n auto --dist worksteal

browser: $(READY) ## the console in a real browser, long versions too (PICTURES=1: anew for the documentation)
	@$(BIN)/pytest $(PLUGINS) tests/browser

coverage: $(READY) ## the tests again, with every line and branch they reach, subprocesses included
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest $(PLUGINS) -m "not slow"
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

docs: $(READY) ## draw the generated pages again
	@$(BIN)/python -m scripts.generate

sizes: $(READY) ## files and functions longer than the rule of thumb
	@$(BIN)/python -m scripts.sizes

# The environment: a private uv, then exactly what uv.lock says. Python is the first of these that is new enough.
# Another one: make PYTHON=/path/to/python

$(READY): pyproject.toml uv.lock $(UV)
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python .tools/bin/python .venv
	@$(UV) sync --locked --quiet
	@touch $@

$(UV): Makefile
	@if [ -x $@ ] && $@ --version | grep -qF "uv $(UV_VERSION) "; then touch $@; exit 0; fi; \
	for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14); do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Interlock needs Python 3.11 or newer, and found none ($(or $(PYTHON),python3) is: $$($(or $(PYTHON),python3) --version 2>&1))." >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; \
	fi; \
	echo "Preparing .tools and .venv with $$($$found --version) (once)."; \
	rm -rf .tools && $$found -m venv .tools && \
	.tools/bin/python -m pip install -qq --disable-pip-version-check uv==$(UV_VERSION) && touch $@
