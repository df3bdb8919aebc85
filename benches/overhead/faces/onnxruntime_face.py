"""Not a face: the Python package onnxruntime on the same model: REFERENCE RUNTIME MODEL ROUNDS"""

import sys
from time import perf_counter_ns

import onnxruntime
from reference import Reference

library, runtime, model, rounds = sys.argv[1:]
reference = Reference(library, runtime, model, int(rounds))
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
while reference.next():
    start = perf_counter_ns()
    session.run(None, {"audio": reference.audio})
    reference.record(perf_counter_ns() - start)
reference.report()
