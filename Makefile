# make walk    a humanoid walks in MuJoCo, driven through real ROS 2 topics
# make navigate  it walks to five rooms and is pushed on the way
# make test    the tests
# Everything is installed into .venv; where ROS 2 is sourced, its own rclpy is used.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
ARGS ?=

# Isaac Gym's Python: one that starts, on the path or among pyenv's. Empty where there is none.
PYTHON38 ?= $(shell for it in python3.8 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.8*/bin/python; do \
  "$$it" -c 'import venv' 2>/dev/null && echo "$$it" && break; done)
VENV38 := .venv38
# Its two recipes: RECIPE=isaacgym-cu117 has the older PyTorch, in an environment of its own.
RECIPE := isaacgym
ifneq ($(RECIPE),isaacgym)
  VENV38 := .venv38-$(RECIPE)
endif

# A ROS 2 that is sourced brings rclpy, its messages and the NumPy they were built for.
HAVE_ROS := $(shell $(PYTHON) -c 'import rclpy' 2>/dev/null && echo yes)
ifeq ($(HAVE_ROS),yes)
  VENV_OPTIONS := --system-site-packages
  WALK := $(VENV)/walk.txt
  ROS :=
else
  WALK := requirements/locked/walk.txt
  ROS := -r requirements/locked/ros.txt
endif
PIP := $(RUN)/pip install --quiet --disable-pip-version-check
# requirements/*.txt say which versions, requirements/locked/*.txt with which contents.
HASHED := --no-deps --require-hashes

.PHONY: help walk navigate test test-all test-isaacgym test-isaacgym-cu117 lint docs format lock clean
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

walk: $(VENV)/.walk  ## a humanoid walks; ARGS='--help' shows the options
	$(RUN)/humanoid-locomotion walk $(ARGS)

navigate: $(VENV)/.walk  ## it walks to five rooms and is pushed on the way; ARGS='--help'
	$(RUN)/humanoid-locomotion navigate $(ARGS)

test: $(VENV)/.test  ## the tests that need no GPU and no launch; ARGS go to pytest
	$(RUN)/python -m pytest -n 2 --dist loadfile $(ARGS)

test-all: $(VENV)/.test  ## every test that this machine can run, the slow ones too
	$(RUN)/python -m pytest -m '' $(ARGS)

test-isaacgym:  ## the tests that concern Isaac Gym, on a Python 3.8, and training there
ifeq ($(PYTHON38),)
	@echo '*** NOT RUN: there is no Python 3.8 here, so nothing was tested on the Python of Isaac Gym ***'
	@echo '*** install one (pyenv install 3.8, conda) or name it: make test-isaacgym PYTHON38=... ***'
else
	$(MAKE) $(VENV38)/.test $(VENV)/.test
	PYTHONPATH=. $(VENV38)/bin/python -m pytest test/core test/training test/sim test/cli/test_interpreter.py $(ARGS)
	$(RUN)/python -m pytest -v -m '' test/test_python38.py test/sim/isaacgym/test_isaacgym_mutants.py \
	  test/sim/isaacgym/test_isaacgym_stubs.py $(ARGS)
	$(MAKE) test-isaacgym-cu117
endif

test-isaacgym-cu117:  ## what depends on PyTorch's version, with the older of the two recipes
	$(MAKE) RECIPE=isaacgym-cu117 .venv38-isaacgym-cu117/.test
	PYTHONPATH=. .venv38-isaacgym-cu117/bin/python -m pytest test/training/ppo test/training/run/test_trainer.py \
	  test/training/run/test_checkpoint.py test/sim/isaacgym/test_isaacgym_gpu.py $(ARGS)
	VENV38=$(CURDIR)/.venv38-isaacgym-cu117 $(RUN)/python -m pytest -m '' test/test_python38.py $(ARGS)

lint: $(VENV)/.test  ## ruff and mypy
	$(RUN)/ruff check .
	$(RUN)/mypy

docs: .venv-docs/.done $(VENV)/.walk  ## the documentation as a site, in build/site
	$(RUN)/humanoid-locomotion dev interface docs/ros_interface.md
	$(RUN)/python -m humanoid_locomotion.api.reference docs/api.md
	.venv-docs/bin/mkdocs build --strict $(ARGS)

format: $(VENV)/.test  ## mend what ruff can mend
	$(RUN)/ruff check --fix .

lock: $(VENV)/bin/python  ## write requirements/locked/*.txt from requirements/*.txt
	$(PIP) uv==0.13.9
	for it in isaacgym isaacgym-cu117 isaacgym-test; do \
	  $(RUN)/uv pip compile --quiet --universal --no-deps --generate-hashes --no-annotate \
	    --no-header --python-version 3.8 requirements/$$it.txt -o requirements/locked/$$it.txt || exit; \
	done
	for it in walk:3.10 viewer:3.10 ros:3.10 test:3.10 docs:3.11.5; do \
	  $(RUN)/uv pip compile --quiet --universal --no-deps --generate-hashes --no-annotate \
	    --no-header --no-emit-package torch --python-version $${it#*:} \
	    requirements/$${it%:*}.txt -o requirements/locked/$${it%:*}.txt || exit; \
	done

clean:  ## remove what make and colcon made
	rm -rf $(VENV) .venv38* .venv-docs build install log .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Python 3.10 to 3.13 is needed: make PYTHON=python3.11 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV_OPTIONS) $(VENV)

$(VENV)/walk.txt: requirements/locked/walk.txt | $(VENV)/bin/python
	sed -E '/^(numpy|pyyaml)==/,/[^\\]$$/d' $< > $@

$(VENV)/.walk: $(VENV)/bin/python $(WALK) requirements/locked/viewer.txt requirements/locked/ros.txt
	$(PIP) $(HASHED) -r $(WALK) -r requirements/locked/viewer.txt $(ROS)
	$(PIP) --no-deps --editable .
	@touch $@

# PyTorch is not hashed: which of its builds is right depends on the machine.
$(VENV)/.test: $(VENV)/.walk requirements/locked/test.txt
	$(PIP) $(shell grep '^torch==' requirements/test.txt)
	$(PIP) $(HASHED) -r requirements/locked/test.txt
	@touch $@

# In a folder of its own: the pip of Python 3.8 would follow setup.cfg, which is colcon's.
$(VENV38)/.test: requirements/locked/$(RECIPE).txt requirements/locked/isaacgym-test.txt
	mkdir -p $(VENV38) && cd $(VENV38) && $(PYTHON38) -m venv . && \
	  bin/pip install --quiet --disable-pip-version-check $(HASHED) \
	  -r ../requirements/locked/$(RECIPE).txt -r ../requirements/locked/isaacgym-test.txt
	@touch $@

.venv-docs/.done: requirements/locked/docs.txt
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/pip install --quiet --disable-pip-version-check $(HASHED) -r $<
	@touch $@
