module voiceflow.example/diarize

go 1.19
