# Each target sets up what it needs: a virtual environment in .venv, once, from Python >= 3.11 alone.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
MODELS := $(addprefix examples/,$(addsuffix .model,convnet digits exercise lstm seed transformer))
MODULES := $(patsubst examples/%.model,generated/%.py,$(MODELS))
GALLERY := $(sort $(wildcard examples/classics/*.model)) $(sort $(wildcard examples/related_sizes/*.model)) $(MODELS)

DEBIAN_TOOLS := texlive-latex-base texlive-latex-recommended texlive-luatex texlive-lang-japanese

.PHONY: test lint types unit sweep documents demo train bench notebook generate docs messages tools clean

test: lint types unit

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-test
	$(BIN)/mypy

# Many tests start the command afresh: without byte code each would compile the package again.
unit: $(VENV)/installed-test
	env -u PYTHONDONTWRITEBYTECODE PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -q -n 2 --dist worksteal

# What the random tests draw beyond the part of it that `make test` takes.
sweep: $(VENV)/installed-test
	env -u PYTHONDONTWRITEBYTECODE PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -q -n 2 --dist worksteal -m sweep

# Every published model through pdflatex; a few are among the unit tests.
documents: $(VENV)/installed-test
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -q -m every_document tests/lesson

# What tests use beside Python's packages and skip, with that reason, where it is missing: pdflatex, LuaLaTeX.
tools:
	apt-get update
	apt-get install --yes --no-install-recommends $(DEBIAN_TOOLS)

demo: $(VENV)/installed-demo
	$(BIN)/symbackprop derive examples/seed.model --wrt W2
	$(BIN)/symbackprop generate $(MODELS) -o generated
	for each in $(MODELS) $(MODULES); do $(BIN)/symbackprop check $$each || exit 1; done
	$(BIN)/python -m examples.train_exercise
	$(BIN)/python -m examples.train_digits
	$(BIN)/python -m examples.train_convnet
	$(BIN)/python -m examples.train_lstm
	$(BIN)/python -m examples.train_transformer --quick

train: $(VENV)/installed-demo
	$(BIN)/python -m examples.train_convnet
	$(BIN)/python -m examples.train_lstm
	$(BIN)/python -m examples.train_transformer

bench: $(VENV)/installed-bench
	$(BIN)/python -m benchmarks.derivation_time
	$(BIN)/python -m benchmarks.closed_forms
	$(BIN)/python -m benchmarks.scatter_add
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.cold_workloads
	$(BIN)/python -m benchmarks.verified_emission
	$(BIN)/python -m benchmarks.digits
	$(BIN)/python -m benchmarks.comparison

# Runs the notebook, and keeps what it shows.
notebook: $(VENV)/installed-test
	$(BIN)/python -m tests.examples.notebook

generate: $(VENV)/installed-demo
	$(BIN)/symbackprop generate $(MODELS) -o generated

# The guide as a site in build/site, which opens without a server; the gallery is derived anew, in half a minute.
docs: $(VENV)/installed-docs
	rm -rf docs/gallery
	$(BIN)/symbackprop gallery $(GALLERY) -o docs/gallery
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# Brings the catalogues of translations up to date: what is new is then empty, what was changed is marked fuzzy.
messages: $(VENV)/installed-translation
	mkdir -p build
	$(BIN)/python -m symbackprop.reports.messages > build/symbackprop.pot
	$(BIN)/pybabel update -N -w 110 --ignore-pot-creation-date -D symbackprop -i build/symbackprop.pot -d symbackprop/languages

# The stamp is newer than pyproject.toml once its extra is installed, so that set-up happens once.
$(VENV)/installed-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo 'symbackprop needs Python >= 3.11; name one with: make PYTHON=/path/to/python3' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
