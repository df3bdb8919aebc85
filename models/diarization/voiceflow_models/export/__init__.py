"""From a checkpoint to a model folder: graph, precision, golden vector, contract."""
