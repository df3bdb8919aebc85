"""Public models, made into the files that libvoiceflow and sherpa-onnx load."""
