"""Writes the first inputs of the fuzz targets into fuzz/corpus; what fuzzing adds has hashes as
names.

Audio files and models come from tests/data too, which scripts/fuzz.sh gives the targets. The same
bytes on every run, of audio with the same ffmpeg:  python fuzz/make_corpus.py
"""

import io
import json
import random
import struct
import subprocess
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
DATA = HERE.parent / "tests/data"
ARRAYS = ["mean1", "mean2", "lda", "mu", "tr", "psi"]
SHA256 = "0123456789abcdef" * 4


def put(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


SPEECH = ["-t", "0.3", "-i", str(DATA / "audio/original.wav")]
AUDIO = {
    "padded.webm": ["-c:a", "libopus"],
    "live.webm": ["-c:a", "libopus", "-live", "1"],
    "mp3.mkv": ["-c:a", "libmp3lame"],
    "two_tracks.mkv": ["-map", "0", "-map", "0", "-c:a:0", "libvorbis", "-c:a:1", "libopus"],
    "two_tracks.mp4": ["-map", "0", "-map", "0", "-c:a", "aac"],
    "two_tracks.ts": ["-map", "0", "-map", "0", "-c:a:0", "mp2", "-c:a:1", "aac"],
    "opus.mp4": ["-c:a", "libopus"],
    "opus.caf": ["-c:a", "libopus"],
    "ima.aiff": ["-ar", "8000", "-c:a", "adpcm_ima_qt"],
    "float.w64": ["-ar", "8000", "-c:a", "pcm_f32le"],
    "rf64.wav": ["-ar", "8000", "-rf64", "always"],
    "gsm.wav": ["-ar", "8000", "-c:a", "gsm_ms"],
    "g722.wav": ["-c:a", "g722"],
    "adpcm.wav": ["-ar", "8000", "-c:a", "adpcm_ms"],
    "mp3.wav": ["-c:a", "libmp3lame"],
    "g722.au": ["-c:a", "g722"],
    "raw.gsm": ["-ar", "8000", "-c:a", "gsm"],
    "speech.mp2": ["-c:a", "mp2"],
}
"""Of 0.3 s of speech, arguments of ffmpeg by the names of the files that it makes."""


def audio():
    folder = CORPUS / "audio"
    folder.mkdir(parents=True, exist_ok=True)
    same = ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
    for name, arguments in AUDIO.items():
        quiet = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y"]
        subprocess.run([*quiet, *SPEECH, *arguments, *same, str(folder / name)], check=True)


def annotations():
    conversation = (HERE.parent / "examples/data/conversation.rttm").read_bytes()
    # A collar, and whether overlap is skipped, before the text.
    put("rttm", "conversation", b"\xff\x10\xff" + conversation)
    put(
        "rttm",
        "overlap",
        b"\xff\x20\x01SPEAKER a 1 0.0 10.0 <NA> <NA> anna <NA> <NA>\nSPEAKER a 1 5 10 <NA> <NA> ben <NA>\n"
        b";; note\nSPKR-INFO a 1 <NA> <NA> <NA> unknown anna <NA> <NA>\nSPEAKER b 1 1e3 0 <NA> <NA> x\n",
    )
    put("uem", "map", ";; map\na 1 0 10.5\nb NA 1 2\na 1 20 30\n")
    put("uem", "overlap", "a 1 0 10\na 1 5 15\na 1 15 15\n")


def galleries():
    voices = [
        {"name": "ada", "speech_s": 17.5, "recordings": 2, "agreement": 0.93, "embedding": [0.6, -0.8]},
        {"name": "grace", "speech_s": 3.5, "recordings": 1, "agreement": 1.0, "embedding": [1.0, 0.0]},
    ]
    gallery = {
        "format": "voiceflow-gallery",
        "version": 1,
        "model": {"name": "fast-cnn", "version": "1.0.0", "sha256": "0a" * 32},
        "dimension": 2,
    }
    put("gallery", "two", json.dumps(gallery | {"voices": voices}, indent=1))
    put("gallery", "none", json.dumps(gallery | {"voices": []}))


def npy(shape, values, kind, version, fortran):
    header = f"{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    start = 10 if version == 1 else 12
    header += " " * ((-len(header) - 1 - start) % 64) + "\n"
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    packed = b"".join(struct.pack("<d" if "8" in kind else "<f", value) for value in values)
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + packed


def arrays(kind="<f8", version=1, fortran=False):
    shapes = ["(3,)", "(2,)", "(3, 2)", "(2,)", "(2, 2)", "(2,)"]
    values = [[0, 0, 0], [0, 0], [1, 0, 0, 1, 0, 0], [0, 0], [1, 0, 0, 2], [3, 0.5]]
    return [npy(shape, value, kind, version, fortran) for shape, value in zip(shapes, values, strict=True)]


def archives():
    kinds = {"f8": arrays(), "f4": arrays("<f4", 2), "fortran": arrays(fortran=True)}
    for name, content in kinds.items():
        put("npz", name, b"\x01" + b"".join(struct.pack("<H", len(array)) + array for array in content))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in zip(ARRAYS, arrays(), strict=True):
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, array, zipfile.ZIP_DEFLATED)
    put("npz", "deflated", b"\x00" + file.getvalue())


