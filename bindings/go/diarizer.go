package voiceflow

// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
	"unsafe"
)

// Diarizer is a loaded model with its options, for any number of recordings and streams.
type Diarizer struct {
	h    *handle
	info liveInfo
}

// NewDiarizer loads the model and makes it ready; the context ends the load. Its options are all
// but WithSlots, WithLatency, WithHistory and WithFollowReloads.
func NewDiarizer(ctx context.Context, options ...Option) (*Diarizer, error) {
	d := &Diarizer{}
	var err error
	destroy := func(p unsafe.Pointer) { C.vf_diarizer_destroy((*C.vf_diarizer)(p)) }
	d.h, err = own(d, "diarizer", destroy, func(out unsafe.Pointer) error {
		return withOptions(forDiarizer, options, func(o *C.vf_options, load conditions) error {
			return load.during(ctx, func(asked *C.vfgo_call) error {
				return call(func() C.vfgo_answer {
					return C.go_vf_diarizer_create(o, asked, (**C.vf_diarizer)(out))
				})
			})
		})
	})
	if err != nil {
		return nil, err
	}
	if err = d.info.refresh(d.ask); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// ask asks for everything about the current model.
func (d *Diarizer) ask() (ModelInfo, error) {
	return modelInfo(
		func(out *C.vf_model_info) error {
			return d.call(func(c *C.vf_diarizer) C.vfgo_answer { return C.go_vf_diarizer_describe(c, out) })
		},
		func(out *C.char, cap C.size_t, n *C.size_t) error {
			return d.call(func(c *C.vf_diarizer) C.vfgo_answer {
				return C.go_vf_diarizer_model_name(c, out, cap, n)
			})
		},
		func(out *C.char, cap C.size_t, n *C.size_t) error {
			return d.call(func(c *C.vf_diarizer) C.vfgo_answer {
				return C.go_vf_diarizer_model_version(c, out, cap, n)
			})
		},
		func(out *C.char, cap C.size_t, n *C.size_t) error {
			return d.call(func(c *C.vf_diarizer) C.vfgo_answer {
				return C.go_vf_diarizer_model_sha256(c, out, cap, n)
			})
		},
		func(out *C.char, cap C.size_t, n *C.size_t) error {
			return d.call(func(c *C.vf_diarizer) C.vfgo_answer {
				return C.go_vf_diarizer_voice_space(c, out, cap, n)
			})
		})
}

// Reload puts another model, or other options, in the place of those that the diarizer has, while
// it is in use: the new version is loaded beside the running one, checked, and tried on a smoke
// recording. Then it takes over at once; calls and streams under way end on the version that they
// began with. A failure changes nothing. The context ends the reload. Its options are all those of
// the new version, as of NewDiarizer.
func (d *Diarizer) Reload(ctx context.Context, options ...Option) error {
	err := withOptions(forDiarizer, options, func(o *C.vf_options, load conditions) error {
		return load.during(ctx, func(asked *C.vfgo_call) error {
			return d.call(func(c *C.vf_diarizer) C.vfgo_answer { return C.go_vf_diarizer_reload(c, o, asked) })
		})
	})
	if err != nil {
		return err
	}
	return d.info.refresh(d.ask)
}

// Versions tells which versions of the model are in use: the current one first, then older ones
// that calls or streams still hold.
func (d *Diarizer) Versions() ([]ModelVersion, error) {
	return versions(func(out *C.vf_model_version, cap C.size_t, n *C.size_t) error {
		return d.call(func(c *C.vf_diarizer) C.vfgo_answer { return C.go_vf_diarizer_versions(c, out, cap, n) })
	})
}

func (d *Diarizer) owned() (*handle, error) {
	if d == nil || d.h == nil {
		return nil, unmade("diarizer")
	}
	return d.h, nil
}

func (d *Diarizer) call(function func(*C.vf_diarizer) C.vfgo_answer) error {
	h, err := d.owned()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(d)
	return h.call(func(p unsafe.Pointer) C.vfgo_answer { return function((*C.vf_diarizer)(p)) })
}

// Close frees the diarizer; see the package. Its streams, results and galleries stay.
func (d *Diarizer) Close() error {
	if d == nil {
		return nil
	}
	return d.h.closeEarly()
}

// Info describes the model.
func (d *Diarizer) Info() ModelInfo {
	if d == nil {
		return ModelInfo{}
	}
	return d.info.get()
}

// ProcessFile finds who spoke when in an audio file: WAV, FLAC, MP3, AAC, Opus, Vorbis and the
// others of docs/AUDIO.md, of any sample rate and channels.
func (d *Diarizer) ProcessFile(ctx context.Context, path string, options ...CallOption) (*Diarization, error) {
	var result *Diarization
	err := withText("path", path, func(path *C.char) (err error) {
		result, err = d.process(ctx, options,
			func(c *C.vf_diarizer, asked *C.vfgo_call, out **C.vf_diarization) C.vfgo_answer {
				return C.go_vf_diarizer_process_file(c, path, asked, out)
			})
		return err
	})
	return result, err
}

// ProcessFloat32 finds who spoke when in samples: the channels of a frame side by side, -1 to 1,
// finite; sampleRate in hertz, 1,000 to 768,000; 1 to 32 channels, whose mean is used. No samples
// give a result without segments.
func (d *Diarizer) ProcessFloat32(ctx context.Context, samples []float32, sampleRate, channels int,
	options ...CallOption,
) (*Diarization, error) {
	frames, rate, count, err := format(len(samples), sampleRate, channels)
	if err != nil {
		return nil, err
	}
	return d.process(ctx, options,
		func(c *C.vf_diarizer, asked *C.vfgo_call, out **C.vf_diarization) C.vfgo_answer {
			return C.go_vf_diarizer_process_f32(c, floats(samples), frames, rate, count, asked, out)
		})
}

// ProcessInt16 is ProcessFloat32 of 16-bit samples.
func (d *Diarizer) ProcessInt16(ctx context.Context, samples []int16, sampleRate, channels int,
	options ...CallOption,
) (*Diarization, error) {
	frames, rate, count, err := format(len(samples), sampleRate, channels)
	if err != nil {
		return nil, err
	}
	return d.process(ctx, options,
		func(c *C.vf_diarizer, asked *C.vfgo_call, out **C.vf_diarization) C.vfgo_answer {
			return C.go_vf_diarizer_process_i16(c, shorts(samples), frames, rate, count, asked, out)
		})
}

func (d *Diarizer) process(ctx context.Context, options []CallOption,
	work func(*C.vf_diarizer, *C.vfgo_call, **C.vf_diarization) C.vfgo_answer,
) (*Diarization, error) {
	return resultOf(func(out **C.vf_diarization) error {
		return under(ctx, options, func(asked *C.vfgo_call) error {
			return d.call(func(c *C.vf_diarizer) C.vfgo_answer { return work(c, asked, out) })
		})
	})
}

// shorts is the start of values for C, NULL where there are none.
func shorts(values []int16) *C.int16_t { return (*C.int16_t)(unsafe.Pointer(unsafe.SliceData(values))) }
