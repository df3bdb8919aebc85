// Package bare runs the C interface by itself, to measure what the Go package adds.
package bare

// #cgo pkg-config: voiceflow
// #include <stdlib.h>
// #include <time.h>
// #include <voiceflow.h>
//
// typedef struct bare {
//     vf_options *options;
//     vf_session *session;
//     float *activity, *embedding;
//     size_t activity_n, embedding_n, frames;
// } bare;
//
// static void bare_destroy(bare *b)
// {
//     vf_session_destroy(b->session);
//     vf_options_destroy(b->options);
//     free(b->activity);
//     free(b->embedding);
// }
//
// static vf_status bare_run(bare *b, const float *audio, size_t samples)
// {
//     return vf_session_infer(b->session, audio, 1, samples, b->activity, b->activity_n, &b->activity_n,
//         b->embedding, b->embedding_n, &b->embedding_n, &b->frames);
// }
//
// static vf_status bare_create(bare *b, const float *audio, size_t samples)
// {
//     vf_status status = vf_options_create(&b->options);
//     status = status ? status : vf_options_set_threads(b->options, 1);
//     status = status ? status : vf_session_create(b->options, &b->session);
//     status = status ? status : bare_run(b, audio, samples);
//     if (status == VF_E_BUFFER_TOO_SMALL) {
//         b->activity = malloc(b->activity_n * sizeof(float));
//         b->embedding = malloc(b->embedding_n * sizeof(float));
//         status = b->activity && b->embedding ? bare_run(b, audio, samples) : VF_E_NULL;
//     }
//     return status;
// }
//
// static vf_status bare_loop(bare *b, const float *audio, size_t samples, size_t runs, double *took_ns)
// {
//     vf_status status = VF_OK;
//     for (size_t i = 0; i < runs && status == VF_OK; i++) {
//         struct timespec began, ended;
//         clock_gettime(CLOCK_MONOTONIC, &began);
//         status = bare_run(b, audio, samples);
//         clock_gettime(CLOCK_MONOTONIC, &ended);
//         took_ns[i] = (ended.tv_sec - began.tv_sec) * 1e9 + (ended.tv_nsec - began.tv_nsec);
//     }
//     return status;
// }
import "C"

import (
	"fmt"
	"time"
	"unsafe"
)

// Session is a vf_session of one thread with its buffers.
type Session struct {
	c     C.bare
	audio []float32
}

// New loads the model compiled in, for one window of audio.
func New(audio []float32) (*Session, error) {
	s := &Session{audio: audio}
	if status := C.bare_create(&s.c, s.samples(), C.size_t(len(audio))); status != C.VF_OK {
		s.Close()
		return nil, fmt.Errorf("vf_session_create: %s", C.GoString(C.vf_status_str(status)))
	}
	return s, nil
}

func (s *Session) samples() *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(s.audio))) }

// Run infers the window again and again in C, within one call from Go, and tells what each run took.
func (s *Session) Run(runs int) ([]time.Duration, error) {
	took := make([]C.double, runs)
	status := C.bare_loop(&s.c, s.samples(), C.size_t(len(s.audio)), C.size_t(runs), unsafe.SliceData(took))
	if status != C.VF_OK {
		return nil, fmt.Errorf("vf_session_infer: %s", C.GoString(C.vf_status_str(status)))
	}
	durations := make([]time.Duration, runs)
	for i := range durations {
		durations[i] = time.Duration(took[i])
	}
	return durations, nil
}

// Close frees the session.
func (s *Session) Close() {
	C.bare_destroy(&s.c)
	s.c = C.bare{}
}
