// Package voiceflow says who spoke when: speaker diarization of recordings and of live audio, by
// the C library libvoiceflow inside the process.
//
//	diarizer, err := voiceflow.NewDiarizer(ctx)
//	…
//	result, err := diarizer.ProcessFile(ctx, "meeting.flac")
//	…
//	for segment := range result.Segments() {
//		start, end := segment.Start.Seconds(), segment.End.Seconds()
//		fmt.Printf("%.2f %.2f %s\n", start, end, result.Label(segment.Speaker))
//	}
//
// # Building
//
// cgo finds the library by pkg-config under the name voiceflow. Where it is not installed in a
// place of the system, set PKG_CONFIG_PATH for the build, and for the program LD_LIBRARY_PATH or,
// when it is built, an rpath: CGO_LDFLAGS="-Wl,-rpath,/opt/voiceflow/lib".
//
// With the tag dlopen nothing has to be installed for the build: the program opens
// libvoiceflow.so.1 when it starts, the file that VOICEFLOW_LIBRARY names, else one beside the
// program, in lib beside it or beside its folder, else the system's.
//
// # Goroutines
//
// All types may be used by any goroutines at once, except [Writer] and [Inference]. Calls block a
// thread of the system while they work.
//
// # Contexts
//
// Every call that can take long has a context. A context that is done ends its calls soon, and no
// others, also while they load a model, wait for another call or wait for a reader. The error then
// is [ErrCancelled] or, where its deadline has passed, [ErrDeadline]; it is the error of the
// context ([context.Canceled] or [context.DeadlineExceeded]) and its cause ([context.Cause]), too,
// all of them for [errors.Is].
//
// # Options
//
// An [Option] is a setting of what is made; a [CallOption] is a condition of one call. Some are
// both: given to [NewDiarizer], [WithNumSpeakers] counts for every recording; given to
// [Diarizer.ProcessFile], for this one.
//
// # Units
//
// A time is a [time.Duration] everywhere, to the nanosecond; its method Seconds gives what RTTM
// writes. Audio is counted in samples, and sample rates are in hertz.
//
// # Closing
//
// Close frees what a value holds in C memory; it may be called more than once and at any time:
// calls under way end as they would have, and the last one frees. Later calls answer [ErrClosed]. A
// value that is dropped without Close is freed by the garbage collector some time later. No value
// needs another to stay open.
//
// Calls of a nil pointer or a zero value answer [ErrInvalidArgument]; those that give no error tell
// nothing, and Close does nothing.
//
// # Callbacks
//
// Progress functions and the handler of the logger must not call this package, whose functions then
// answer [ErrInvalidArgument] or wait for ever, and must not end their goroutine (runtime.Goexit,
// testing.T.FailNow). They may panic: the call is cancelled where it can be, and panics with the
// same value once the library has returned. Where the handler of the logger panics on a thread of
// the library's own, or while something is closed, there is no call to panic: the program ends, as
// by any panic in a goroutine.
//
// # Debugging
//
// Built with the tag voiceflow_gc, the package runs the garbage collector before and after each
// call of the library.
package voiceflow
