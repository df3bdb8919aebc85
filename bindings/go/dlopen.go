//go:build dlopen

package voiceflow

// #cgo CFLAGS: -I${SRCDIR}/include
// #cgo LDFLAGS: -ldl
// #include "shim.h"
// const char *vfgo_missing(void);
import "C"

// missing says why there is no library, and nothing where there is one.
func missing() string { return C.GoString(C.vfgo_missing()) }
