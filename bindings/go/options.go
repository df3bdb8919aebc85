package voiceflow

// #include "shim.h"
import "C"

import (
	"strings"
	"time"
	"unsafe"
)

// Option is a setting of [NewDiarizer], [NewSession] or [Diarizer.NewStream], made by one of the
// With functions. A value out of range is an error of that function, [ErrInvalidArgument], and so
// is an option that it has no use for. Of one option given twice the last counts.
type Option interface {
	option() constructorOption
}

// constructorOption is an Option: what it sets, or what it asks of the load itself.
type constructorOption struct {
	name   string
	usedBy user
	set    setter
	load   condition
}

func (o constructorOption) option() constructorOption { return o }

type setter func(*C.vf_options) error

func (s setter) of(name string, usedBy user) Option {
	return constructorOption{name: name, usedBy: usedBy, set: s}
}

// user is the functions that options are for, one bit for each.
type user int

const (
	forDiarizer user = 1 << iota
	forSession
	forStream
)

// String gives the names of the functions.
func (u user) String() string {
	var names []string
	for bit, name := range []string{"NewDiarizer", "NewSession", "NewStream"} {
		if u&(1<<bit) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " or ")
}

// Provider is a kind of hardware that runs the network.
type Provider int

// Providers.
const (
	// ProviderAuto: the fastest that is available, CUDA, else the CPU.
	ProviderAuto Provider = C.VF_PROVIDER_AUTO
	// ProviderCPU: the processor.
	ProviderCPU Provider = C.VF_PROVIDER_CPU
	// ProviderCUDA: an NVIDIA GPU through CUDA.
	ProviderCUDA Provider = C.VF_PROVIDER_CUDA
	// ProviderTensorRT: an NVIDIA GPU through TensorRT.
	ProviderTensorRT Provider = C.VF_PROVIDER_TENSORRT
)

// ProviderPolicy is what happens where the provider asked for is not available.
type ProviderPolicy int

// Policies.
const (
	// ProviderPreferred: the CPU is used, with a warning in the log.
	ProviderPreferred ProviderPolicy = C.VF_PROVIDER_PREFERRED
	// ProviderRequired: the constructor fails with ErrProvider.
	ProviderRequired ProviderPolicy = C.VF_PROVIDER_REQUIRED
)

// withOptions hands the options of one function to use, NULL where there are none, with the
// conditions of the load.
func withOptions(function user, options []Option, use func(*C.vf_options, conditions) error) error {
	if abi != nil {
		return abi
	}
	var load conditions
	if len(options) == 0 {
		return use(nil, load)
	}
	var set *C.vf_options
	if err := call(func() C.vfgo_answer { return C.go_vf_options_create(&set) }); err != nil {
		return err
	}
	defer C.vf_options_destroy(set)
	for i, option := range options {
		if option == nil {
			return invalid("options: expected one made by this package at index %d, got nil", i)
		}
		made := option.option()
		if made.usedBy&function == 0 {
			return invalid("%s: expected an option of %v, got one of %v", made.name, function, made.usedBy)
		}
		if made.set != nil {
			if err := made.set(set); err != nil {
				return err
			}
		}
		if made.load != nil {
			if err := made.load(&load); err != nil {
				return err
			}
		}
	}
	return use(set, load)
}

// WithModelPath takes the model from an ONNX file. Default: the model in the library.
func WithModelPath(path string) Option {
	return textSetter("path", path, func(o *C.vf_options, path *C.char) C.vfgo_answer {
		return C.go_vf_options_set_model_path(o, path)
	}).of("WithModelPath", forDiarizer|forSession)
}

// WithModelMemory takes the model from the bytes of an ONNX file, 1 to 2,147,483,647 of them.
// Default: the model in the library.
func WithModelMemory(data []byte) Option {
	return bytesSetter(data, func(o *C.vf_options, data *C.uint8_t, size C.size_t) C.vfgo_answer {
		return C.go_vf_options_set_model_memory(o, data, size)
	}).of("WithModelMemory", forDiarizer|forSession)
}

