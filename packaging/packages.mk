# Packages for others to install, into dist/; `make wheel` is in the Makefile.

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
