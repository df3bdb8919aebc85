//go:build voiceflow_gc

package voiceflow

import "runtime"

// collectGarbage brings to light what is freed or moved while the library still needs it.
func collectGarbage() { runtime.GC() }
