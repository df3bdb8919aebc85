package voiceflow

// #include "shim.h"
import "C"

// ModelInfo tells the sizes of a model and where it runs.
type ModelInfo struct {
	// Name of the model; of two public models those of their files, joined by " + ".
	Name string
	// Version of the model, empty for two public models.
	Version string
	// SHA256 of the model's file in hexadecimal digits.
	SHA256 string
	// VoiceSpace is what models share whose voices can be compared, and whose galleries are
	// exchangeable; empty where the model names none.
	VoiceSpace string
	// WindowSamples is the samples in one window.
	WindowSamples int
	// HopSamples is the samples from the start of one window to the next, by default.
	HopSamples int
	// FrameStepSamples is the samples from one frame of the activity to the next.
	FrameStepSamples int
	// FrameOffsetSamples is the samples from the start of a window to the middle of its first frame.
	FrameOffsetSamples int
	// SampleRate of the input, in hertz.
	SampleRate int
	// MaxSpeakers is the local speakers in one window.
	MaxSpeakers int
	// EmbeddingDim is the numbers in one embedding.
	EmbeddingDim int
	// Provider in use, never ProviderAuto.
	Provider Provider
}

type askText = func(out *C.char, cap C.size_t, n *C.size_t) error

// modelInfo asks for everything about a model.
func modelInfo(describe func(*C.vf_model_info) error, name, version, sha256, voiceSpace askText) (
	info ModelInfo, err error,
) {
	sizes := C.vf_model_info{size: C.sizeof_vf_model_info}
	if err = describe(&sizes); err != nil {
		return ModelInfo{}, err
	}
	info = ModelInfo{
		WindowSamples:      int(sizes.window_samples),
		HopSamples:         int(sizes.hop_samples),
		FrameStepSamples:   int(sizes.frame_step_samples),
		FrameOffsetSamples: int(sizes.frame_offset_samples),
		SampleRate:         int(sizes.sample_rate),
		MaxSpeakers:        int(sizes.max_speakers),
		EmbeddingDim:       int(sizes.embedding_dim),
		Provider:           Provider(sizes.provider),
	}
	for _, part := range []struct {
		to  *string
		ask askText
	}{{&info.Name, name}, {&info.Version, version}, {&info.SHA256, sha256}, {&info.VoiceSpace, voiceSpace}} {
		if *part.to, err = text(part.ask); err != nil {
			return ModelInfo{}, err
		}
	}
	return info, nil
}
