"""The Python interface: face.py REFERENCE RUNTIME MODEL ROUNDS"""

import sys
from time import perf_counter_ns

from libvoiceflow import Session
from reference import Reference

library, runtime, model, rounds = sys.argv[1:]
reference = Reference(library, runtime, model, int(rounds))
with Session(runtime_library=runtime, model_path=model, threads=1) as session:
    out = session.infer(reference.audio)
    while reference.next():
        start = perf_counter_ns()
        session.infer(reference.audio, out=out)
        reference.record(perf_counter_ns() - start)
reference.report()
