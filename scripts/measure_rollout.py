#!/usr/bin/env python3
"""Measures what a change of models costs voiceflow-server, and what a candidate does that listens,
as docs/PERFORMANCE.md has it, on a machine that does nothing else.

    make measure-rollout                            # some two minutes
    scripts/measure_rollout.py --streams 50 --only reload
"""

import argparse
import re
import threading
import time
from pathlib import Path

from measure_server import ROOT, WARM_UP_S, Measure, Report, call, measured, number, of_streams, quantile_ms

RESPONSE = "voiceflow_stream_response_seconds"
FAILED = re.compile('^voiceflow_answers_total{.*outcome="failed"')


class Rollout(Measure):
    def reload(self) -> Report:
        """Models that change under streams and recordings, many times: P99 of the seconds in which
        that happens, beside that of the others."""
        count = self.arguments.streams
        bundles = [self.bundle(version) for version in ("1.0.1", "1.0.2")]
        keys = [f"live.capacity={count}", f"model.bundle={bundles[0]}", "rollout.window_s=0"]
        with self.server(*keys) as server:
            usual = self.bench(server, count, "--recordings", "1")
            resident_mb, done = server.metrics()["process_resident_memory_bytes"] / 1e6, threading.Event()
            took_s, seconds, peaks_mb = [], [], []

            def change() -> None:
                time.sleep(WARM_UP_S + 1)
                while not done.is_set():
                    before = server.metrics()
                    body = {"model": str(bundles[(len(took_s) + 1) % 2])}
                    began = time.monotonic()
                    call(server.admin, "/reload", body)
                    took_s.append(time.monotonic() - began)
                    time.sleep(max(0.0, 1 - took_s[-1]))
                    after = server.metrics()
                    p99_ms = quantile_ms(before, after, RESPONSE, 0.99)
                    if p99_ms is None:
                        return  # The streams have ended.
                    seconds.append(p99_ms)
                    peaks_mb.append(after["process_resident_memory_bytes"] / 1e6)
                    time.sleep(1)

            thread = threading.Thread(target=change)
            thread.start()
            changing = self.bench(server, count, "--recordings", "1")
            done.set()
            thread.join()
            after = server.metrics()
            failed = sum(value for name, value in after.items() if FAILED.search(name))
        return {
            "usual": usual,
            "changing": changing,
            "reloads": len(seconds),
            "took_s": took_s,
            "p99_of_its_second_ms": seconds,
            "failed": failed,
            "resident_mb": {"before": resident_mb, "most": max(peaks_mb, default=None)},
        }

    def shadow(self) -> Report:
        """What a candidate that listens to a tenth costs."""
        count = self.arguments.streams
        keys = [f"live.capacity={count}", "shadow.model=fast-cnn"]
        found = {}
        for name, share in (("without", 0), ("with", 0.1)):
            with self.server(*keys, f"shadow.share={share}") as server:
                found[name] = self.bench(server, count, "--recordings", "1")
                runs = {key: value for key, value in server.metrics().items() if "shadow_runs" in key}
        return {**found, "runs": runs}

    def bundle(self, version: str) -> Path:
        """A bundle of the library's model as another version."""
        folder = self.folder / version
        folder.mkdir()
        own = b"\x051.0.1"  # as ONNX writes it
        text = (ROOT / "models/fast-cnn/1.0.1/model.onnx").read_bytes()
        (folder / "model.onnx").write_bytes(text.replace(own, b"\x05" + version.encode()))
        return folder


def text(name: str, report: Report) -> list[str]:
    """What was measured, in lines."""
    if name == "shadow":
        lines = [of_streams(f"{name} {which}", report[which]) for which in ("without", "with")]
        return [*lines, f"{name}: {report['runs']}"]
    lines = [of_streams(f"{name} {which}", report[which]) for which in ("usual", "changing")]
    if not report["p99_of_its_second_ms"]:
        return [*lines, f"{name}: too short for a reload"]
    worst, memory = max(report["p99_of_its_second_ms"]), report["resident_mb"]
    took = f"{min(report['took_s']):.2f} to {max(report['took_s']):.2f} s"
    more = f"{report['reloads']} reloads of {took}, {report['failed']:.0f} answers failed"
    more += f"; P99 of the second of a reload up to {number(worst)} ms"
    more += f"; memory {number(memory['before'])} to {number(memory['most'])} MB"
    return [*lines, f"{name}: {more}"]


def main() -> None:
    measures = ("reload", "shadow")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=75)
    parser.add_argument("--seconds", type=float, default=20)
    measured(parser, measures, Rollout, text)


if __name__ == "__main__":
    main()
