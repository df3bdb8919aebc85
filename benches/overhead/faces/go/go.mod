module overhead

go 1.24

require voiceflow v0.0.0

replace voiceflow => ../../../../bindings/go
