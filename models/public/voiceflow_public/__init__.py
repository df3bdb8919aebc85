"""Public speaker models: their architectures, the layout of their ONNX files, and a pair with published weights."""
