# Packages for others to install, into dist/; `make wheel` is in the Makefile.

# What packages are built for, a target of Rust: this machine's. And the oldest glibc they run with.
TARGET ?= $(HOST)
GLIBC := 2.28
ARCH := $(firstword $(subst -, ,$(TARGET)))
PORTABLE := $(CURDIR)/target/$(TARGET)/release
VERSION := $(shell sed -n 's/^version = "\([0-9][^"]*\)"$$/\1/p' Cargo.toml)
PACKAGING := .cache/packaging
# Of the last commit, so that a package made again is the same.
COMMITTED = $(or $(shell git log -1 --format=%ct 2>/dev/null),0)
wheel-portable tarball debs: export SOURCE_DATE_EPOCH ?= $(COMMITTED)

$(PACKAGING)/ready: packaging/requirements.txt
	python3 -m venv $(PACKAGING)
	$(PACKAGING)/bin/pip install --quiet --requirement $<
	@touch $@

.PHONY: wheel-models
wheel-models: $(ACCURATE) $(VENV)/ready ## the accurate bundle as a Python package, into dist/
	rm -rf .cache/wheel-models dist/libvoiceflow_models_accurate-*
	mkdir -p .cache/wheel-models/bundle
	cp packaging/python-models-accurate/* .cache/wheel-models/
	cp $(addprefix $(dir $(ACCURATE)),metadata.json segmentation.onnx embedding.onnx LICENSE.segmentation LICENSE.embedding) \
		.cache/wheel-models/bundle/
	$(VENV)/bin/python -m build --wheel --no-isolation --outdir dist .cache/wheel-models

.PHONY: wheel-batch
wheel-batch: $(VENV)/ready ## voiceflow_batch as a Python package, for Ray, Spark and Beam, into dist/
	rm -f dist/libvoiceflow_batch-*
	$(VENV)/bin/python -m build --wheel --no-isolation --outdir dist batch

.PHONY: sdist
sdist: $(VENV)/ready ## the Python package as source, which Cargo compiles where it is installed, into dist/
	$(VENV)/bin/python -m build --sdist --no-isolation --outdir dist bindings/python

.PHONY: packages
packages: wheel-portable wheel-models sdist tarball debs ## all of them for TARGET (this machine's), with glibc 2.28, into dist/

.PHONY: portable
portable: $(BUILT_IN) $(PACKAGING)/ready
	rustc="$$(scripts/fetch_rust.sh $(TARGET))" && PATH="$(CURDIR)/$(PACKAGING)/bin:$$PATH" RUSTC="$$rustc" \
		CARGO_PROFILE_RELEASE_STRIP=symbols cargo-zigbuild zigbuild --release --locked \
		--package libvoiceflow --package libvoiceflow-cli --target $(TARGET).$(GLIBC) $(CARGO_FEATURES)

# auditwheel takes the platforms of its own machine alone by name; the one that it finds for another
# has to be this one too.
PLATFORM := manylinux_$(subst .,_,$(GLIBC))_$(ARCH)

.PHONY: wheel-portable
wheel-portable: portable ## the Python package with glibc 2.28, in place of that of `wheel`
	rm -rf .cache/wheel-portable dist/libvoiceflow-*_$(ARCH).whl
	VOICEFLOW_BUILT="$(PORTABLE)" VOICEFLOW_NOTICES="$(NOTICES)" VOICEFLOW_PLATFORM=linux_$(ARCH) \
		$(PACKAGING)/bin/python -m build --wheel --no-isolation --outdir .cache/wheel-portable bindings/python
	PATH="$(CURDIR)/$(PACKAGING)/bin:$$PATH" auditwheel repair --plat $(if $(filter $(TARGET),$(HOST)),$(PLATFORM),auto) --only-plat \
		--wheel-dir dist .cache/wheel-portable/libvoiceflow-*.whl
	ls dist/libvoiceflow-*-$(PLATFORM).whl

# ONNX Runtime for $(ARCH).
FETCHED = $$(VOICEFLOW_RUNTIME_ARCH=$(ARCH) scripts/fetch_runtime.sh)
TARBALL := libvoiceflow-$(VERSION)-$(ARCH)-linux

.PHONY: tarball
tarball: portable ## headers, library, command line, ONNX Runtime and licences as a folder that can lie anywhere, into dist/
	rm -rf .cache/tarball
	PREFIX="$(CURDIR)/.cache/tarball/$(TARBALL)" NOTICES="$(NOTICES)" DESTDIR= \
		scripts/install.sh $(PORTABLE)/libvoiceflow.so $(PORTABLE)/voiceflow "$(FETCHED)"
	mkdir -p dist
	tar --create --directory .cache/tarball --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$$SOURCE_DATE_EPOCH \
		$(TARBALL) | gzip --no-name >dist/$(TARBALL).tar.gz

# Debian's name of $(ARCH).
DEBIAN := $(if $(filter aarch64,$(ARCH)),arm64,amd64)

.PHONY: debs
debs: portable ## Debian packages: libvoiceflow1, libvoiceflow-dev, libvoiceflow-tools, into dist/; by debhelper
	scripts/install_tools.sh $(if $(filter $(TARGET),$(HOST)),debs,debs-$(DEBIAN))
	NOTICES="$(NOTICES)" GLIBC=$(GLIBC) ARCHITECTURE=$(DEBIAN) scripts/build_debs.sh $(PORTABLE)/libvoiceflow.so $(PORTABLE)/voiceflow "$(FETCHED)" dist

.PHONY: test-packages
test-packages: packages $(VENV)/ready .cache/cargo-about/bin/cargo-about ## the packages, each installed into a clean place; minutes, so not a part of `test`
	scripts/install_tools.sh packages
	$(VENV)/bin/python -m pytest -q tests/packages --ignore tests/packages/test_go.py
	cd bindings/python && PYTHONPATH=src VOICEFLOW_LIBRARY="$(PORTABLE)/libvoiceflow.so" \
		VOICEFLOW_WHEEL="$$(ls $(CURDIR)/dist/libvoiceflow-*_$(ARCH).whl)" $(CURDIR)/$(VENV)/bin/python -m pytest -q tests/test_wheel.py
	@echo "test-packages: all packages of $(ARCH) passed$(if $(wildcard dist/*-aarch64-linux.tar.gz),, (those for aarch64 were not made: make packages TARGET=aarch64-unknown-linux-gnu))"

# Systems that no test runs on. Their C compiler is zig, which has no headers of MSVC.
SYSTEMS := aarch64-apple-darwin x86_64-apple-darwin x86_64-pc-windows-gnu

.PHONY: systems
systems: $(PACKAGING)/ready ## whether the library and the command line compile for macOS and Windows; nothing is run there
	for system in $(SYSTEMS); do PATH="$(CURDIR)/$(PACKAGING)/bin:$$PATH" scripts/check_system.sh $$system || exit 1; done
	@echo "systems: the library and the command line compile for $(SYSTEMS)"
