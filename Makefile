# Every target is listed by `make help`; CI runs nothing that is not one.

PYTHON ?= /usr/bin/python3
ARGS ?=

BIN := .venv/bin
READY := .venv/ready
BENCH_READY := .venv-bench/ready
# A file of tests each to whichever core is free; what a file shares is made once.
SIDE_BY_SIDE := --numprocesses=auto --dist=loadfile
PIP_INSTALL := python -m pip -qq --no-input --disable-pip-version-check install

PACKAGES := bc bison bubblewrap ccache cpio flex gcc git iproute2 kmod libc6-dev libelf-dev \
	libelf1 libvirt-daemon libvirt-daemon-driver-qemu libvirt-dev make openssh-client pkg-config \
	python3-dev python3-venv qemu-system-x86 util-linux xz-utils zstd
PACKAGES_DEV := dropbear-bin vagrant vagrant-libvirt
PACKAGES_BENCH := busybox-static

.SUFFIXES:
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help lab deps deps-dev venv check format lint lock test test-unit test-integration \
	test-lab mutants bench soak clean

# $(call install,PACKAGE ...): do nothing when all are there, else say the line and run it.
define install
@command -v dpkg-query >/dev/null || \
	{ echo "This needs Debian 12 or later: dpkg-query is not there." >&2; exit 1; }; \
have=" $$(dpkg-query -Wf '$${db:Status-Status}:$${Package} ' $(1) 2>/dev/null) "; \
missing=; \
for package in $(1); do \
	case "$$have" in *" installed:$$package "*) ;; *) missing="$$missing $$package";; esac; \
done; \
[ -n "$$missing" ] || exit 0; \
line="apt-get install -y --no-install-recommends$$missing"; \
sudo=; \
if [ "$$(id -u)" != 0 ]; then \
	command -v sudo >/dev/null || \
		{ echo "Packages are missing. As root: $$line" >&2; exit 1; }; \
	sudo="sudo "; \
fi; \
echo "$${sudo}apt-get update && $${sudo}$$line"; \
apt="$${sudo}env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300"; \
$$apt update </dev/null && $$apt $${line#apt-get } </dev/null
endef

lab: deps $(READY) ## Run xenlab: `make lab up`, `make lab test smoke` (options: ARGS="--json FILE")
	@$(BIN)/xenlab $(or $(WORDS),--help) $(ARGS)

deps: ## Install the Debian packages that are missing (root or sudo; prints the line it runs)
	$(call install,$(PACKAGES))

# setuptools comes first, from the same lock: it builds libvirt-python, which is source only.
$(READY): requirements.lock pyproject.toml | deps
	@echo "venv: .venv from requirements.lock"
	@$(PYTHON) -m venv .venv
	@sed -n '/^setuptools==/,/^    # via/p' requirements.lock >.venv/setuptools.lock
	@$(BIN)/$(PIP_INSTALL) --require-hashes --no-deps -r .venv/setuptools.lock
	@$(BIN)/$(PIP_INSTALL) --require-hashes --no-build-isolation --use-pep517 -r requirements.lock
	@$(BIN)/$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

# virtme-ng has a venv of its own: nothing of xenlab may come to lean on what it brings.
$(BENCH_READY): bench/requirements.lock | deps
	@echo "venv: .venv-bench from bench/requirements.lock"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/$(PIP_INSTALL) --require-hashes -r bench/requirements.lock
	@touch $@

ifeq (lab,$(firstword $(MAKECMDGOALS)))
# `make lab WORDS` is `xenlab WORDS`: each word becomes a goal that does nothing, whatever its name.
WORDS := $(wordlist 2,$(words $(MAKECMDGOALS)),$(MAKECMDGOALS))
IDLE := $(filter-out lab deps,$(sort $(WORDS)))
.PHONY: $(IDLE)
$(IDLE): lab ; @:
else
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

venv: $(READY) ## Make .venv from requirements.lock

check: lint test-unit ## Lint and unit tests: before every commit, under a minute

format: $(READY) ## Rewrite the code the way `make check` wants it
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

lint: $(READY) ## Format, ruff, mypy and import contracts; says nothing when all is well
	@$(BIN)/ruff format --quiet --check . || { echo "Run: make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@report=$$($(BIN)/lint-imports 2>&1) || { echo "$$report" >&2; exit 1; }

test: check test-integration test-lab ## Everything: lint, unit, integration and lab tests

test-unit: $(READY) ## Pure tests: Python only
	@$(BIN)/pytest -q $(SIDE_BY_SIDE) tests/unit $(ARGS)

test-integration: $(READY) deps-dev ## Tests against the real libvirtd, QEMU, SSH and compiler
	@$(BIN)/pytest -q $(SIDE_BY_SIDE) tests/integration $(ARGS)

test-lab: $(READY) deps-dev ## Tests that boot the lab
	@$(BIN)/pytest -q $(SIDE_BY_SIDE) tests/lab $(ARGS)

deps-dev: deps ## Install what only the project's own tests need
	$(call install,$(PACKAGES_DEV))

mutants: $(READY) deps ## Plant bugs in the drivers; each has to be caught (ARGS="NAME ...")
	@$(BIN)/xenlab mutants $(ARGS)

bench: $(READY) $(BENCH_READY) ## Time the lab against floors, aims and peers (ARGS="--only sent --json FILE")
	$(call install,$(PACKAGES_BENCH))
	@$(BIN)/python -m bench $(ARGS)

soak: $(READY) ## 20 cold boots and 50 restores; nothing may be left behind
	@$(BIN)/python -m bench.soak $(ARGS)

lock: $(READY) ## Resolve the dependencies anew (ARGS="--upgrade")
	@for lock in "--extra dev -o requirements.lock pyproject.toml" \
		"-o bench/requirements.lock bench/requirements.in"; do \
		CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --strip-extras \
			--allow-unsafe --generate-hashes --no-emit-options --no-emit-index-url \
			--no-emit-find-links --no-emit-trusted-host $(ARGS) $$lock || exit 1; \
	done

clean: ## Remove the venvs and the tools' caches (labs, images: xenlab down --all, xenlab images prune --all)
	rm -rf .venv .venv-bench .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
endif
