// Package bare runs the C interface by itself, to measure what the Go package adds.
package bare

// #cgo !dlopen pkg-config: voiceflow
// #cgo dlopen CFLAGS: -I${SRCDIR}/../../include
// #include <time.h>
// #include <voiceflow.h>
//
// static vf_status bare_loop(const vf_session *session, const float *audio, size_t samples, float
// *activity,
//     size_t activity_n, float *embedding, size_t embedding_n, size_t runs, double *took_ns)
// {
//     vf_status status = VF_OK;
//     size_t frames;
//     for (size_t i = 0; i < runs && status == VF_OK; i++) {
//         struct timespec began, ended;
//         clock_gettime(CLOCK_MONOTONIC, &began);
//         status = vf_session_infer(session, audio, 1, samples, NULL, activity, activity_n, &activity_n,
//             embedding, embedding_n, &embedding_n, &frames);
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

// Infer runs a vf_session again and again in C on one window of audio, within one call from Go, and
// tells what each run took. The buffers have the size of the answer.
func Infer(session unsafe.Pointer, audio, activity, embedding []float32, runs int) ([]time.Duration, error) {
	took := make([]C.double, runs)
	status := C.bare_loop((*C.vf_session)(session), floats(audio), C.size_t(len(audio)), floats(activity),
		C.size_t(len(activity)), floats(embedding), C.size_t(len(embedding)), C.size_t(runs),
		unsafe.SliceData(took))
	if status != C.VF_OK {
		return nil, fmt.Errorf("vf_session_infer: %s", C.GoString(C.vf_status_str(status)))
	}
	durations := make([]time.Duration, runs)
	for i := range durations {
		durations[i] = time.Duration(took[i])
	}
	return durations, nil
}

func floats(values []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(values))) }
