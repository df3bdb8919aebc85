// Prints who spoke when in a recording, by the C interface through cgo.
//
//	go run . meeting.wav
package main

// #cgo pkg-config: voiceflow
// #include <stdlib.h>
// #include <voiceflow.h>
import "C"

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"
)

// check turns a status into an error with the library's own words.
func check(status C.vf_status) error {
	if status == C.VF_OK {
		return nil
	}
	text := make([]C.char, C.vf_last_error(nil, 0)+1)
	C.vf_last_error(&text[0], C.size_t(len(text)))
	return errors.New(C.GoString(&text[0]))
}

// diarize returns the segments of a recording.
func diarize(path string) ([]C.vf_segment, error) {
	// The error text belongs to the thread of the call that failed.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	file := C.CString(path)
	defer C.free(unsafe.Pointer(file))
	var diarizer *C.vf_diarizer
	if err := check(C.vf_diarizer_create(nil, &diarizer)); err != nil {
		return nil, err
	}
	defer C.vf_diarizer_destroy(diarizer)
	var result *C.vf_diarization
	if err := check(C.vf_diarizer_process_file(diarizer, file, nil, nil, &result)); err != nil {
		return nil, err
	}
	defer C.vf_diarization_destroy(result)
	var count C.size_t
	if err := check(C.vf_diarization_segment_count(result, &count)); err != nil || count == 0 {
		return nil, err
	}
	segments := make([]C.vf_segment, count)
	return segments, check(C.vf_diarization_segments(result, &segments[0], count, &count))
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: diarize AUDIO")
		os.Exit(2)
	}
	segments, err := diarize(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, segment := range segments {
		fmt.Printf("%8.2f %8.2f  speaker %d\n", segment.start_s, segment.end_s, segment.speaker)
	}
}
