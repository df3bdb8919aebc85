// Package voiceflow says who spoke when: speaker diarization of recordings and of live audio, by the C
// library libvoiceflow inside the process.
//
//	diarizer, err := voiceflow.NewDiarizer()
//	…
//	result, err := diarizer.ProcessFile(ctx, "meeting.flac")
//	…
//	for segment := range result.Segments() {
//		fmt.Printf("%.2f %.2f %s\n", segment.Start, segment.End, result.Label(segment.Speaker))
//	}
//
// # Building
//
// cgo finds the library by pkg-config under the name voiceflow. Where it is not installed in a place of the
// system, set PKG_CONFIG_PATH for the build and LD_LIBRARY_PATH for the program.
//
// # Goroutines
//
// All types may be used by any goroutines at once, except [Writer] and [Inference]. Calls block a thread of
// the system while they work.
//
// # Contexts
//
// A context that is done ends its call soon, and no other one. The error then is [ErrCancelled], the context's
// ([context.Canceled] or [context.DeadlineExceeded]) and its cause ([context.Cause]) at once, for [errors.Is].
//
// # Closing
//
// Close frees what a value holds in C memory; it may be called more than once and at any time: calls under
// way end as they would have, and the last one frees. Later calls answer [ErrClosed]. A value that is dropped
// without Close is freed by the garbage collector some time later. No value needs another to stay open.
//
// # Callbacks
//
// Progress functions and the handler of the logger must not call this package, whose functions then answer
// [ErrInvalidArgument] or wait for ever, and must not end their goroutine (runtime.Goexit,
// testing.T.FailNow). They may panic: the call is cancelled where it can be, and panics with the same value
// once the library has returned. Where the handler of the logger panics on a thread of the library's own, or
// while something is closed, there is no call to panic: the program ends, as by any panic in a goroutine.
//
// # Debugging
//
// Built with the tag voiceflow_gc, the package runs the garbage collector before and after each call of the
// library.
package voiceflow
