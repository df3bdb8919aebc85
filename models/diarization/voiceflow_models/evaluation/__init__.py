"""What a model reaches: diarization, verification, speed."""
