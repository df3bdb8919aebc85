//go:build !voiceflow_gc

package voiceflow

func collectGarbage() {}
