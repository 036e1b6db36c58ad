# SPDX-License-Identifier: Apache-2.0
# Short commands for the whole of the project; CMake does the building (CMakePresets.json), tools/setup the set-up.
# Each command does all the set-up that it needs, and a second call starts at once.

PRESET ?= release
BUILD ?= $(if $(filter release,$(PRESET)),build,build-$(PRESET))
TORCH_DIR ?=
WERROR ?= OFF
PYTHON ?= python3
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
ENVIRONMENTS ?= .venv/bin/python
KEY ?= 1
FILES ?= 20000
NETWORKS ?= 300
TRIALS ?= 100
export PRESET BUILD TORCH_DIR WERROR PYTHON

# With a libtorch of the user's own, building needs no Python at all.
setup_build = tools/setup packages $(if $(TORCH_DIR),,python) configure
compile = cmake --build $(BUILD) --parallel $(JOBS)
faultwave = $(BUILD)/faultwave

.PHONY: help build test test-pip check check-format check-python nightly nightly-files nightly-builds demo bench wheels install format tidy clean

help:
	@echo 'make build     the program, at $(faultwave)'
	@echo 'make test      build and run every test'
	@echo 'make test-pip  pip installs the Python package into a fresh environment, where it is tried (ten minutes)'
	@echo 'make check     layout by clang-format and ruff, findings of ruff, mypy and clang-tidy as errors (tidy takes half an hour)'
	@echo 'make nightly   drawn faults in drawn networks: the wave engine against real faulty runs (a minute or two)'
	@echo 'make nightly-files   spoilt files of every kind: each must be read, or refused with one sentence (some minutes)'
	@echo 'make nightly-builds   every test with Clang, and with the sanitizers'
	@echo 'make demo      inject faults into EfficientNet-Lite0 with ImageNet weights (about two minutes)'
	@echo 'make bench     build the benches, in $(BUILD)/benches'
	@echo 'make wheels    wheels of the Python package in dist/, tested in fresh environments'
	@echo 'make install   build and install program, library and CMake package to PREFIX ($(PREFIX))'
	@echo 'make format    clang-format all sources, ruff format python/'
	@echo 'make tidy      clang-tidy all sources of src/; a finding is an error'
	@echo 'make clean     remove $(BUILD); the virtual environment .venv stays'
	@echo
	@echo 'Settings:'
	@echo '  TORCH_DIR=/path   a libtorch folder, or the torch folder of a wheel, instead of the pinned torch in .venv'
	@echo '  PRESET=name       release (default), debug, clang, asan-ubsan or tsan; each builds in a folder of its own'
	@echo '  WERROR=ON         warnings are errors'
	@echo '  JOBS=n            compile and test n at a time (default: all cores)'
	@echo '  KEY=1 NETWORKS=300 TRIALS=100   what make nightly draws: the first key, how many, trials of each'
	@echo '  KEY=1 FILES=20000   what make nightly-files spoils: the first key, how many'
	@echo '  ENVIRONMENTS="a/bin/python b/bin/python"   Pythons with a torch each, for make wheels'
	@echo '  PYTHON=python3.x  the Python that makes .venv'

build:
	@$(setup_build)
	@$(compile) --target faultwave-cli

# Tests compare with Python's results, so they need the environment even where TORCH_DIR names another libtorch.
test:
	@tools/setup packages python checks python-tests configure test-data demo-data
	@$(compile)
	@tools/check_format .venv/bin/clang-format
	@tools/check_python .venv/bin
	@.venv/bin/python tools/check_docs.py $(BUILD)
	@ctest --test-dir $(BUILD) --output-on-failure --parallel $(JOBS) --exclude-regex python_install

# Apart from the others, since pip builds all of the library once more.
test-pip:
	@tools/setup packages python checks python-tests configure
	@ctest --test-dir $(BUILD) --output-on-failure --tests-regex python_install

# Network k of the property test is that of key k; a failure prints the network, and its key brings it back.
nightly:
	@$(setup_build)
	@$(compile) --target test_property
	@FAULTWAVE_PROPERTY_KEY=$(KEY) FAULTWAVE_PROPERTY_NETWORKS=$(NETWORKS) FAULTWAVE_PROPERTY_TRIALS=$(TRIALS) \
	  $(BUILD)/tests/property/test_property

# File k of the mutation test is that of key k; a failure names its key, which brings the file back.
nightly-files:
	@tools/setup packages python configure test-data
	@$(compile) --target test_mutation
	@FAULTWAVE_TEST_DATA=$(abspath $(BUILD))/test_data FAULTWAVE_MUTATION_KEY=$(KEY) FAULTWAVE_MUTATION_FILES=$(FILES) \
	  $(BUILD)/tests/mutation/test_mutation

# Clang compiles each source by itself, so that none leans on what its neighbours in a unity build include.
nightly-builds:
	@$(MAKE) test PRESET=clang WERROR=ON
	@$(MAKE) test PRESET=asan-ubsan
	@$(MAKE) test PRESET=tsan
	@$(MAKE) test-pip

demo:
	@tools/setup packages python configure demo-data
	@$(compile) --target faultwave-cli
	@rm -f $(BUILD)/demo/*.db*
	@echo; echo 'Random single bit flips in neurons:'; echo
	@$(faultwave) run $(BUILD)/demo/neurons.toml --db $(BUILD)/demo/neurons.db
	@echo; echo 'Random single bit flips in weights:'; echo
	@$(faultwave) run $(BUILD)/demo/weights.toml --db $(BUILD)/demo/weights.db
	@echo; .venv/bin/python tools/demo_summary.py $(faultwave) $(BUILD)/demo

bench:
	@$(setup_build)
	@$(compile) --target benches

# ENVIRONMENTS: Pythons that have a torch; those of one version of Python share a wheel.
wheels:
	@tools/setup packages python python-tests
	@.venv/bin/python tools/make_wheels.py dist $(ENVIRONMENTS)

install: build
	@cmake --install $(BUILD) --prefix $(PREFIX)

check: check-format check-python tidy

check-format:
	@tools/setup python checks
	@tools/check_format .venv/bin/clang-format

# mypy reads the packages that the Python package can use, so they are there for it.
check-python:
	@tools/setup python checks python-tests
	@tools/check_python .venv/bin

format:
	@tools/setup python checks
	@git ls-files '*.h' '*.cpp' | xargs .venv/bin/clang-format -i
	@.venv/bin/ruff format --quiet
	@.venv/bin/ruff check --quiet --fix-only

# Configured apart: a compiler's precompiled headers are of no use to clang-tidy, and it wants each source by itself.
tidy:
	@PRESET=clang BUILD=build-tidy CMAKE_ARGUMENTS=-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON tools/setup packages python configure
	@git ls-files 'src/*.cpp' | xargs -n 1 -P $(JOBS) clang-tidy --quiet --warnings-as-errors='*' -p build-tidy

clean:
	@rm -rf $(BUILD)
