"""Ctrl-C, fork, and the end of the interpreter: each in a program of its own."""

from __future__ import annotations

import signal
import textwrap
import time

import pytest
from conftest import PATIENCE_S, RECORDING, SLOW_MODEL, TRIES, run, start

# Hours of audio, which take many seconds.
PRELUDE = f"""
import os, signal, sys, threading, time
import numpy as np, soundfile, libvoiceflow
audio = soundfile.read({str(RECORDING)!r}, dtype="float32")[0]
long = np.tile(audio, 240)
# Ignored in what a shell has started in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
"""

# Within which an interrupt has to be there: less than a load, or anything else that is interrupted,
# takes.
INTERRUPTED_S = 2

# A finish on another thread that takes many seconds, and is under way.
FINISHING = (
    "threading.excepthook = lambda _: None; told = threading.Event(); "
    "stream = libvoiceflow.Diarizer(bundle='fast-cnn').stream(); stream.push(audio); "
    "progress = lambda s, f: (told.set(), time.sleep(1)); "
    "threading.Thread(target=stream.finish, kwargs={'progress': progress}, daemon=True).start(); "
    "told.wait()"
)

# The same with a push.
PUSHING = (
    "stream = libvoiceflow.Diarizer(bundle='fast-cnn').stream(); "
    "threading.excepthook = lambda _: None; "
    "threading.Thread(target=stream.push, args=(long,), daemon=True).start(); "
    "next(filter(None, iter(lambda: time.sleep(0.01) or stream.updates, None)))"
)

# Loads one after another, of a file that takes seconds each time and then turns out to be no model.
LOADS = """
def field(number, content):
    length, size = b"", len(content)
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content

def value(name):
    return field(1, name) + field(2, field(1, bytes([8, 1]) + field(2, b"")))

names = [b"t%d" % index for index in range(50_001)]
nodes = [field(1, field(1, one) + field(2, two) + field(4, b"Sin")) for one, two in zip(names, names[1:])]
os.chdir(__import__("tempfile").mkdtemp())
graph = b"".join(nodes) + field(2, b"g") + field(11, value(names[0])) + field(12, value(names[-1]))
open("chain.onnx", "wb").write(bytes([8, 8]) + field(7, graph) + field(8, bytes([16, 17])))

def load_on_and_on():
    while True:
        try:
            libvoiceflow.Session(model_path="chain.onnx")
        except libvoiceflow.ModelError:
            pass
"""

INTERRUPTED = {
    "loads": "load_on_and_on()",
    "process": "libvoiceflow.Diarizer(bundle='fast-cnn').process(long, 16000)",
    "process with progress": "d = libvoiceflow.Diarizer(bundle='fast-cnn'); "
    "d.process(long, 16000, progress=lambda s, f: None)",
    "push": "libvoiceflow.Diarizer(bundle='fast-cnn').stream().push(long[: 16000 * 3600])",
    "infer": f"libvoiceflow.Session(model_path={str(SLOW_MODEL)!r}, threads=1)"
    ".infer(long[:48000 * 1000].reshape(1000, 48000))",
    "short infers behind a long one": "threading.excepthook = lambda _: None; "
    f"session = libvoiceflow.Session(model_path={str(SLOW_MODEL)!r}, threads=1); "
    "rows = long[:48000 * 1000].reshape(1000, 48000); "
    "threading.Thread(target=session.infer, args=(rows,), daemon=True).start(); "
    "time.sleep(0.3); "
    "[session.infer(long[:16000]) for _ in range(10000)]",
    "a run": "list(libvoiceflow.Diarizer(bundle='fast-cnn').stream().run(np.array_split(long, 10000)))",
    "a short push behind a long one": "stream.push(audio[:160])",
    "a reset behind a finish": "stream.reset()",
    "process in a log": "libvoiceflow.log_to(__import__('logging').getLogger('x'), 1); "
    "libvoiceflow.Diarizer(bundle='fast-cnn').process(long, 16000)",
}

# What is under way when such a call begins.
BEFORE = {
    "loads": LOADS,
    "a short push behind a long one": PUSHING,
    "a reset behind a finish": FINISHING,
}


@pytest.mark.parametrize("name", INTERRUPTED)
def test_ctrl_c_ends_a_call(name: str) -> None:
    """KeyboardInterrupt comes soon, and the library is as good as before."""
    program = start(
        PRELUDE
        + BEFORE.get(name, "")
        + textwrap.dedent(f"""
        while True:
            print("begins", flush=True)
            try:
                {INTERRUPTED[name]}
                print("was not interrupted", flush=True)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            if sys.stdin.readline() != "again\\n":
                break
        print(libvoiceflow.Diarizer(bundle='fast-cnn').process(audio[:16000], 16000).duration)
        """)
    )
    try:
        assert program.stdin is not None and program.stdout is not None
        # A machine that does other work may hold it up once, and not each time.
        took_s: list[float] = []
        while not took_s or took_s[-1] >= INTERRUPTED_S:
            assert len(took_s) < TRIES, took_s
            if took_s:
                program.stdin.write("again\n")
                program.stdin.flush()
            assert program.stdout.readline() == "begins\n"
            time.sleep(1)
            program.send_signal(signal.SIGINT)
            sent = time.monotonic()
            said = program.stdout.readline()
            assert said == "interrupted\n", (took_s, said, program.communicate())
            took_s.append(time.monotonic() - sent)
        output, errors = program.communicate(timeout=PATIENCE_S)
        assert (program.returncode, output, errors) == (0, "1.0\n", "")
    finally:
        program.kill()


