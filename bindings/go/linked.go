//go:build !dlopen

package voiceflow

// #cgo pkg-config: voiceflow
import "C"

// missing says nothing: a program that is linked with the library does not start without it.
func missing() string { return "" }
