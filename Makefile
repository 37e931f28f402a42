# make frames    install into .venv and make the demo film in out/frames
# make reproduce the subjects that the author published, all twelve, in out/reproduce
# make live      the film as it is dreamt, on a local web page, opened in the browser
# make test      the tests that take under a minute each;  make test-slow  the others
# make torch     install PyTorch, which some tests and make bench compare with, if it can be
# make priors    the figures and numbers on priors in data/gallery (PRIORS_2015=DIR adds the author's priors)
# make bench     time and memory of a step and of the film, beside others, in data/gallery (an hour or more)
# make parity    replay what the 2015 program computed, with a table of deviations
# make docs      the documentation, in docs/_build/html
# make notebooks run all notebooks and keep their outputs;  make lab  open them in JupyterLab
# make lint      ruff's and mypy's findings on the Python code, and whether C and C++ are laid out as .clang-format says
# make clean     remove .venv, .uv, out/frames, out/reproduce, out/live, out/ablation* and what building left
#
# .venv is made with the first suitable Python on this machine; PYTHON=python3.13 chooses one.

BIN := .venv/bin

.PHONY: all frames reproduce live test test-slow priors bench torch parity docs notebooks lab lint clean

all: frames

# A run that was broken off goes on where it stopped; a finished one is only checked.
frames: .venv/installed
	@if [ -e out/frames/run.json ]; then resume=--resume; else resume=; fi; \
	$(BIN)/lsd-repro frames --out out/frames $$resume || { status=$$?; \
	    [ "$$resume$$status" != --resume2 ] || echo "To start afresh: rm -r out/frames, then make frames"; exit $$status; }
	@echo "The film: out/frames/film.mp4"

# What is dreamt already is kept; broken off, it goes on where it stopped.
reproduce: .venv/installed
	@$(BIN)/lsd-repro reproduce --out out/reproduce --resume || { status=$$?; \
	    [ $$status != 2 ] || [ ! -e out/reproduce ] || echo "To start afresh: rm -r out/reproduce, then make reproduce"; exit $$status; }

# A run that is there goes on.
live: .venv/installed
	@if [ -e out/live/run.json ]; then resume=--resume; else resume=; fi; \
	$(BIN)/lsd-repro live --open --out out/live $$resume || { status=$$?; [ $$status = 130 ] || { \
	    [ "$$resume$$status" != --resume2 ] || echo "To start afresh: rm -r out/live, then make live"; exit $$status; }; }

# PyTorch is large, so tests against it are skipped unless it is there.
torch: .venv/installed
	@$(call install,bench) || echo "PyTorch can't be installed: going on without it"

test: .venv/test
	$(BIN)/python -m pytest tests -m "not slow" -n logical --maxprocesses 4 --dist loadfile

# pytest leaves with 5 if no test is marked slow.
test-slow: .venv/test
	$(BIN)/python -m pytest tests -m slow || [ $$? -eq 5 ]

