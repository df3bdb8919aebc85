"""libvoiceflow by its C interface as a contender: LIBRARY SEGMENTATION EMBEDDING THREADS OPTIONS(JSON) WAV...

Options are what follows `vf_options_set_` in the header, such as {"hop_s": 2.5}. Without segmentation and
embedding files ("-") the model inside the library is used.
"""

import ctypes
import json
import sys
from ctypes import POINTER, byref, c_char_p, c_double, c_float, c_int32, c_size_t, c_uint32, c_void_p

import numpy
from protocol import SAMPLE_RATE, serve

CPU, REQUIRED = 1, 1  # of vf_provider and vf_provider_policy
# The C type of each option that may be given; a text of digits is turned into it.
OPTIONS = {
    "batch": c_size_t,
    "clustering_method": c_int32,
    "clustering_threshold": c_float,
    "frontend": c_int32,
    "hop_s": c_double,
    "min_silence_s": c_double,
    "min_speech_s": c_double,
    "num_speakers": c_size_t,
}


class Segment(ctypes.Structure):
    """`vf_segment`."""

    _fields_ = (
        ("start_s", c_double),
        ("end_s", c_double),
        ("speaker", c_int32),
        ("confidence", c_float),
        ("flags", c_uint32),
        ("reserved", c_uint32),
    )


class Library:
    """The functions of libvoiceflow, with failures as the end of this process."""

    def __init__(self, path: str):
        self.path = path
        self.handle = ctypes.CDLL(path)

    def call(self, name: str, *arguments: object) -> None:
        """Calls a function that returns a status."""
        try:
            function = getattr(self.handle, name)
        except AttributeError:
            sys.exit(f"{self.path}: has no {name}; build the library that this option belongs to")
        function.restype = c_int32
        if function(*arguments) != 0:
            text = ctypes.create_string_buffer(4096)
            self.handle.vf_last_error(text, c_size_t(len(text)))
            sys.exit(f"{name}: {text.value.decode()}")


def main() -> None:
    """Runs the recordings named on the command line."""
    path, segmentation, embedding, threads, options, *recordings = sys.argv[1:]
    library = Library(path)

    def load():
        settings, diarizer = c_void_p(), c_void_p()
        library.call("vf_options_create", byref(settings))
        library.call("vf_options_set_threads", settings, c_size_t(int(threads)))
        library.call("vf_options_set_provider", settings, c_int32(CPU), c_int32(REQUIRED))
        for kind, file in (("segmentation", segmentation), ("embedding", embedding)):
            if file != "-":
                library.call(f"vf_options_set_{kind}_model", settings, c_char_p(file.encode()))
        for name, value in json.loads(options).items():
            if name not in OPTIONS:
                sys.exit(f"voiceflow: unknown option {name}; known: {', '.join(OPTIONS)}")
            number = float(value) if OPTIONS[name] in (c_double, c_float) else int(value)
            library.call(f"vf_options_set_{name}", settings, OPTIONS[name](number))
        library.call("vf_diarizer_create", settings, byref(diarizer))

        def process(samples: numpy.ndarray) -> dict:
            result = c_void_p()
            library.call(
                "vf_diarizer_process_f32",
                diarizer,
                samples.ctypes.data_as(POINTER(c_float)),
                c_size_t(len(samples)),
                c_uint32(SAMPLE_RATE),
                c_uint32(1),
                None,
                None,
                byref(result),
            )
            return {"segments": lambda: segments_of(library, result)}

        return process

    serve(load, recordings)


def segments_of(library: Library, result: c_void_p) -> list:
    """[start_s, end_s, speaker] of every segment; destroys the result."""
    n = c_size_t()
    library.call("vf_diarization_segment_count", result, byref(n))
    segments = (Segment * n.value)()
    library.call("vf_diarization_segments", result, segments, n, byref(n))
    library.handle.vf_diarization_destroy(result)
    return [[s.start_s, s.end_s, s.speaker] for s in segments]


if __name__ == "__main__":
    main()
