# Each target works from a bare clone: what it needs is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
KERNELS := $(shell find inspector -name '*_cy.py*' -o -name '*.pxd')
BENCH ?= --write
# One more than there are processors, as many tests wait for a server, a terminal or a process.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
APT := $(if $(filter 0,$(shell id -u)),,sudo) apt-get

FUZZ ?= --seconds 60

.PHONY: docs demo test conformance fuzz lint format bench samples clean

demo: .venv/installed
	@echo '$$ inspector decode samples/predict.pcapng -s protos'
	@$(BIN)/inspector decode samples/predict.pcapng -s protos
	@echo '$$ inspector calls samples/predict.pcapng'
	@$(BIN)/inspector calls samples/predict.pcapng --output table
	@echo 'README.md has more: try $(BIN)/inspector show samples/errors.pcapng 1 -s protos'

# One of the servers in tests/peers runs on Node, with packages from npm; a browser looks at `inspector tui --web`.
test: .venv/test
	command -v npm >/dev/null || { $(APT) update -q && DEBIAN_FRONTEND=noninteractive $(APT) install -y -q npm; }
	command -v chromium >/dev/null || command -v google-chrome >/dev/null || { $(APT) update -q && DEBIAN_FRONTEND=noninteractive $(APT) install -y -q chromium; }
	$(BIN)/pytest -n $(WORKERS) --dist loadfile $(PYTEST_FLAGS)

# The official suite of protobuf: JSON and text, both ways. Its runner comes from npm.
conformance: .venv/installed
	command -v npm >/dev/null || { $(APT) update -q && DEBIAN_FRONTEND=noninteractive $(APT) install -y -q npm; }
	tests/conformance/run tests/conformance/testee.py --enforce_recommended --maximum_edition 2023

# The kernels with AddressSanitizer and UBSan, under libFuzzer: FUZZ='--seconds 3600 hpack' for an hour of one target.
fuzz: .venv/fuzz
	command -v clang++ >/dev/null || { $(APT) update -q && DEBIAN_FRONTEND=noninteractive $(APT) install -y -q clang; }
	$(BIN)/python tests/fuzz/run.py $(FUZZ)

lint: .venv/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Everything, into docs/; `make bench BENCH='--only start --quick'` tries one group and writes nothing.
bench: .venv/bench
	command -v tshark >/dev/null && command -v protoc >/dev/null || { $(APT) update -q && DEBIAN_FRONTEND=noninteractive $(APT) install -y -q tshark protobuf-compiler; }
	$(BIN)/python benchmarks/run.py $(BENCH)
	$(if $(filter --write,$(BENCH)),$(BIN)/python benchmarks/guess.py --write)

# What the pages have of the program itself: keys and pictures of the terminal UI.
docs: .venv/installed
	$(BIN)/python docs/make_tui_docs.py

samples: .venv/test
	command -v dumpcap >/dev/null || { $(APT) update -q && DEBIAN_FRONTEND=noninteractive $(APT) install -y -q wireshark-common; }
	$(BIN)/python samples/record.py

clean:
	rm -rf .venv build *.egg-info
	find inspector -name '*_cy.*.so' -delete

.venv/bin/python:
	@echo "setting up .venv: this takes about a minute"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade 'pip>=25.1'

# An editable installation: kernels are compiled beside their sources, and again whenever one of them changes. The mode
# `compat` puts the folder on the path: the default would lose against a folder that is itself called inspector.
.venv/installed: .venv/bin/python pyproject.toml setup.py $(KERNELS)
	$(BIN)/python -m pip install -q --editable . --config-settings editable_mode=compat
	@touch $@

.venv/test: .venv/installed
	$(BIN)/python -m pip install -q --group test
	@touch $@

.venv/bench: .venv/test
	$(BIN)/python -m pip install -q --group bench
	@touch $@

.venv/fuzz: .venv/test
	$(BIN)/python -m pip install -q --group fuzz
	@touch $@

.venv/lint: .venv/test
	$(BIN)/python -m pip install -q --group lint
	@touch $@