# The comparison takes dreams from the ablation, which comes first; broken off, it goes on
# where it stopped. The judge needs PyTorch, and sees dreams between the ablation's two calls, of
# which the second has only numbers and figures left to do.
priors: .venv/installed
	@$(call install,train) || echo "EfficientNet-lite0 can't be installed: going on without this judge"
	@$(call ablate,out/ablation,--seeds 3)
	@$(call ablate,out/ablation-trunk,--weights trunk --scales all --strengths 10 50)
	cp out/ablation/prior-ablation*.png out/ablation/prior-ablation.json out/ablation/prior-ablation.md data/gallery/
	cp out/ablation-trunk/prior-ablation.json data/gallery/prior-ablation-trunk.json
	$(BIN)/lsd-repro prior show --out data/gallery
	$(BIN)/lsd-repro prior compare ours=data/priors.npz $(PRIORS_2015:%=2015=%) \
	    --dreams out/ablation/pictures/*-king-penguin-seed0/student-*.png --out data/gallery

ABLATED := "king penguin" ladybug goldfish "school bus" "brain coral" pizza
ablate = for turn in dream judge; do \
	    if [ -e $1/run.json ]; then resume=--resume; else resume=; fi; \
	    $(BIN)/lsd-repro prior ablate --classes $(ABLATED) $2 $(PRIORS_2015:%=--judge-prior %) --out $1 $$resume || exit; \
	    [ $$turn = judge ] || $(BIN)/python -m lsd_repro.train.judge_ablation $1 || echo "going on without this judge"; \
	done

# Without PyTorch, which there is not for every Python, it measures the others.
bench: torch
	$(BIN)/lsd-repro bench step --repeats 3 --apart --sizes 480x272 840x472 --out data/gallery
	$(BIN)/lsd-repro bench step --repeats 3 --resume --sizes 1920x1080 --out data/gallery
	$(BIN)/lsd-repro bench film --out data/gallery

parity: .venv/installed
	$(BIN)/lsd-repro parity tests/golden/stream.npz tests/golden/stills.npz

# -W: a warning is an error.
docs: .venv/docs
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html
	@echo "The pages: docs/_build/html/index.html"

notebooks: .venv/test
	$(BIN)/python notebooks/regenerate.py

lab: .venv/lab
	$(BIN)/jupyter lab --notebook-dir notebooks

lint: .venv/lint
	$(BIN)/ruff check lsd_repro tests examples setup.py
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror lsd_repro/film/blend.c lsd_repro/ops/*.hpp tests/ops/*.cpp

clean:
	rm -rf .venv .uv out/frames out/reproduce out/live out/ablation out/ablation-trunk docs/_build docs/api docs/notebooks build dist *.egg-info lsd_repro/film/_blend*.so .pytest_cache tests/.pytest_cache
	find lsd_repro tests -name __pycache__ -prune -exec rm -rf {} +

# Editable, so that the checkout is what runs: after git pull nothing needs to be
# installed again unless the packaging or the C code changed, and data/ is read where it lies.
.venv/installed: setup.py pyproject.toml lsd_repro/film/blend.c .venv/bin/python
	@$(call install,live)
	@touch $@

.venv/test: .venv/installed
	@$(call install,test)
	@touch $@

.venv/docs: .venv/installed
	@$(call install,docs)
	@touch $@

.venv/lab: .venv/installed
	@$(call install,notebooks)
	@touch $@

# mypy also looks at what the tests' libraries say of themselves.
.venv/lint: .venv/test
	@$(call install,dev)
	@touch $@

install = $(BIN)/python -B -m lsd_repro.runtime.install $1

MISSING = from lsd_repro.runtime.check import problems_before_install as p; raise SystemExit("\n".join(p()) or 0)

# The first Python that runs (a pyenv shim can be there and not run), has venv (Debian
# packages it apart) and finds all that Theano needs; else uv, which does without venv, and can fetch a Python but no compiler.
.venv/bin/python:
	@why=; \
	for python in $(or $(PYTHON),python3.11 python3.12 python3.13 python3.10 python3.9 python3 python); do \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1 || continue; \
	    if ! missing=$$($$python -B -c '$(MISSING)' 2>&1); then \
	        why=$${why:-$$missing}; \
	    elif ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	        why=$${why:-"$$python lacks the module venv: install it (Debian/Ubuntu: sudo apt install $$python-venv)"}; \
	    else \
	        echo "Creating .venv with $$($$python --version)"; \
	        $$python -m venv --clear .venv && exit 0; \
	    fi; \
	done; \
	[ -z "$(PYTHON)" ] || { echo "Cannot install with $(PYTHON): $${why:-it is no Python 3.9 to 3.13 that runs}" >&2; exit 1; }; \
	case $$why in *"C++ compiler"*) ;; *) uv=$$(command -v uv) || { $(get_uv) && uv=.uv/bin/uv; };; esac; \
	with_uv() { said=$$(UV_PYTHON_DOWNLOADS=$$1 UV_PYTHON_PREFERENCE=$$2 $$uv venv --seed --clear --python "$$3" .venv 2>&1) \
	    && said= && why=$$($@ -B -c '$(MISSING)' 2>&1) && exit 0; }; \
	if [ -n "$$uv" ]; then \
	    with_uv never managed '>=3.9,<3.14'; \
	    echo "Fetching a Python with uv"; \
	    with_uv automatic only-managed 3.11; \
	    said=$${said:+"uv could not fetch a Python: $$(echo "$$said" | head -n 2)"}; \
	fi; \
	rm -rf .venv; \
	echo "Cannot install: $${why:-no Python 3.9 to 3.13 was found: install one \
	(Debian/Ubuntu: sudo apt install python3 python3-venv python3-dev; Fedora: sudo dnf install python3.13-devel; \
	macOS: brew install python@3.13; anywhere: uv, https://docs.astral.sh/uv)}"$${said:+; $$said} >&2; \
	exit 1

# uv out of PyPI, with whatever Python there is, in an environment of its own or, where there is pip but no venv, a folder.
get_uv = { rm -rf .uv; for python in python3 python; do \
	    $$python -c '' >/dev/null 2>&1 || continue; \
	    echo "Fetching uv, to fetch a Python"; \
	    { $$python -m venv .uv && .uv/bin/python -m pip install -q uv; } >/dev/null 2>&1 \
	    || { rm -rf .uv; $$python -m pip install -q --target .uv uv; } >/dev/null 2>&1 \
	    || { said="uv, which fetches Pythons, could not be fetched itself"; continue; }; \
	    said=; break; \
	done; [ -x .uv/bin/uv ]; }