// WithRuntimeLibrary loads ONNX Runtime from this file. The first session of the process decides; a
// later, different file is refused. Default: VOICEFLOW_ORT_LIBRARY, then ORT_DYLIB_PATH from the
// environment, the folder of the library, the system's loader.
func WithRuntimeLibrary(path string) Option {
	return textSetter("path", path, func(o *C.vf_options, path *C.char) C.vfgo_answer {
		return C.go_vf_options_set_runtime_library(o, path)
	}).of("WithRuntimeLibrary", forDiarizer|forSession)
}

// WithTelemetry says whether ONNX Runtime may use its telemetry, which writes below the home folder
// and sends data to Microsoft. The first session of the process decides; a later one that asks for
// the other is refused. Default false: it is switched off.
func WithTelemetry(allowed bool) Option {
	return setter(func(o *C.vf_options) error {
		var telemetry C.int32_t
		if allowed {
			telemetry = 1
		}
		return call(func() C.vfgo_answer { return C.go_vf_options_set_telemetry(o, telemetry) })
	}).of("WithTelemetry", forDiarizer|forSession)
}

// WithProvider chooses the hardware that runs the network. Default: ProviderAuto,
// ProviderPreferred.
func WithProvider(provider Provider, policy ProviderPolicy) Option {
	return setter(func(o *C.vf_options) error {
		number, err := number32("provider", int(provider))
		if err != nil {
			return err
		}
		how, err := number32("policy", int(policy))
		if err != nil {
			return err
		}
		return call(func() C.vfgo_answer { return C.go_vf_options_set_provider(o, number, how) })
	}).of("WithProvider", forDiarizer|forSession)
}

// WithDeviceID chooses the GPU by its number, 0 to 63. Default 0.
func WithDeviceID(id int) Option {
	return numberSetter("device_id", id, func(o *C.vf_options, id C.int32_t) C.vfgo_answer {
		return C.go_vf_options_set_device_id(o, id)
	}).of("WithDeviceID", forDiarizer|forSession)
}

// WithDeviceMemoryLimit sets the most memory in bytes that ONNX Runtime takes on a GPU for one run
// slot, 1 MiB to 1 TiB. Without effect on the CPU. Default 0: no limit.
func WithDeviceMemoryLimit(bytes uint64) Option {
	return setter(func(o *C.vf_options) error {
		return call(func() C.vfgo_answer { return C.go_vf_options_set_device_memory_limit(o, C.uint64_t(bytes)) })
	}).of("WithDeviceMemoryLimit", forDiarizer|forSession)
}

// WithCacheFolder keeps models in a folder as ONNX Runtime has optimised them for this processor,
// so that they load faster the next time. The folder is made where it does not exist, and may be
// shared by any number of processes. Whoever can write to it decides what runs. Default: none, and
// nothing is written.
func WithCacheFolder(folder string) Option {
	return textSetter("folder", folder, func(o *C.vf_options, folder *C.char) C.vfgo_answer {
		return C.go_vf_options_set_cache_folder(o, folder)
	}).of("WithCacheFolder", forDiarizer|forSession)
}

// WithThreads sets the number of threads that work for one call, 0 to 256: inside one run of the
// network in a session, on runs side by side in a diarizer. Default 0: one for each physical core.
func WithThreads(threads int) Option {
	return sizeSetter("threads", threads, func(o *C.vf_options, threads C.size_t) C.vfgo_answer {
		return C.go_vf_options_set_threads(o, threads)
	}).of("WithThreads", forDiarizer|forSession)
}

// WithSlots sets how many runs of the network may be under way at once in one session, 1 to 64;
// further calls wait. Each takes memory of its own. Default 1. A diarizer has one for each of its
// threads instead.
func WithSlots(slots int) Option {
	return sizeSetter("slots", slots, func(o *C.vf_options, slots C.size_t) C.vfgo_answer {
		return C.go_vf_options_set_slots(o, slots)
	}).of("WithSlots", forSession)
}

// WithBatch sets how many windows a diarizer gives the network at once, at most: 1 to 1,024.
// Default 8.
func WithBatch(batch int) Option {
	return sizeSetter("batch", batch, func(o *C.vf_options, batch C.size_t) C.vfgo_answer {
		return C.go_vf_options_set_batch(o, batch)
	}).of("WithBatch", forDiarizer)
}