def metadata():
    golden = {
        "format": 1,
        "samples": 32000,
        "tolerance": 0.001,
        "model_sha256": SHA256,
        "activity": {"shape": [2, 1], "data": [0, 0]},
        "embedding": {"shape": [1, 3], "data": [0, 0, 0.0005]},
    }
    plda = {"fa": 0.1, "fb": 0.9, "mean1": [0] * 3, "lda": [1, 0, 0, 1, 0, 0], "mean2": [0, 0], "mu": [0, 0]}
    tuning = {"hop_s": 2.5, "clustering": "average", "clustering_threshold": 0.6, "min_cluster_share": 0.02}
    put("golden", "bundle", bytes([2, 2, 1, 3]) + json.dumps({"tuning": tuning}).encode())
    put("golden", "vector", bytes([0, 2, 1, 3]) + json.dumps(golden).encode())
    put(
        "golden",
        "plda",
        bytes([1, 2, 1, 3]) + json.dumps(plda | {"tr": [1, 0, 0, 2], "psi": [3, 0.5]}).encode(),
    )


def numbers():
    """Choices by number, as the targets read them, and noise for samples."""
    dice = random.Random(1)

    def noise(count):
        return bytes(dice.randrange(256) for _ in range(count))

    chosen = bytes([100, 0, 0, 100, 0, 100, 2, 100, 0, 100, 0, 100, 0, 100, 1, 100, 0])
    put("features", "usual", chosen + bytes([0]) + struct.pack("<H", 3000) + noise(64))
    put("features", "none", bytes(8) + bytes([0]) + struct.pack("<H", 2000) + noise(64))
    for index, (rate, channels) in enumerate([(4, 1), (7, 2), (2, 1), (3, 2), (8, 1)]):
        pushes = struct.pack("<HHH", 1600, 4801, 7)
        length = struct.pack("<I", 16000 * 6)
        put("stream", f"format{index}", bytes([200, 200, rate, channels, 3]) + pushes + length + noise(200))
    for index, (rate, channels) in enumerate([(6, 0), (10, 1), (4, 0), (13, 1), (5, 0)]):
        pieces = struct.pack("<HHH", 100, 441, 7)
        length = struct.pack("<H", 3000)
        put(
            "converter",
            f"format{index}",
            bytes([200, rate, 200, channels, 3]) + pieces + b"\x01" + length + noise(9),
        )
    for index in range(8):
        put("c_api", f"calls{index}", noise(600))


def fields(message):
    """The fields of a protobuf message: number, wire type, all of its bytes, its content."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        start = at
        key = varint()
        if key & 7 == 2:
            length = varint()
            at += length
            yield key >> 3, message[start:at], message[at - length : at]
        else:
            if key & 7 == 0:
                varint()
            else:
                at += 8 if key & 7 == 1 else 4
            yield key >> 3, message[start:at], b""


def joined(number, content):
    size, length = len(content), b""
    while size >= 128:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def graphs():
    """The embedding networks of the tests without their weights: nothing but their graphs is read
    of them."""
    model_graph, graph_initializer, tensor_data = 7, 5, 9
    for name in ["wespeaker_resnet34", "titanet"]:
        bare = b""
        for number, whole, content in fields((DATA / f"families/{name}.onnx").read_bytes()):
            if number == model_graph:
                graph = b""
                for inner, part, tensor in fields(content):
                    if inner == graph_initializer:
                        kept = b"".join(part for of, part, _ in fields(tensor) if of != tensor_data)
                        part = joined(graph_initializer, kept)
                    graph += part
                whole = joined(model_graph, graph)
            bare += whole
        put("graph", f"{name}.onnx", bare)


if __name__ == "__main__":
    audio()
    annotations()
    galleries()
    archives()
    metadata()
    numbers()
    graphs()