def test_ctrl_c_ends_the_program() -> None:
    """Where nobody catches it, with its traceback and nothing else."""
    program = start(
        PRELUDE
        + 'd = libvoiceflow.Diarizer(bundle="fast-cnn")\nprint("begins", flush=True)\n'
        + "d.process(long, 16000)\n"
    )
    try:
        assert program.stdout is not None and program.stdout.readline() == "begins\n"
        time.sleep(1)
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=PATIENCE_S)
        assert program.returncode == -signal.SIGINT
        assert errors.startswith("Traceback") and errors.endswith("KeyboardInterrupt\n")
        assert "Exception ignored" not in errors
    finally:
        program.kill()


def test_fork() -> None:
    """A child may not use the parent's model, is told what to do, drops its objects, and makes
    others."""
    said = run(
        PRELUDE
        + textwrap.dedent("""
        import gc, warnings
        # Of newer versions of Python, about any fork of a process with threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        diarizer, session = libvoiceflow.Diarizer(bundle='fast-cnn'), libvoiceflow.Session()
        result, stream = diarizer.process(audio, 16000), diarizer.stream()
        gallery = libvoiceflow.Gallery(diarizer)
        expected = result.to_rttm("x")
        busy = threading.Thread(target=lambda: diarizer.process(long[:20_000_000], 16000))
        busy.start()
        time.sleep(0.2)
        child = os.fork()
        if child == 0:
            for use in (lambda: diarizer.process(audio, 16000), lambda: session.infer(audio[:16000]),
                        lambda: stream.push(audio), diarizer.stream):
                try:
                    use()
                    os._exit(1)
                except libvoiceflow.ForkedError as error:
                    assert isinstance(error, RuntimeError) and error.status == -18
                    assert "multiprocessing.get_context(\\"spawn\\")" in str(error), error
            assert result.to_rttm("x") == expected
            del diarizer, session, stream, gallery
            result.close()
            gc.collect()
            again = libvoiceflow.Diarizer(bundle='fast-cnn').process(audio, 16000)
            os._exit(0 if again.to_rttm("x") == expected else 2)
        print("child", os.waitpid(child, 0)[1])
        busy.join()
        print("parent", diarizer.process(audio, 16000).to_rttm("x") == expected)
        """)
    )
    assert said == "child 0\nparent True\n"


def test_pools_of_processes() -> None:
    """Loaded in the worker it works, by fork and by spawn; a diarizer of the parent is refused."""
    import tempfile
    from pathlib import Path

    script = textwrap.dedent(f"""
    import multiprocessing, sys, libvoiceflow
    def load():
        global diarizer
        diarizer = libvoiceflow.Diarizer(bundle='fast-cnn', threads=1)
    def work(path):
        return len(diarizer.process(path))
    if __name__ == "__main__":
        for method in ("fork", "spawn"):
            with multiprocessing.get_context(method).Pool(2, load) as pool:
                print(method, len(set(pool.map(work, [{str(RECORDING)!r}] * 4))))
        load()
        with multiprocessing.get_context("fork").Pool(1) as pool:
            try:
                pool.map(work, [{str(RECORDING)!r}])
            except libvoiceflow.ForkedError as error:
                print("refused", error.status)
    """)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pools.py")
        file.write_text(script)
        said = run(f"import runpy; runpy.run_path({str(file)!r}, run_name='__main__')")
    assert said == "fork 1\nspawn 1\nrefused -18\n"


ENDS = {
    "process": "diarizer.process(long, 16000)",
    "process with progress": "diarizer.process(long, 16000, progress=lambda s, f: None)",
    "push": "diarizer.stream().push(long)",
    "small pushes": "stream = diarizer.stream(); [stream.push(part) for part in np.array_split(long, 10000)]",
    "infer": "session.infer(long[:48000 * 1000].reshape(1000, 48000))",
    "small infers": "[session.infer(part[:16000]) for part in np.array_split(long, 1000)]",
    "create": "[libvoiceflow.Session() for _ in range(1000)]",
}


@pytest.mark.parametrize("name", ENDS)
def test_the_interpreter_ends_while_daemon_threads_work(name: str) -> None:
    """Without a crash, a message, or a wait for the work, with the log on."""
    said = run(
        PRELUDE
        + textwrap.dedent(f"""
        import logging
        logging.basicConfig(stream=open(os.devnull, "w"), level=1)
        libvoiceflow.log_to(logging.getLogger("libvoiceflow"))
        diarizer, session = libvoiceflow.Diarizer(bundle='fast-cnn'), libvoiceflow.Session(threads=1)
        def work():
            try:
                {ENDS[name]}
            except libvoiceflow.Error:
                pass
        for _ in range(2):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(1)
        print("ends", flush=True)
        """)
    )
    assert said == "ends\n"


def test_objects_in_cycles_and_globals_at_the_end() -> None:
    """Whatever is alive when the interpreter ends, and a call that comes too late."""
    said = run(
        PRELUDE
        + textwrap.dedent("""
        import atexit
        diarizer = libvoiceflow.Diarizer(bundle='fast-cnn')
        cycle = [diarizer.stream(), diarizer.process(audio, 16000), libvoiceflow.Gallery(diarizer)]
        cycle.append(cycle)
        sys.modules["kept"] = cycle
        class Late:
            def __del__(self):
                try:
                    diarizer.process(audio, 16000)
                except libvoiceflow.ExitingError:
                    print("refused", flush=True)
        late = Late()
        atexit.register(lambda: print(cycle[1].duration > 0 and diarizer.process(audio, 16000).duration > 0))
        """)
    )
    assert said.splitlines()[0] == "True"
    assert said.splitlines()[1:] == ["refused"]
