# Each target wraps plain commands that README.md shows too. Variables given to make (PORT, ONCE, RUNS, ...) reach them.

# The first Python of 3.11 or newer; PYTHON=/path/to/python decides otherwise.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install
NOT_INSTALLED = echo "The packages could not be installed; pip says why above. It needs the network, or a package index" \
	"of your own in PIP_INDEX_URL. The next make goes on from here." >&2; exit 1

.PHONY: run test check lint prove bench screenshots
.DELETE_ON_ERROR:

run: .venv/installed
	@exec $(BIN)/python manage.py dev

# ARGS goes to pytest, as in: make test ARGS="-k invoice"
test: .venv/installed-tests
	$(BIN)/pytest -n auto --dist loadfile $(ARGS)

# For the inner loop: under a minute once mypy has its cache.
check: .venv/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist loadfile -m fast -q --durations=0 --durations-min=3 $(ARGS)

lint: .venv/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	DJANGO_SETTINGS_MODULE=tests.settings DATABASE_URL=sqlite://:memory: $(BIN)/python manage.py makemigrations --check --dry-run
	PINXERO_ENV_FILE=docs/production.env \
	SECRET_KEY=$$($(BIN)/python -c "import secrets; print(secrets.token_urlsafe(64))") \
	TOKEN_KEYS=$$($(BIN)/python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())") \
	$(BIN)/python manage.py check --deploy --fail-level WARNING

# CASE is a file in bench/cases, as in: make prove CASE=kills N=1000
prove: .venv/installed-tests
	@exec $(BIN)/python bench/prove.py $(if $(CASE),--case $(CASE)) $(if $(or $(N),$(RUNS)),--size $(or $(N),$(RUNS))) $(if $(SEED),--seed $(SEED)) \
		$(if $(CONTROL),--control $(CONTROL)) $(if $(ROUGH),--rough)

# ONLY=runs,pages for some of it, QUICK=1 for small sizes, BENCH_POSTGRES=postgres://user@host:port for both databases
bench: .venv/installed-tests
	@exec $(BIN)/python bench/bench.py $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick)

screenshots: .venv/installed-tests
	@exec $(BIN)/python -m tests.pictures

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Pinxero needs Python 3.11 or newer, and none was found." \
		"Install one, or say where it is: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) cannot be run." \
		"Say where Python 3.11 or newer is: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is" \
		"$$("$(PYTHON)" --version 2>&1); Pinxero needs Python 3.11 or newer." >&2; exit 1; }
	@echo "Step 1 of 2: making a Python environment in .venv with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv --clear .venv || { rm -rf .venv; echo "$(PYTHON) could not make a virtual environment." \
		"On Debian and Ubuntu its parts are the packages python3-venv and python3-pip." >&2; exit 1; }

# A new environment, as after an upgrade of the system's Python, is an empty one: it is filled anew.
.venv/installed: requirements.txt .venv/bin/python
	@echo "Step 2 of 2: installing what Pinxero needs (requirements.txt, about a minute the first time)"
	@$(PIP) -r requirements.txt || { $(NOT_INSTALLED); }
	@touch $@

.venv/installed-tests: tests/requirements.txt .venv/installed
	@echo "Installing what the tests need (tests/requirements.txt)"
	@$(PIP) -r tests/requirements.txt || { $(NOT_INSTALLED); }
	@touch $@
