"""The functions and structs of voiceflow.h for ctypes. A test compares them with the header."""

from __future__ import annotations

from ctypes import (
    CDLL,
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char,
    c_char_p,
    c_double,
    c_float,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any

import numpy as np

ABI_VERSION = 1
SEGMENT_OVERLAP = 1
SEGMENT_FINAL = 2
MODEL_VERSION_CURRENT = 1

INVALID_ARGUMENT = -1
BUFFER_TOO_SMALL = -3

PROGRESS = CFUNCTYPE(None, c_void_p, c_int32, c_float)
READ = CFUNCTYPE(c_int64, c_void_p, c_void_p, c_size_t)
SEEK = CFUNCTYPE(c_int32, c_void_p, c_uint64)
LOG = CFUNCTYPE(None, c_void_p, c_int32, c_char_p, c_char_p)

# vf_segment: an array of them is filled by the library in one call.
SEGMENT_DTYPE = np.dtype(
    [
        ("start_s", np.float64),
        ("end_s", np.float64),
        ("speaker", np.int32),
        ("confidence", np.float32),
        ("flags", np.uint32),
        ("reserved", np.uint32),
    ]
)


class ModelInfoStruct(Structure):
    """vf_model_info."""

    _fields_ = [
        ("size", c_size_t),
        ("window_samples", c_size_t),
        ("hop_samples", c_size_t),
        ("frame_step_samples", c_size_t),
        ("frame_offset_samples", c_size_t),
        ("sample_rate", c_uint32),
        ("max_speakers", c_uint32),
        ("embedding_dim", c_uint32),
        ("provider", c_int32),
    ]


class ModelVersionStruct(Structure):
    """vf_model_version."""

    _fields_ = [
        ("number", c_uint64),
        ("calls", c_uint64),
        ("streams", c_uint64),
        ("flags", c_uint32),
        ("reserved", c_uint32),
        ("sha256", c_char * 72),
        ("name", c_char * 128),
        ("version", c_char * 56),
    ]


class CallStruct(Structure):
    """vf_call."""

    _fields_ = [
        ("size", c_size_t),
        ("cancel", c_void_p),
        ("progress", PROGRESS),
        ("user_data", c_void_p),
        ("flags", c_uint64),
        ("deadline_ms", c_uint64),
        ("num_speakers", c_uint64),
        ("min_speakers", c_uint64),
        ("max_speakers", c_uint64),
        ("channel", c_uint64),
        ("track", c_uint64),
    ]
    # Keeps what `cancel` leads to.
    switch: Any


class SourceStruct(Structure):
    """vf_source."""

    _fields_ = [
        ("size", c_size_t),
        ("read", READ),
        ("seek", SEEK),
        ("length", c_uint64),
        ("user_data", c_void_p),
    ]


CALL_DEADLINE = 1
CALL_NUM_SPEAKERS = 2
CALL_MIN_SPEAKERS = 4
CALL_MAX_SPEAKERS = 8
CALL_EXCLUSIVE = 16
CALL_CHANNEL = 32
CALL_SEPARATE_CHANNELS = 64
CALL_TRACK = 128
CALL_ALL_TRACKS = 256

# A handle, an array or a buffer of text is an address. Texts that go in are bytes that end with a
# zero byte.
_HANDLE = _ARRAY = _TEXT_OUT = c_void_p
_HANDLE_OUT = POINTER(c_void_p)
_SIZE_OUT = POINTER(c_size_t)
_CALL = POINTER(CallStruct)
_SOURCE = POINTER(SourceStruct)
_TEXT_ANSWER: list[Any] = [_TEXT_OUT, c_size_t, _SIZE_OUT]
_INFER: list[Any] = [
    *[_HANDLE, _ARRAY, c_size_t, c_size_t, _CALL],
    *[_ARRAY, c_size_t, _SIZE_OUT] * 2,
    _SIZE_OUT,
]

# What functions take; they return a vf_status where `_RESULTS` does not say otherwise.
ARGUMENTS: dict[str, list[Any]] = {
    "vf_version": [],
    "vf_version_number": [],
    "vf_abi_version": [],
    "vf_status_str": [c_int32],
    "vf_last_error": [_TEXT_OUT, c_size_t],
    "vf_set_log_callback": [LOG, c_void_p, c_int32],
    "vf_options_create": [_HANDLE_OUT],
    "vf_options_destroy": [_HANDLE],
    "vf_options_set_model_path": [_HANDLE, c_char_p],
    "vf_options_set_model_memory": [_HANDLE, _ARRAY, c_size_t],
    "vf_options_set_runtime_library": [_HANDLE, c_char_p],
    "vf_options_set_telemetry": [_HANDLE, c_int32],
    "vf_options_set_provider": [_HANDLE, c_int32, c_int32],
    "vf_options_set_device_id": [_HANDLE, c_int32],
    "vf_options_set_threads": [_HANDLE, c_size_t],
    "vf_options_set_slots": [_HANDLE, c_size_t],
    "vf_options_set_batch": [_HANDLE, c_size_t],
    "vf_options_set_num_speakers": [_HANDLE, c_size_t],
    "vf_options_set_speaker_range": [_HANDLE, c_size_t, c_size_t],
    "vf_options_set_hop_s": [_HANDLE, c_double],
    "vf_options_set_clustering_threshold": [_HANDLE, c_float],
    "vf_options_set_min_speech_s": [_HANDLE, c_double],
    "vf_options_set_min_silence_s": [_HANDLE, c_double],
    "vf_options_set_segmentation_model": [_HANDLE, c_char_p],
    "vf_options_set_segmentation_model_memory": [_HANDLE, _ARRAY, c_size_t],
    "vf_options_set_segmentation_receptive_field": [_HANDLE, c_size_t, c_size_t],
    "vf_options_set_embedding_model": [_HANDLE, c_char_p],
    "vf_options_set_embedding_model_memory": [_HANDLE, _ARRAY, c_size_t],
    "vf_options_set_embedding_family": [_HANDLE, c_int32],
    "vf_options_set_frontend": [_HANDLE, c_int32],
    "vf_options_set_clustering_method": [_HANDLE, c_int32],
    "vf_options_set_min_cluster_size": [_HANDLE, c_size_t],
    "vf_options_set_bundle": [_HANDLE, c_char_p],
    "vf_options_set_plda": [_HANDLE, c_char_p],
    "vf_options_set_cache_folder": [_HANDLE, c_char_p],
    "vf_options_set_device_memory_limit": [_HANDLE, c_uint64],
    "vf_options_set_latency_s": [_HANDLE, c_double],
    "vf_options_set_history_s": [_HANDLE, c_double],
    "vf_options_set_follow_reloads": [_HANDLE, c_int32],
    "vf_cancel_create": [_HANDLE_OUT],
    "vf_cancel_create_child": [_HANDLE, _HANDLE_OUT],
    "vf_cancel_destroy": [_HANDLE],
    "vf_cancel_set": [_HANDLE],
    "vf_session_create": [_HANDLE, _CALL, _HANDLE_OUT],
    "vf_session_destroy": [_HANDLE],
    "vf_session_describe": [_HANDLE, POINTER(ModelInfoStruct)],
    "vf_session_model_name": [_HANDLE, *_TEXT_ANSWER],
    "vf_session_model_version": [_HANDLE, *_TEXT_ANSWER],
    "vf_session_model_sha256": [_HANDLE, *_TEXT_ANSWER],
    "vf_session_voice_space": [_HANDLE, *_TEXT_ANSWER],
    "vf_session_reload": [_HANDLE, _HANDLE, _CALL],
    "vf_session_versions": [_HANDLE, _ARRAY, c_size_t, _SIZE_OUT],
    "vf_session_frames": [_HANDLE, c_size_t, _SIZE_OUT],
    "vf_session_infer": _INFER,
    "vf_diarization_create": [c_double, _ARRAY, c_size_t, _ARRAY, c_size_t, c_size_t, _HANDLE_OUT],
    "vf_diarization_destroy": [_HANDLE],
    "vf_diarization_duration": [_HANDLE, POINTER(c_double)],
    "vf_diarization_segment_count": [_HANDLE, _SIZE_OUT],
    "vf_diarization_segments": [_HANDLE, _ARRAY, c_size_t, _SIZE_OUT],
    "vf_diarization_speaker_count": [_HANDLE, _SIZE_OUT],
    "vf_diarization_speaker_label": [_HANDLE, c_int32, *_TEXT_ANSWER],
    "vf_diarization_speaker_speech": [_HANDLE, c_int32, POINTER(c_double)],
    "vf_diarization_speaker_embedding": [_HANDLE, c_int32, _ARRAY, c_size_t, _SIZE_OUT],
    "vf_diarization_warning_count": [_HANDLE, _SIZE_OUT],
    "vf_diarization_warning": [_HANDLE, c_size_t, POINTER(c_int32), POINTER(c_double), *_TEXT_ANSWER],
    "vf_diarization_to_rttm": [_HANDLE, c_char_p, *_TEXT_ANSWER],
    "vf_diarization_to_json": [_HANDLE, c_char_p, c_int32, *_TEXT_ANSWER],
    "vf_diarization_to_srt": [_HANDLE, *_TEXT_ANSWER],
    "vf_diarization_to_vtt": [_HANDLE, *_TEXT_ANSWER],
    "vf_diarizer_create": [_HANDLE, _CALL, _HANDLE_OUT],
    "vf_diarizer_destroy": [_HANDLE],
    "vf_diarizer_describe": [_HANDLE, POINTER(ModelInfoStruct)],
    "vf_diarizer_model_name": [_HANDLE, *_TEXT_ANSWER],
    "vf_diarizer_model_version": [_HANDLE, *_TEXT_ANSWER],
    "vf_diarizer_model_sha256": [_HANDLE, *_TEXT_ANSWER],
    "vf_diarizer_voice_space": [_HANDLE, *_TEXT_ANSWER],
    "vf_diarizer_reload": [_HANDLE, _HANDLE, _CALL],
    "vf_diarizer_versions": [_HANDLE, _ARRAY, c_size_t, _SIZE_OUT],
    "vf_diarizer_process_f32": [_HANDLE, _ARRAY, c_size_t, c_uint32, c_uint32, _CALL, _HANDLE_OUT],
    "vf_diarizer_process_i16": [_HANDLE, _ARRAY, c_size_t, c_uint32, c_uint32, _CALL, _HANDLE_OUT],
    "vf_diarizer_process_file": [_HANDLE, c_char_p, _CALL, _HANDLE_OUT],
    "vf_diarizer_process_encoded": [_HANDLE, _ARRAY, c_size_t, _CALL, _HANDLE_OUT],
    "vf_diarizer_process_source": [_HANDLE, _SOURCE, _CALL, _HANDLE_OUT],
    "vf_stream_create": [_HANDLE, _HANDLE, c_uint32, c_uint32, _CALL, _HANDLE_OUT],
    "vf_stream_destroy": [_HANDLE],
    "vf_stream_latency_ms": [_HANDLE, POINTER(c_double)],
    "vf_stream_push_f32": [_HANDLE, _ARRAY, c_size_t, _CALL],
    "vf_stream_push_i16": [_HANDLE, _ARRAY, c_size_t, _CALL],
    "vf_stream_read": [_HANDLE, _ARRAY, c_size_t, _SIZE_OUT],
    "vf_stream_updates": [_HANDLE, POINTER(c_uint64)],
    "vf_stream_speaker_count": [_HANDLE, _SIZE_OUT],
    "vf_stream_speaker_embedding": [_HANDLE, c_int32, _ARRAY, c_size_t, _SIZE_OUT],
    "vf_stream_finish": [_HANDLE, _CALL, _HANDLE_OUT],
    "vf_stream_final_speakers": [_HANDLE, _ARRAY, c_size_t, _SIZE_OUT],
    "vf_stream_reset": [_HANDLE, _CALL],
    "vf_gallery_create": [_HANDLE, _HANDLE_OUT],
    "vf_gallery_load": [_HANDLE, c_char_p, _HANDLE_OUT],
    "vf_gallery_destroy": [_HANDLE],
    "vf_gallery_save": [_HANDLE, c_char_p],
    "vf_gallery_enroll_file": [_HANDLE, _HANDLE, c_char_p, c_char_p, _CALL, _HANDLE_OUT],
    "vf_gallery_enroll_encoded": [_HANDLE, _HANDLE, c_char_p, _ARRAY, c_size_t, _CALL, _HANDLE_OUT],
    "vf_gallery_enroll_source": [_HANDLE, _HANDLE, c_char_p, _SOURCE, _CALL, _HANDLE_OUT],
    "vf_gallery_enroll_f32": [
        _HANDLE,
        _HANDLE,
        c_char_p,
        _ARRAY,
        c_size_t,
        c_uint32,
        c_uint32,
        _CALL,
        _HANDLE_OUT,
    ],
    "vf_gallery_enroll_embedding": [_HANDLE, c_char_p, _ARRAY, c_size_t, c_double],
    "vf_gallery_remove": [_HANDLE, c_char_p],
    "vf_gallery_count": [_HANDLE, _SIZE_OUT],
    "vf_gallery_threshold": [_HANDLE, POINTER(c_float)],
    "vf_gallery_name": [_HANDLE, c_int32, *_TEXT_ANSWER],
    "vf_gallery_identify": [_HANDLE, _ARRAY, c_size_t, c_float, *_TEXT_ANSWER, POINTER(c_float)],
    "vf_gallery_identify_diarization": [_HANDLE, _HANDLE, c_float, _ARRAY, _ARRAY, c_size_t, _SIZE_OUT],
}
RESULTS: dict[str, Any] = {
    "vf_version": c_char_p,
    "vf_version_number": c_uint32,
    "vf_abi_version": c_uint32,
    "vf_status_str": c_char_p,
    "vf_last_error": c_size_t,
}


def declare(library: CDLL) -> None:
    """Says of every function what it takes and returns."""
    for name, arguments in ARGUMENTS.items():
        function = getattr(library, name)
        function.argtypes = arguments
        function.restype = None if name.endswith("_destroy") else RESULTS.get(name, c_int32)
