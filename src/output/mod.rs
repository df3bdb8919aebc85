//! Written forms of a diarization.
