module voiceflow

go 1.24
