"""Public speaker models: their architectures and the layout of their ONNX files."""
