"""Who spoke when, by the C interface alone: python ctypes_ten_lines.py AUDIO [MODEL] prints
RTTM."""

from ctypes import CDLL, byref, c_size_t, c_void_p, create_string_buffer
import sys

vf, n, text = CDLL("libvoiceflow.so.1"), c_size_t(1024), create_string_buffer(1024)
options, diarizer, result = c_void_p(), c_void_p(), c_void_p()
vf.vf_options_create(byref(options))
status = vf.vf_options_set_model_path(options, sys.argv[2].encode()) if sys.argv[2:] else 0
status = status or vf.vf_diarizer_create(options, None, byref(diarizer))
status = status or vf.vf_diarizer_process_file(diarizer, sys.argv[1].encode(), None, byref(result))
if status:
    vf.vf_last_error(text, n)
    sys.exit(text.value.decode())
vf.vf_diarization_to_rttm(result, b"audio", None, c_size_t(0), byref(n))
text = create_string_buffer(n.value)
vf.vf_diarization_to_rttm(result, b"audio", text, n, byref(n))
print(text.value.decode(), end="")
