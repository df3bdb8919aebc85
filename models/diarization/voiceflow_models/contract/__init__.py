"""The model contract, checked without the library: metadata, tensors, runs, golden vector."""
