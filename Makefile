# `make demo` and `make test` may be run at any time, again and again; README.md explains both.
VENV := .venv
CROSSBUILD := $(VENV)/bin/crossbuild
EXAMPLE := examples/debian12-compute.yaml

.PHONY: demo test check bench install builder install-demo install-test clean

# Builds a bootable aarch64 image for Warewulf 3, Warewulf 4 and IMS.
demo: install-demo
	$(CROSSBUILD) setup
	$(CROSSBUILD) build $(EXAMPLE) --output out

# The command for every user, and the site's configuration: make install sms_ip=192.0.2.1
install:
	@tools/install

# The environment of `crossbuild shell` and `crossbuild run`: make builder base_os=debian12
builder: install-demo
	@tools/builder $(CROSSBUILD)

# Variables that are given to make reach both as environment.
export sms_ip install_path install_home old_names config_file base_os docker_image_tag

# Everything, the real parts included: roots, sandboxes, images. Needs root. Files go in the order of their names:
# xdist would begin with those of many tests, and one that takes minutes for a single test would come last.
test: install-test check
	$(CROSSBUILD) setup
	$(VENV)/bin/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder tests/integration

# Seconds; no root, no network.
check: $(VENV)/.developer
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/pytest --quiet tests/unit

# Ratios, each measured in one run, on the example.
BENCH_ROOT := .test-state/bench-root
bench: install-test
	$(CROSSBUILD) setup
	$(CROSSBUILD) build $(EXAMPLE) --output out
	rm -rf $(BENCH_ROOT) && mkdir -p $(BENCH_ROOT)
	bsdtar -xpf out/debian12-compute/warewulf3/debian12-compute.vnfs -C $(BENCH_ROOT)
	$(VENV)/bin/python benchmarks/packing.py $(BENCH_ROOT) .test-state
	$(VENV)/bin/python benchmarks/startup.py out $(EXAMPLE)
	$(VENV)/bin/python -m benchmarks.booting out/debian12-compute $(BENCH_ROOT) .test-state
	rm -rf $(BENCH_ROOT)
	$(VENV)/bin/python benchmarks/building.py .test-state/bench
	$(VENV)/bin/python -m benchmarks.running .test-state/bench
	$(VENV)/bin/python -m benchmarks.rpm_building .test-state/bench-rpm
	$(VENV)/bin/python -m benchmarks.uploading .test-state
	$(VENV)/bin/python -m benchmarks.scheduling .test-state/bench
	$(VENV)/bin/python -m benchmarks.asking
	TMPDIR=/dev/shm $(VENV)/bin/python -m benchmarks.offloading

install-demo:
	@tools/prerequisites core speed apt >/dev/null
	@$(MAKE) --no-print-directory $(VENV)/.user

install-test:
	@tools/prerequisites core speed user apt dnf zypper rpm nodes boot test >/dev/null
	@$(MAKE) --no-print-directory $(VENV)/.developer

$(VENV)/.user: pyproject.toml hatch_build.py $(wildcard crossbuild/acceleration/*.[ch])
	@test -x $(VENV)/bin/python || $$(tools/prerequisites core) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --editable .
	@touch $@

$(VENV)/.developer: $(VENV)/.user
	$(VENV)/bin/pip install --quiet --editable '.[dev]'
	@touch $@

# Out of the way: the virtual environment and what was built here. Caches and roots stay where they are.
clean:
	rm -rf $(VENV) out .test-state
