package voiceflow

// #include "shim.h"
import "C"

import (
	"iter"
	"runtime"
	"slices"
	"time"
	"unsafe"
)

// Diarization is who spoke when in one recording. It never changes, and needs nothing of what made
// it. Its segments and speakers are there after Close, too; its texts and the identification by a
// [Gallery] are not.
type Diarization struct {
	h *handle
	plain
}

// plain is what a result tells without the library.
type plain struct {
	duration time.Duration
	segments []Segment
	speakers []Speaker
	warnings []Warning
}

// WarningCode is what a [Warning] is about; later releases of the library may have others.
type WarningCode int

// What warnings are about.
const (
	// WarningSkippedBytes: bytes of the file that are no audio were skipped.
	WarningSkippedBytes WarningCode = C.VF_WARNING_SKIPPED_BYTES
	// WarningLostAudio: audio that is damaged or missing was replaced by silence.
	WarningLostAudio WarningCode = C.VF_WARNING_LOST_AUDIO
	// WarningEndsEarly: the file ends, or cannot be read on, before its audio does.
	WarningEndsEarly WarningCode = C.VF_WARNING_ENDS_EARLY
	// WarningInvertedChannels: two channels are each other's inverse, so that the first alone is used.
	WarningInvertedChannels WarningCode = C.VF_WARNING_INVERTED_CHANNELS
	// WarningChosenTrack: one of several audio tracks was taken without being asked for.
	WarningChosenTrack WarningCode = C.VF_WARNING_CHOSEN_TRACK
	// WarningSkippedTrack: an audio track cannot be decoded.
	WarningSkippedTrack WarningCode = C.VF_WARNING_SKIPPED_TRACK
	// WarningUnfollowedEdit: the container's edit list is not followed as it is; the text says in
	// what.
	WarningUnfollowedEdit WarningCode = C.VF_WARNING_UNFOLLOWED_EDIT
)

// Warning is something about a recording with which its result should be read.
type Warning struct {
	Code WarningCode
	// Time is where in the recording it is.
	Time time.Duration
	// Text is what there is to say, in English.
	Text string
}

func (r *Diarization) told() plain {
	if r == nil {
		return plain{}
	}
	return r.plain
}

// Speaker is somebody heard in a recording.
type Speaker struct {
	// Label is "SPEAKER_00", "SPEAKER_01", and so on, in the order of first appearance.
	Label string
	// Speech is the total speaking time.
	Speech time.Duration
	// Embedding is the voice, a vector of unit length.
	Embedding []float32
}