// WithHop sets the time from the start of one window to the next: 0.1 s to 60 s, and at most the
// model's window. Default: stored in the model; 1.75 s for two public models.
func WithHop(hop time.Duration) Option {
	return secondsSetter(hop, func(o *C.vf_options, s C.double) C.vfgo_answer {
		return C.go_vf_options_set_hop_s(o, s)
	}).of("WithHop", forDiarizer)
}

// WithMinSpeech drops segments that are shorter than this, 0 to 60 s. Default: stored in the model,
// 0.2 s in fast-cnn and accurate; 0 for two public models.
func WithMinSpeech(least time.Duration) Option {
	return secondsSetter(least, func(o *C.vf_options, s C.double) C.vfgo_answer {
		return C.go_vf_options_set_min_speech_s(o, s)
	}).of("WithMinSpeech", forDiarizer|forStream)
}

// WithMinSilence fills pauses of one speaker that are shorter than this, 0 to 60 s. Default 0:
// none.
func WithMinSilence(least time.Duration) Option {
	return secondsSetter(least, func(o *C.vf_options, s C.double) C.vfgo_answer {
		return C.go_vf_options_set_min_silence_s(o, s)
	}).of("WithMinSilence", forDiarizer|forStream)
}

// WithLatency sets the longest delay until what a stream says of a moment becomes final: 0.5 s to 5
// s, the longer, the fewer mistakes. Default 1 s.
func WithLatency(latency time.Duration) Option {
	return secondsSetter(latency, func(o *C.vf_options, s C.double) C.vfgo_answer {
		return C.go_vf_options_set_latency_s(o, s)
	}).of("WithLatency", forStream)
}

// WithHistory sets how much of a stream is in the result of [Stream.Finish]: 0 to 24 h. An hour
// takes some 14 MB. With 0 the stream does a third less work, and the result is empty. Default 2 h,
// the last ones.
func WithHistory(history time.Duration) Option {
	return secondsSetter(history, func(o *C.vf_options, s C.double) C.vfgo_answer {
		return C.go_vf_options_set_history_s(o, s)
	}).of("WithHistory", forStream)
}

// WithFollowReloads says whether a stream goes over to the versions that [Diarizer.Reload] puts in
// the place of its own; its speakers keep their numbers. To a version of another voice space they
// are known by their newest speech, of which it keeps 8 s each in memory. Default false: it stays
// with the one that it began with.
func WithFollowReloads(follow bool) Option {
	return setter(func(o *C.vf_options) error {
		var number C.int32_t
		if follow {
			number = 1
		}
		return call(func() C.vfgo_answer { return C.go_vf_options_set_follow_reloads(o, number) })
	}).of("WithFollowReloads", forStream)
}

func textSetter(what, text string, set func(*C.vf_options, *C.char) C.vfgo_answer) setter {
	return func(o *C.vf_options) error {
		return withText(what, text, func(text *C.char) error {
			return call(func() C.vfgo_answer { return set(o, text) })
		})
	}
}

func bytesSetter(data []byte, set func(*C.vf_options, *C.uint8_t, C.size_t) C.vfgo_answer) setter {
	return func(o *C.vf_options) error {
		return call(func() C.vfgo_answer {
			return set(o, (*C.uint8_t)(unsafe.SliceData(data)), C.size_t(len(data)))
		})
	}
}

func sizeSetter(what string, value int, set func(*C.vf_options, C.size_t) C.vfgo_answer) setter {
	return func(o *C.vf_options) error {
		value, err := size(what, value)
		if err != nil {
			return err
		}
		return call(func() C.vfgo_answer { return set(o, value) })
	}
}

func numberSetter(what string, value int, set func(*C.vf_options, C.int32_t) C.vfgo_answer) setter {
	return func(o *C.vf_options) error {
		value, err := number32(what, value)
		if err != nil {
			return err
		}
		return call(func() C.vfgo_answer { return set(o, value) })
	}
}

func secondsSetter(value time.Duration, set func(*C.vf_options, C.double) C.vfgo_answer) setter {
	return func(o *C.vf_options) error {
		return call(func() C.vfgo_answer { return set(o, C.double(value.Seconds())) })
	}
}
