"""What the GE2E speaker encoder (Wan et al., ICASSP 2018; Resemblyzer, Apache-2.0) thinks of a
voice.

Used at training time only: its embeddings of clean speech show the network which voices are alike,
which the number of a class does not. The file is ``embedding.onnx`` of models/public.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from tqdm import tqdm
from voiceflow_public.mel import frames, kaldi_power

from ..data.simulate import Voice, cut_speech
from ..layout import SAMPLE_RATE

CUTS = 6
CUT_S = 3.2
QUIET_DB = 40
"""Frames this far below the loudest of a cut are left out."""

SMALLEST_POWER = 1e-5


class VoiceTeacher:
    """Runs the encoder's ONNX file."""

    def __init__(self, path: Path, threads: int = 1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])

    def embedding(self, audio: np.ndarray) -> np.ndarray:
        """Unit length [256] for speech [samples] of one voice."""
        power = kaldi_power(frames(audio))
        loud = power.sum(axis=1) > power.sum(axis=1).max() * 10 ** (-QUIET_DB / 10)
        features = np.log(np.maximum(power[loud], SMALLEST_POWER)).astype(np.float32)
        return self._session.run(None, {"feats": features[None]})[0][0]

    def voices(self, voices: list[Voice], seed: int) -> np.ndarray:
        """The mean embedding of every voice, unit length [voices, 256], in the order of their
        labels."""
        random = np.random.default_rng(seed)
        means = []
        for voice in tqdm(sorted(voices, key=lambda voice: voice.label), unit="voice"):
            cuts = [cut_speech(random, voice, int(CUT_S * SAMPLE_RATE))[0] for _ in range(CUTS)]
            mean = np.mean([self.embedding(cut) for cut in cuts if len(cut) >= SAMPLE_RATE // 2], axis=0)
            means.append(mean / np.linalg.norm(mean))
        return np.array(means, np.float32)