// resultOf makes a result of what work stores.
func resultOf(work func(**C.vf_diarization) error) (*Diarization, error) {
	r := &Diarization{}
	var err error
	destroy := func(p unsafe.Pointer) { C.vf_diarization_destroy((*C.vf_diarization)(p)) }
	r.h, err = own(r, "diarization", destroy, func(out unsafe.Pointer) error {
		return work((**C.vf_diarization)(out))
	})
	if err != nil {
		return nil, err
	}
	if err := r.read(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// NewDiarization makes a result of its parts, such as one that was kept in a file: segments by
// start, then end, then speaker, and the voice of each speaker, all of one length; nil for voices
// that are not known. Labels and speaking times are made anew.
func NewDiarization(duration time.Duration, segments []Segment, embeddings [][]float32) (*Diarization, error) {
	var dim int
	var voices []float32
	for i, embedding := range embeddings {
		if i == 0 {
			dim = len(embedding)
		}
		if len(embedding) != dim {
			return nil, invalid("embeddings: expected %d values, as the first one has, got %d in number %d",
				dim, len(embedding), i)
		}
		voices = append(voices, embedding...)
	}
	plain := make([]C.vf_segment, len(segments))
	for i, segment := range segments {
		plain[i] = segment.c()
	}
	return resultOf(func(out **C.vf_diarization) error {
		return call(func() C.vfgo_answer {
			return C.go_vf_diarization_create(C.double(duration.Seconds()), unsafe.SliceData(plain),
				C.size_t(len(plain)), (*C.float)(unsafe.SliceData(voices)), C.size_t(len(embeddings)), C.size_t(dim),
				out)
		})
	})
}

func (r *Diarization) owned() (*handle, error) {
	if r == nil || r.h == nil {
		return nil, unmade("diarization")
	}
	return r.h, nil
}

func (r *Diarization) call(function func(*C.vf_diarization) C.vfgo_answer) error {
	h, err := r.owned()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(r)
	return h.call(func(p unsafe.Pointer) C.vfgo_answer { return function((*C.vf_diarization)(p)) })
}

// read copies out everything that is plain data.
func (r *Diarization) read() error {
	var duration C.double
	err := r.call(func(c *C.vf_diarization) C.vfgo_answer { return C.go_vf_diarization_duration(c, &duration) })
	if err != nil {
		return err
	}
	r.duration = ofSeconds(duration)
	var n C.size_t
	err = r.call(func(c *C.vf_diarization) C.vfgo_answer { return C.go_vf_diarization_segment_count(c, &n) })
	if err != nil {
		return err
	}
	segments, err := fill(int(n), func(out *C.vf_segment, cap C.size_t, n *C.size_t) error {
		return r.call(func(c *C.vf_diarization) C.vfgo_answer {
			return C.go_vf_diarization_segments(c, out, cap, n)
		})
	})
	if err != nil {
		return err
	}
	r.segments = make([]Segment, len(segments))
	for i, segment := range segments {
		r.segments[i] = segmentOf(segment)
	}
	err = r.call(func(c *C.vf_diarization) C.vfgo_answer { return C.go_vf_diarization_speaker_count(c, &n) })
	if err != nil {
		return err
	}
	r.speakers = make([]Speaker, n)
	for number := range r.speakers {
		if r.speakers[number], err = r.speaker(C.int32_t(number)); err != nil {
			return err
		}
	}
	err = r.call(func(c *C.vf_diarization) C.vfgo_answer { return C.go_vf_diarization_warning_count(c, &n) })
	if err != nil {
		return err
	}
	for index := C.size_t(0); index < n; index++ {
		warning, err := r.warning(index)
		if err != nil {
			return err
		}
		r.warnings = append(r.warnings, warning)
	}
	return nil
}

func (r *Diarization) warning(index C.size_t) (warning Warning, err error) {
	var code C.int32_t
	var seconds C.double
	warning.Text, err = text(func(out *C.char, cap C.size_t, n *C.size_t) error {
		return r.call(func(c *C.vf_diarization) C.vfgo_answer {
			return C.go_vf_diarization_warning(c, index, &code, &seconds, out, cap, n)
		})
	})
	warning.Code, warning.Time = WarningCode(code), ofSeconds(seconds)
	return warning, err
}

func (r *Diarization) speaker(number C.int32_t) (speaker Speaker, err error) {
	speaker.Label, err = text(func(out *C.char, cap C.size_t, n *C.size_t) error {
		return r.call(func(c *C.vf_diarization) C.vfgo_answer {
			return C.go_vf_diarization_speaker_label(c, number, out, cap, n)
		})
	})
	if err != nil {
		return Speaker{}, err
	}
	var speech C.double
	err = r.call(func(c *C.vf_diarization) C.vfgo_answer {
		return C.go_vf_diarization_speaker_speech(c, number, &speech)
	})
	if err != nil {
		return Speaker{}, err
	}
	speaker.Speech = ofSeconds(speech)
	speaker.Embedding, err = fill(256, func(out *float32, cap C.size_t, n *C.size_t) error {
		return r.call(func(c *C.vf_diarization) C.vfgo_answer {
			return C.go_vf_diarization_speaker_embedding(c, number, (*C.float)(out), cap, n)
		})
	})
	return speaker, err
}

// Close frees what the texts are made of; see the package.
func (r *Diarization) Close() error {
	if r == nil {
		return nil
	}
	return r.h.closeEarly()
}

// Duration gives the length of the recording.
func (r *Diarization) Duration() time.Duration { return r.told().duration }

// Segments gives the segments by start, then end, then speaker.
func (r *Diarization) Segments() iter.Seq[Segment] { return slices.Values(r.told().segments) }

// AppendSegments appends the segments to a slice.
func (r *Diarization) AppendSegments(to []Segment) []Segment { return append(to, r.told().segments...) }

// Speakers gives a copy of the speakers, by number.
func (r *Diarization) Speakers() []Speaker {
	speakers := slices.Clone(r.told().speakers)
	for i := range speakers {
		speakers[i].Embedding = slices.Clone(speakers[i].Embedding)
	}
	return speakers
}

// Warnings gives a copy of what was skipped in the recording, what is missing, and what was chosen
// without being asked for; at most 100.
func (r *Diarization) Warnings() []Warning { return slices.Clone(r.told().warnings) }

// Label gives the label of a speaker of this result by number, such as "SPEAKER_00"; empty for a
// number that is none of its speakers'. The numbers of a stream are others: see
// [Stream.FinalSpeakers].
func (r *Diarization) Label(speaker int32) string {
	if speakers := r.told().speakers; speaker >= 0 && int(speaker) < len(speakers) {
		return speakers[speaker].Label
	}
	return ""
}

// RTTM writes the result as RTTM, one line for each segment. White space in the name of the
// recording becomes "_".
func (r *Diarization) RTTM(recording string) (string, error) {
	return r.written(recording,
		func(c *C.vf_diarization, recording, out *C.char, cap C.size_t, n *C.size_t) C.vfgo_answer {
			return C.go_vf_diarization_to_rttm(c, recording, out, cap, n)
		})
}

// JSON writes the result as JSON: the recording, its speakers, and the segments.
func (r *Diarization) JSON(recording string) (string, error) { return r.json(recording, 0) }

// JSONWithEmbeddings is as [Diarization.JSON], with the speakers' voice embeddings, by which people
// can be recognised.
func (r *Diarization) JSONWithEmbeddings(recording string) (string, error) {
	return r.json(recording, 1)
}

func (r *Diarization) json(recording string, embeddings C.int32_t) (string, error) {
	return r.written(recording,
		func(c *C.vf_diarization, recording, out *C.char, cap C.size_t, n *C.size_t) C.vfgo_answer {
			return C.go_vf_diarization_to_json(c, recording, embeddings, out, cap, n)
		})
}

// SRT writes the result as SubRip subtitles, one cue with the speaker's label for each segment.
func (r *Diarization) SRT() (string, error) {
	return r.written("", func(c *C.vf_diarization, _, out *C.char, cap C.size_t, n *C.size_t) C.vfgo_answer {
		return C.go_vf_diarization_to_srt(c, out, cap, n)
	})
}

// VTT writes the result as WebVTT subtitles, one cue for each segment, with the speaker's label as
// its voice and its text.
func (r *Diarization) VTT() (string, error) {
	return r.written("", func(c *C.vf_diarization, _, out *C.char, cap C.size_t, n *C.size_t) C.vfgo_answer {
		return C.go_vf_diarization_to_vtt(c, out, cap, n)
	})
}

func (r *Diarization) written(recording string,
	write func(c *C.vf_diarization, recording, out *C.char, cap C.size_t, n *C.size_t) C.vfgo_answer,
) (written string, err error) {
	err = withText("recording", recording, func(recording *C.char) (err error) {
		written, err = text(func(out *C.char, cap C.size_t, n *C.size_t) error {
			return r.call(func(c *C.vf_diarization) C.vfgo_answer { return write(c, recording, out, cap, n) })
		})
		return err
	})
	return written, err
}
