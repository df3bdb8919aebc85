package voiceflow

// #include "shim.h"
import "C"

import (
	"context"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

// Gallery is known voices: people enrolled by name, for one model.
type Gallery struct {
	h *handle
	// Held for writing while a voice is removed, since the others then get new numbers.
	numbers sync.RWMutex
}

// Match is who a speaker is.
type Match struct {
	// Name of the known voice, empty for a stranger.
	Name string
	// Score is the similarity, -1 to 1, to that voice; of a stranger to the most similar one, which
	// may be another speaker's.
	Score float64
}

// NewGallery makes a gallery without any voice, for the diarizer's model. It does not keep the
// diarizer.
func (d *Diarizer) NewGallery() (*Gallery, error) {
	return newGallery(func(out **C.vf_gallery) error {
		return d.call(func(c *C.vf_diarizer) C.vfgo_answer { return C.go_vf_gallery_create(c, out) })
	})
}

// LoadGallery reads a gallery from a file that Save wrote; the diarizer has the gallery's model,
// and is not kept.
func (d *Diarizer) LoadGallery(path string) (*Gallery, error) {
	return newGallery(func(out **C.vf_gallery) error {
		return withText("path", path, func(path *C.char) error {
			return d.call(func(c *C.vf_diarizer) C.vfgo_answer { return C.go_vf_gallery_load(c, path, out) })
		})
	})
}

func newGallery(create func(**C.vf_gallery) error) (*Gallery, error) {
	g := &Gallery{}
	var err error
	destroy := func(p unsafe.Pointer) { C.vf_gallery_destroy((*C.vf_gallery)(p)) }
	g.h, err = own(g, "gallery", destroy, func(out unsafe.Pointer) error {
		return create((**C.vf_gallery)(out))
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

func (g *Gallery) owned() (*handle, error) {
	if g == nil || g.h == nil {
		return nil, unmade("gallery")
	}
	return g.h, nil
}

func (g *Gallery) call(function func(*C.vf_gallery) C.vfgo_answer) error {
	h, err := g.owned()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(g)
	return h.call(func(p unsafe.Pointer) C.vfgo_answer { return function((*C.vf_gallery)(p)) })
}

// Close frees the gallery; see the package. Its file stays.
func (g *Gallery) Close() error {
	if g == nil {
		return nil
	}
	return g.h.closeEarly()
}

// Save writes the gallery to a file, in place of an older one, whole or not at all. It holds
// voices, which are personal data.
func (g *Gallery) Save(path string) error {
	return withText("path", path, func(path *C.char) error {
		return g.call(func(c *C.vf_gallery) C.vfgo_answer { return C.go_vf_gallery_save(c, path) })
	})
}

// EnrollFile enrolls a person by an audio file with at least 3 s of speech, better 20 s, in which
// nobody else speaks for more than 15 % of it. The diarizer has the gallery's model. The name is 1
// to 256 bytes, without white space around it or control characters, and none that unknown speakers
// are given ("SPEAKER_00"). A name may have several recordings: its voice is their mean.
func (g *Gallery) EnrollFile(ctx context.Context, d *Diarizer, name, path string,
	options ...CallOption,
) (*Diarization, error) {
	return g.enroll(ctx, d, name, options, func(at enrolment) error {
		return withText("path", path, func(path *C.char) error {
			return at.under(func(c *C.vf_gallery, d *C.vf_diarizer) C.vfgo_answer {
				return C.go_vf_gallery_enroll_file(c, d, at.name, path, at.asked, at.out)
			})
		})
	})
}

// EnrollFloat32 enrolls a person by samples as [Diarizer.ProcessFloat32] takes them, as EnrollFile
// does by a file.
func (g *Gallery) EnrollFloat32(ctx context.Context, d *Diarizer, name string, samples []float32,
	sampleRate, channels int, options ...CallOption,
) (*Diarization, error) {
	frames, rate, count, err := format(len(samples), sampleRate, channels)
	if err != nil {
		return nil, err
	}
	return g.enroll(ctx, d, name, options, func(at enrolment) error {
		return at.under(func(c *C.vf_gallery, d *C.vf_diarizer) C.vfgo_answer {
			return C.go_vf_gallery_enroll_f32(c, d, at.name, floats(samples), frames, rate, count, at.asked,
				at.out)
		})
	})
}

// enrolment is what an enrolling call is made with.
type enrolment struct {
	g     *Gallery
	d     *Diarizer
	name  *C.char
	asked *C.vfgo_call
	out   **C.vf_diarization
}

// under makes the call with the gallery and the diarizer kept open.
func (at enrolment) under(work func(*C.vf_gallery, *C.vf_diarizer) C.vfgo_answer) error {
	return at.g.with(func(c *C.vf_gallery) error {
		return at.d.call(func(d *C.vf_diarizer) C.vfgo_answer { return work(c, d) })
	})
}

func (g *Gallery) enroll(ctx context.Context, d *Diarizer, name string, options []CallOption,
	enroll func(enrolment) error,
) (*Diarization, error) {
	return resultOf(func(out **C.vf_diarization) error {
		return withText("name", name, func(name *C.char) error {
			return under(ctx, options, func(asked *C.vfgo_call) error {
				return enroll(enrolment{g, d, name, asked, out})
			})
		})
	})
}

// with keeps the gallery open for a call of another value.
func (g *Gallery) with(use func(*C.vf_gallery) error) error {
	h, err := g.owned()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(g)
	return h.with(func(p unsafe.Pointer) error { return use((*C.vf_gallery)(p)) })
}

// EnrollEmbedding enrolls a person by a voice embedding, such as that of a result's speaker, made
// of so much speech: more than 0, its weight beside the name's others.
func (g *Gallery) EnrollEmbedding(name string, embedding []float32, speech time.Duration) error {
	return withText("name", name, func(name *C.char) error {
		return g.call(func(c *C.vf_gallery) C.vfgo_answer {
			return C.go_vf_gallery_enroll_embedding(c, name, floats(embedding), C.size_t(len(embedding)),
				C.double(speech.Seconds()))
		})
	})
}

// Remove removes a person. The voices behind move up by one.
func (g *Gallery) Remove(name string) error {
	if g == nil {
		return unmade("gallery")
	}
	g.numbers.Lock()
	defer g.numbers.Unlock()
	return withText("name", name, func(name *C.char) error {
		return g.call(func(c *C.vf_gallery) C.vfgo_answer { return C.go_vf_gallery_remove(c, name) })
	})
}

// Names gives the names of the known voices, in the order in which they were first enrolled.
func (g *Gallery) Names() ([]string, error) {
	if g == nil {
		return nil, unmade("gallery")
	}
	g.numbers.RLock()
	defer g.numbers.RUnlock()
	var n C.size_t
	if err := g.call(func(c *C.vf_gallery) C.vfgo_answer { return C.go_vf_gallery_count(c, &n) }); err != nil {
		return nil, err
	}
	names := make([]string, n)
	for index := range names {
		var err error
		if names[index], err = g.name(C.int32_t(index)); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func (g *Gallery) name(index C.int32_t) (string, error) {
	return text(func(out *C.char, cap C.size_t, n *C.size_t) error {
		return g.call(func(c *C.vf_gallery) C.vfgo_answer { return C.go_vf_gallery_name(c, index, out, cap, n) })
	})
}

// Threshold is the similarity from which a voice is taken for a known one, as the model was tuned:
// about 1 % of strangers (fast-cnn) or none (accurate) are taken for one of ten people enrolled.
func (g *Gallery) Threshold() (float64, error) {
	var threshold C.float
	err := g.call(func(c *C.vf_gallery) C.vfgo_answer { return C.go_vf_gallery_threshold(c, &threshold) })
	return float64(threshold), err
}

// Identify tells whose voice an embedding of the gallery's model is: the most similar known voice,
// where the cosine similarity is at least the threshold, -1 to 1; [Gallery.Threshold] is what the
// model was tuned to. The score of a stranger is the similarity to the most similar known voice, -1
// where nobody is enrolled.
func (g *Gallery) Identify(embedding []float32, threshold float64) (Match, error) {
	var score C.float
	name, err := text(func(out *C.char, cap C.size_t, n *C.size_t) error {
		return g.call(func(c *C.vf_gallery) C.vfgo_answer {
			return C.go_vf_gallery_identify(c, floats(embedding), C.size_t(len(embedding)), C.float(threshold),
				out, cap, n, &score)
		})
	})
	if err != nil {
		return Match{}, err
	}
	return Match{Name: name, Score: float64(score)}, nil
}

// IdentifyDiarization tells who each speaker of a result is, each somebody else: the pairs of
// speaker and known voice, from the threshold on, that together exceed it the most. For the
// threshold see Identify.
func (g *Gallery) IdentifyDiarization(result *Diarization, threshold float64) ([]Match, error) {
	if g == nil {
		return nil, unmade("gallery")
	}
	g.numbers.RLock()
	defer g.numbers.RUnlock()
	var scores []float32
	voices, err := fill(16, func(out *C.int32_t, cap C.size_t, n *C.size_t) error {
		scores = make([]float32, cap)
		return g.with(func(c *C.vf_gallery) error {
			return result.call(func(r *C.vf_diarization) C.vfgo_answer {
				return C.go_vf_gallery_identify_diarization(c, r, C.float(threshold), out, floats(scores), cap, n)
			})
		})
	})
	if err != nil {
		return nil, err
	}
	matches := make([]Match, len(voices))
	for speaker, voice := range voices {
		matches[speaker].Score = float64(scores[speaker])
		if voice >= 0 {
			if matches[speaker].Name, err = g.name(voice); err != nil {
				return nil, err
			}
		}
	}
	return matches, nil
}
