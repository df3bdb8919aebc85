package voiceflow

// #include "shim.h"
import "C"

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// LevelTrace is the level of the library's most detailed records.
const LevelTrace = slog.LevelDebug - 4

// levels by vf_log_level.
var levels = [...]slog.Level{
	C.VF_LOG_ERROR: slog.LevelError,
	C.VF_LOG_WARN:  slog.LevelWarn,
	C.VF_LOG_INFO:  slog.LevelInfo,
	C.VF_LOG_DEBUG: slog.LevelDebug,
	C.VF_LOG_TRACE: LevelTrace,
}

var (
	// Held while the library is told of another logger.
	setting sync.Mutex
	logger  atomic.Pointer[slog.Logger]
)

// SetLogger sends the library's log records to a logger, in the place of an earlier one; nil sends
// them nowhere, as it is at first. They have the attribute target, the part of the library that
// speaks. Which levels are made at all is asked of the logger here, once: call it again when its
// least level changes.
//
// The handler is called from several threads at once. It must not call this package. A record of
// its own that it causes in the library is dropped. For its panics see the package.
func SetLogger(to *slog.Logger) error {
	if abi != nil {
		return abi
	}
	var on, level C.int
	for number := C.int(C.VF_LOG_ERROR); to != nil && number <= C.VF_LOG_TRACE; number++ {
		if to.Enabled(context.Background(), levels[number]) {
			on, level = 1, number
		}
	}
	setting.Lock()
	defer setting.Unlock()
	if err := call(func() C.vfgo_answer { return C.go_vf_set_log_callback(on, level) }); err != nil {
		return err
	}
	logger.Store(to)
	return nil
}

// strayPanic is a panic of the handler on a thread from which no call takes it along.
type strayPanic struct {
	value any
	stack []byte
}

func (p strayPanic) Error() string {
	return fmt.Sprintf("panic of the log handler outside a call: %v\n%s", p.value, p.stack)
}

// catchLog is catch where there is a call to take the panic along. Elsewhere it ends the program,
// as any panic does: in a goroutine of its own, since nothing may unwind the frames of C.
func catchLog(fault *C.uintptr_t) {
	value := recover()
	switch {
	case value == nil:
	case C.vfgo_inside() != 0:
		*fault = keptFault(value)
	default:
		stray := strayPanic{value, debug.Stack()}
		go panic(stray)
	}
}

//export goLog
func goLog(level C.int32_t, target, message *C.char) (fault C.uintptr_t) {
	defer catchLog(&fault)
	to := logger.Load()
	if to == nil {
		return 0
	}
	at := slog.LevelError
	if level >= 0 && int(level) < len(levels) {
		at = levels[level]
	}
	to.LogAttrs(context.Background(), at, C.GoString(message), slog.String("target", C.GoString(target)))
	return 0
}
