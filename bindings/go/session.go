package voiceflow

// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
	"slices"
	"unsafe"
)

// Session is one loaded model: audio in, activity and embeddings out. Most programs want a
// [Diarizer].
type Session struct {
	h    *handle
	info liveInfo
}

// Inference is what the network makes of a batch of windows.
type Inference struct {
	// Activity is [batch, Frames, Speakers] probabilities, 0 to 1, that a local speaker speaks.
	Activity []float32
	// Embedding is [batch, Speakers, Dim] values: for each local speaker a voice of unit length, or
	// zeros.
	Embedding []float32
	// Frames of one window, its local Speakers, and the Dim of an embedding.
	Frames, Speakers, Dim int
}

// NewSession loads a model and checks it; the context ends the load. Its options are WithModelPath,
// WithModelMemory, WithBundle, WithRuntimeLibrary, WithTelemetry, WithProvider, WithDeviceID,
// WithDeviceMemoryLimit, WithCacheFolder, WithThreads, WithSlots and WithProgress.
func NewSession(ctx context.Context, options ...Option) (*Session, error) {
	s := &Session{}
	var err error
	destroy := func(p unsafe.Pointer) { C.vf_session_destroy((*C.vf_session)(p)) }
	s.h, err = own(s, "session", destroy, func(out unsafe.Pointer) error {
		return withOptions(forSession, options, func(o *C.vf_options, load conditions) error {
			return load.during(ctx, func(asked *C.vfgo_call) error {
				return call(func() C.vfgo_answer {
					return C.go_vf_session_create(o, asked, (**C.vf_session)(out))
				})
			})
		})
	})
	if err != nil {
		return nil, err
	}
	if err = s.info.refresh(s.ask); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// ask asks for everything about the current model.
func (s *Session) ask() (ModelInfo, error) {
	return modelInfo(
		func(out *C.vf_model_info) error {
			return s.call(func(c *C.vf_session) C.vfgo_answer { return C.go_vf_session_describe(c, out) })
		},
		func(out *C.char, cap C.size_t, n *C.size_t) error {
			return s.call(func(c *C.vf_session) C.vfgo_answer {
				return C.go_vf_session_model_name(c, out, cap, n)
			})
		},
		func(out *C.char, cap C.size_t, n *C.size_t) error {
			return s.call(func(c *C.vf_session) C.vfgo_answer {
				return C.go_vf_session_model_version(c, out, cap, n)
			})
		},
		func(out *C.char, cap C.size_t, n *C.size_t) error {
			return s.call(func(c *C.vf_session) C.vfgo_answer {
				return C.go_vf_session_model_sha256(c, out, cap, n)
			})
		},
		func(out *C.char, cap C.size_t, n *C.size_t) error {
			return s.call(func(c *C.vf_session) C.vfgo_answer {
				return C.go_vf_session_voice_space(c, out, cap, n)
			})
		})
}

// Reload puts another model, or other options, in the place of those that the session has, while it
// is in use: the new version is loaded beside the running one, checked, and tried on a smoke
// recording. Then it takes over at once; calls under way end on the version that they began with. A
// failure changes nothing. The context ends the reload. Its options are all those of the new
// version, as of NewSession; the new model has the sizes of the running one.
func (s *Session) Reload(ctx context.Context, options ...Option) error {
	err := withOptions(forSession, options, func(o *C.vf_options, load conditions) error {
		return load.during(ctx, func(asked *C.vfgo_call) error {
			return s.call(func(c *C.vf_session) C.vfgo_answer { return C.go_vf_session_reload(c, o, asked) })
		})
	})
	if err != nil {
		return err
	}
	return s.info.refresh(s.ask)
}

// Versions tells which versions of the model are in use: the current one first, then older ones
// that calls or streams still hold.
func (s *Session) Versions() ([]ModelVersion, error) {
	return versions(func(out *C.vf_model_version, cap C.size_t, n *C.size_t) error {
		return s.call(func(c *C.vf_session) C.vfgo_answer { return C.go_vf_session_versions(c, out, cap, n) })
	})
}

func (s *Session) owned() (*handle, error) {
	if s == nil || s.h == nil {
		return nil, unmade("session")
	}
	return s.h, nil
}

func (s *Session) call(function func(*C.vf_session) C.vfgo_answer) error {
	h, err := s.owned()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(s)
	return h.call(func(p unsafe.Pointer) C.vfgo_answer { return function((*C.vf_session)(p)) })
}

// Close frees the session; see the package.
func (s *Session) Close() error {
	if s == nil {
		return nil
	}
	return s.h.closeEarly()
}

// Info describes the model.
func (s *Session) Info() ModelInfo {
	if s == nil {
		return ModelInfo{}
	}
	return s.info.get()
}

// Frames gives the number of frames that the network makes of a window of so many samples, one for
// each whole frame step of the model: at least one, at most 960,000 samples (60 s). No network is
// run.
func (s *Session) Frames(samples int) (int, error) {
	n, err := size("samples", samples)
	if err != nil {
		return 0, err
	}
	var frames C.size_t
	err = s.call(func(c *C.vf_session) C.vfgo_answer { return C.go_vf_session_frames(c, n, &frames) })
	return int(frames), err
}

// Infer runs the network on a batch of windows, 1 to 1,024, whose samples stand one after the
// other: mono, 16 kHz, -1 to 1, finite. A window is at least one frame step of the model long and
// at most 960,000 samples (60 s). The call waits while all run slots are taken, which a progress
// function gets as [StageWaiting].
func (s *Session) Infer(ctx context.Context, audio []float32, batch int, options ...CallOption) (
	*Inference, error,
) {
	out := &Inference{}
	if err := s.InferInto(ctx, audio, batch, out, options...); err != nil {
		return nil, err
	}
	return out, nil
}

// InferInto is Infer with the buffers of an earlier inference, which grow where they are too small.
// It allocates nothing otherwise, unless the context can be cancelled or there are options. After a
// failure out is not to be looked at.
func (s *Session) InferInto(ctx context.Context, audio []float32, batch int, out *Inference,
	options ...CallOption,
) error {
	switch {
	case out == nil:
		return invalid("out: expected an inference, got nil")
	case batch < 1:
		return invalid("batch: expected 1 to 1,024, got %d", batch)
	case len(audio)%batch != 0:
		return invalid("audio: expected %d windows of one length, got %d values", batch, len(audio))
	}
	return under(ctx, options, func(asked *C.vfgo_call) error { return s.infer(audio, batch, out, asked) })
}

func (s *Session) infer(audio []float32, batch int, out *Inference, asked *C.vfgo_call) error {
	for {
		var made C.vfgo_inference
		err := s.call(func(c *C.vf_session) C.vfgo_answer {
			made = C.go_vf_session_infer(c, floats(audio), C.size_t(batch), C.size_t(len(audio)/batch), asked,
				floats(out.Activity), C.size_t(cap(out.Activity)),
				floats(out.Embedding), C.size_t(cap(out.Embedding)))
			return made.answer
		})
		activity, embedding := int(made.activity_n), int(made.embedding_n)
		if failed, ok := err.(*Error); ok && failed.Status == ErrBufferTooSmall {
			out.Activity = slices.Grow(out.Activity[:0], activity)
			out.Embedding = slices.Grow(out.Embedding[:0], embedding)
			continue
		}
		if err != nil {
			return err
		}
		out.Activity, out.Embedding = out.Activity[:activity], out.Embedding[:embedding]
		out.Frames, out.Speakers, out.Dim = int(made.frames), s.Info().MaxSpeakers, s.Info().EmbeddingDim
		return nil
	}
}

// floats is the start of values for C, NULL where there are none.
func floats(values []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(values))) }
