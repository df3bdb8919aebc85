package voiceflow

// #include "shim.h"
import "C"

import (
	"sync"
	"unsafe"
)

// ModelVersion is a version of the model of a [Diarizer] or [Session] that is current or still in
// use.
type ModelVersion struct {
	// Number is 1 for the one that was created, one more for each reload.
	Number uint64
	// Name and Version of the model, and the SHA256 of its file.
	Name, Version, SHA256 string
	// Current says that new calls and streams use it.
	Current bool
	// Calls under way on it, those of streams aside, and Streams that work with it.
	Calls, Streams int
}

// The layout of vf_model_version, which never changes.
var (
	_ [288]byte = [unsafe.Sizeof(C.vf_model_version{})]byte{}
	_ [32]byte  = [unsafe.Offsetof(C.vf_model_version{}.sha256)]byte{}
	_ [104]byte = [unsafe.Offsetof(C.vf_model_version{}.name)]byte{}
	_ [232]byte = [unsafe.Offsetof(C.vf_model_version{}.version)]byte{}
)

// versions asks until the room is enough: their number can change between two calls.
func versions(ask func(out *C.vf_model_version, cap C.size_t, n *C.size_t) error) ([]ModelVersion, error) {
	room := 1
	for {
		found := make([]C.vf_model_version, room)
		var n C.size_t
		err := ask(&found[0], C.size_t(room), &n)
		if int(n) > room {
			room = int(n)
			continue
		}
		if err != nil {
			return nil, err
		}
		all := make([]ModelVersion, 0, int(n))
		for i := range found[:int(n)] {
			one := &found[i]
			all = append(all, ModelVersion{
				Number:  uint64(one.number),
				Name:    C.GoString(&one.name[0]),
				Version: C.GoString(&one.version[0]),
				SHA256:  C.GoString(&one.sha256[0]),
				Current: one.flags&C.VF_MODEL_VERSION_CURRENT != 0,
				Calls:   int(one.calls),
				Streams: int(one.streams),
			})
		}
		return all, nil
	}
}

// liveInfo is what is known of the current model, also once the handle is closed.
type liveInfo struct {
	mutex sync.Mutex
	known ModelInfo
}

func (l *liveInfo) get() ModelInfo {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.known
}

// refresh asks under the lock: of two reloads the later one is what stays.
func (l *liveInfo) refresh(ask func() (ModelInfo, error)) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	info, err := ask()
	if err == nil {
		l.known = info
	}
	return err
}
