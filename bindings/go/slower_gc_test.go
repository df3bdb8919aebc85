//go:build voiceflow_gc

package voiceflow

const slower = 20
