//go:build !voiceflow_gc

package voiceflow

// How many times fewer rounds long tests make.
const slower = 1
