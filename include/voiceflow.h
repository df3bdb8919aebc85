/*
 * libvoiceflow: who spoke when, inside your process.
 *
 *     vf_diarizer *diarizer = NULL;
 *     vf_diarization *result = NULL;
 *     if (vf_diarizer_create(NULL, NULL, &diarizer) == VF_OK &&
 *         vf_diarizer_process_file(diarizer, "meeting.wav", NULL, &result) == VF_OK) {
 *         ... vf_diarization_segments(result, ...) ...
 *     }
 *     vf_diarization_destroy(result);
 *     vf_diarizer_destroy(diarizer);
 *
 * Errors. A function that can fail returns a vf_status: VF_OK (0) or a negative VF_E_ number.
 * vf_last_error gives the text of the last failure on the calling thread. No call prints, exits or
 * aborts, but for what is said under Memory. After VF_E_PANIC, a fault inside the library, the
 * handles of that call answer VF_E_POISONED until they are destroyed.
 *
 * Memory. What a file or a caller sizes is asked for before it is used, and a call for which there
 * is none fails with VF_E_LIMIT (where it stands in the JSON of a model or a gallery: VF_E_MODEL,
 * VF_E_GALLERY): samples, decoded blocks, windows, voices, distances, segments, texts, galleries,
 * copies of models. The next call works, but for a push of samples: see vf_stream_push_f32. No
 * allocation of the library of 32 KiB or more aborts; what remains is not ours to refuse. Smaller
 * ones of the Rust language and its packages abort the process where they fail, with a line on the
 * standard error stream, and so does the copy of a model's metadata. Working memory of packages may
 * be larger: that of decoders up to 256 KiB, of the resampler where rates are odd, of clustering by
 * VBx where recordings are long. ONNX Runtime answers its own failures with an error (VF_E_MODEL
 * while a model is loaded, VF_E_RUNTIME while it runs), or ends the process with SIGABRT or
 * SIGSEGV. Of 354 single failures of any size, spread over all kinds of calls, 185 were answered or
 * not needed, 166 aborted and 3, all while models were loaded, were a SIGSEGV in ONNX Runtime (make
 * test-faults). A host that must outlive that calls the library in a process of its own.
 *
 * Handles. What a create or process function stores in its out parameter is the caller's to
 * destroy, once, while no call uses it. No handle needs another to live: destroy them in any order.
 * The out parameter is NULL on failure. Destroying NULL does nothing. A handle of another type is
 * refused with VF_E_INVALID_ARGUMENT; so is, usually but not reliably, one already destroyed.
 *
 * Threads. Functions that take a const handle may be called on it from any threads at once; the
 * others change the handle, and want one thread at a time. Each function says which.
 *
 * Buffers are (T *out, size_t cap, size_t *n). *n becomes the number of elements that the whole
 * answer takes; the zero byte that ends a text counts. If cap is less, nothing is written to out
 * and the call returns VF_E_BUFFER_TOO_SMALL, so that cap 0 asks for the size. *n is 0 after
 * another failure. Two functions differ and say so: vf_stream_read hands over as many as fit,
 * vf_last_error cuts the text short.
 *
 * Pointers must not be NULL where their description does not allow it (VF_E_NULL). Texts are UTF-8
 * and end with a zero byte. Values are checked: 0 means 0, and no value stands for a default: to
 * get it, leave the option unset.
 *
 * Paths are the bytes of the system, as open(2) takes them, with a zero byte at their end: UTF-8 or
 * not. In error texts, what is no UTF-8 in them is replaced. On Windows, where paths are no bytes,
 * they are UTF-8, and the names of the functions with _w at their end are kept free for wide
 * characters.
 *
 * This file is made from the sources by cbindgen; do not edit it.
 */

#ifndef VOICEFLOW_H
#define VOICEFLOW_H

#include <stddef.h>
#include <stdint.h>

/**
 * Number of the binary interface that this header describes, the suffix of the SONAME. It changes
 * only when a program built against an older header would break.
 */
#define VF_ABI_VERSION 1

/**
 * Set in `vf_segment.flags` where another speaker talks during some part of the segment.
 */
#define VF_SEGMENT_OVERLAP 1

/**
 * Set in `vf_segment.flags` of a segment that never changes again: of the final ones of a stream,
 * and of all segments of a result.
 */
#define VF_SEGMENT_FINAL 2

/**
 * Set in `vf_model_version.flags` of the version that new calls and streams use.
 */
#define VF_MODEL_VERSION_CURRENT 1

/**
 * Severity of a log record.
 */
typedef enum vf_log_level {
    /**
     * Something failed.
     */
    VF_LOG_ERROR = 1,
    /**
     * Something is not as asked for, such as a provider that is not available.
     */
    VF_LOG_WARN = 2,
    /**
     * What an operator wants to see once, such as the model loaded.
     */
    VF_LOG_INFO = 3,
    /**
     * For finding mistakes.
     */
    VF_LOG_DEBUG = 4,
    /**
     * Everything.
     */
    VF_LOG_TRACE = 5,
} vf_log_level;

/**
 * The kinds of hardware that run the network.
 */
typedef enum vf_provider {
    /**
     * CUDA where it is available, else the CPU; never TensorRT.
     */
    VF_PROVIDER_AUTO = 0,
    /**
     * The processor.
     */
    VF_PROVIDER_CPU = 1,
    /**
     * An NVIDIA GPU through CUDA.
     */
    VF_PROVIDER_CUDA = 2,
    /**
     * An NVIDIA GPU through TensorRT.
     */
    VF_PROVIDER_TENSORRT = 3,
} vf_provider;

/**
 * What happens where the provider asked for is not available.
 */
typedef enum vf_provider_policy {
    /**
     * The CPU is used, with a warning in the log.
     */
    VF_PROVIDER_PREFERRED = 0,
    /**
     * The create function fails with `VF_E_PROVIDER`. Has no meaning with `VF_PROVIDER_AUTO`.
     */
    VF_PROVIDER_REQUIRED = 1,
} vf_provider_policy;

/**
 * The toolkits that speaker embedding models come from.
 */
typedef enum vf_embedding_family {
    /**
     * What the file's metadata key `framework` says, else what its tensors show.
     */
    VF_EMBEDDING_FAMILY_AUTO = 0,
    /**
     * WeSpeaker: ResNet, ECAPA-TDNN, CAM++ and others.
     */
    VF_EMBEDDING_FAMILY_WESPEAKER = 1,
    /**
     * 3D-Speaker: CAM++, ERes2Net, ERes2NetV2.
     */
    VF_EMBEDDING_FAMILY_3D_SPEAKER = 2,
    /**
     * NVIDIA NeMo: TitaNet, SpeakerNet.
     */
    VF_EMBEDDING_FAMILY_NEMO = 3,
} vf_embedding_family;

/**
 * The recipes of the features that a speaker embedding model is given.
 */
typedef enum vf_frontend {
    /**
     * What the model was trained with.
     */
    VF_FRONTEND_TRAINED = 0,
    /**
     * What sherpa-onnx computes for the same file.
     */
    VF_FRONTEND_SHERPA = 1,
} vf_frontend;

/**
 * The ways of clustering voices into speakers.
 */
typedef enum vf_clustering {
    /**
     * What the model was tuned with.
     */
    VF_CLUSTERING_AUTO = 0,
    /**
     * Average linkage on cosine distance; two speakers of one window are joined only where the
     * model was tuned so, as accurate is.
     */
    VF_CLUSTERING_AVERAGE = 1,
    /**
     * Centroid linkage with a minimum cluster size, as in pyannote.audio 3.1.
     */
    VF_CLUSTERING_CENTROID = 2,
    /**
     * Variational Bayes on PLDA-transformed voices, as in pyannote's community-1. Needs
     * `vf_options_set_plda`, unless the model brings a PLDA of its own, as fast-cnn does.
     */
    VF_CLUSTERING_VBX = 3,
} vf_clustering;

/**
 * The stages that a progress callback gets.
 */
typedef enum vf_stage {
    /**
     * Waiting for a free run slot, or for another call of a stream.
     */
    VF_STAGE_WAITING = 0,
    /**
     * Decoding, resampling and running the network over the windows.
     */
    VF_STAGE_ANALYSIS = 1,
    /**
     * Clustering the voices of all windows.
     */
    VF_STAGE_CLUSTERING = 2,
    /**
     * Putting the windows together into segments.
     */
    VF_STAGE_RECONSTRUCTION = 3,
    /**
     * Loading a model.
     */
    VF_STAGE_LOADING = 4,
} vf_stage;

/**
 * What is asked for by a `vf_call`. Numbers of speakers take the place of those of the options.
 */
typedef enum vf_call_flag {
    /**
     * The call has the deadline `deadline_ms`.
     */
    VF_CALL_DEADLINE = 1,
    /**
     * The result has exactly `num_speakers` speakers. Not with either of the two below.
     */
    VF_CALL_NUM_SPEAKERS = 2,
    /**
     * The result has at least `min_speakers` speakers.
     */
    VF_CALL_MIN_SPEAKERS = 4,
    /**
     * The result has at most `max_speakers` speakers.
     */
    VF_CALL_MAX_SPEAKERS = 8,
    /**
     * No two segments of the result overlap: where several speakers talk, the one who is the most
     * active has the time.
     */
    VF_CALL_EXCLUSIVE = 16,
    /**
     * Of several channels, `channel` alone is used, not their mean.
     */
    VF_CALL_CHANNEL = 32,
    /**
     * Each channel is diarized by itself, for recordings with a party on each: no two have a
     * speaker in common, labels are "CH1_SPEAKER_00", "CH2_SPEAKER_00", and so on, and what leaks
     * from one channel into another is dropped. Not with VF_CALL_CHANNEL.
     */
    VF_CALL_SEPARATE_CHANNELS = 64,
    /**
     * Of several audio tracks, `track` is used, not the one that has the speech.
     */
    VF_CALL_TRACK = 128,
    /**
     * Each audio track is diarized by itself: no two have a speaker in common, and labels are
     * "TRACK1_SPEAKER_00", "TRACK2_SPEAKER_00", and so on. Not with VF_CALL_TRACK.
     */
    VF_CALL_ALL_TRACKS = 256,
} vf_call_flag;

/**
 * What a warning of a result is about. Later releases may add numbers.
 */
typedef enum vf_warning_code {
    /**
     * Bytes of the file that are no audio were skipped.
     */
    VF_WARNING_SKIPPED_BYTES = 1,
    /**
     * Audio that is damaged or missing was replaced by silence.
     */
    VF_WARNING_LOST_AUDIO = 2,
    /**
     * The file ends, or cannot be read on, before its audio does.
     */
    VF_WARNING_ENDS_EARLY = 3,
    /**
     * Two channels are each other's inverse, so that the first alone is used.
     */
    VF_WARNING_INVERTED_CHANNELS = 4,
    /**
     * One of several audio tracks was taken without being asked for; the text says which.
     */
    VF_WARNING_CHOSEN_TRACK = 5,
    /**
     * An audio track cannot be decoded.
     */
    VF_WARNING_SKIPPED_TRACK = 6,
    /**
     * The container's edit list is not followed as it is; the text says in what.
     */
    VF_WARNING_UNFOLLOWED_EDIT = 7,
} vf_warning_code;

/**
 * The names of the status numbers.
 */
typedef enum vf_status_code {
    /**
     * Success.
     */
    VF_OK = 0,
    /**
     * A value is outside its documented range, a handle is of another type or already destroyed,
     * or the call came from inside a callback.
     */
    VF_E_INVALID_ARGUMENT = -1,
    /**
     * A pointer that must not be NULL is NULL.
     */
    VF_E_NULL = -2,
    /**
     * The buffer is too small: nothing was written to it, and `*n` is the capacity it needs.
     */
    VF_E_BUFFER_TOO_SMALL = -3,
    /**
     * A file does not exist.
     */
    VF_E_NOT_FOUND = -4,
    /**
     * The system refuses to read or write a file.
     */
    VF_E_IO = -5,
    /**
     * The input is no audio that can be decoded, or holds NaN or infinity.
     */
    VF_E_AUDIO = -6,
    /**
     * The model is not valid ONNX, or breaks the model contract.
     */
    VF_E_MODEL = -7,
    /**
     * No ONNX Runtime was found; the error text lists the places searched.
     */
    VF_E_RUNTIME_NOT_FOUND = -8,
    /**
     * The ONNX Runtime found is older than this library can use.
     */
    VF_E_RUNTIME_VERSION = -9,
    /**
     * ONNX Runtime failed.
     */
    VF_E_RUNTIME = -10,
    /**
     * A required execution provider is not available.
     */
    VF_E_PROVIDER = -11,
    /**
     * The switch of the call was set.
     */
    VF_E_CANCELLED = -12,
    /**
     * The deadline passed before the work was done.
     */
    VF_E_DEADLINE = -13,
    /**
     * The input exceeds a hard limit of the library, or there is no memory for what it asks for.
     */
    VF_E_LIMIT = -14,
    /**
     * A fault inside the library. The handles of this call are poisoned: destroy them.
     */
    VF_E_PANIC = -15,
    /**
     * The handle was in use during an earlier `VF_E_PANIC`. Destroy it.
     */
    VF_E_POISONED = -16,
    /**
     * An annotation file (RTTM, UEM) cannot be read.
     */
    VF_E_ANNOTATION = -17,
    /**
     * This process was forked after the model was loaded. Load it again in the child.
     */
    VF_E_FORKED = -18,
    /**
     * A file is no gallery or is damaged, or a gallery belongs to another model.
     */
    VF_E_GALLERY = -19,
    /**
     * The calling thread or the process is ending, and thread-local or static data that networks
     * need is gone: the call came from a destructor of a thread-local or static object, from an
     * atexit handler or the like. Every function that can return VF_E_FORKED can return it.
     */
    VF_E_ENDING = -20,
} vf_status_code;

/**
 * A switch by which any thread ends the calls that were given it.
 */
typedef struct vf_cancel vf_cancel;

/**
 * Who spoke when in one recording. It never changes, and needs nothing of the diarizer that made
 * it.
 */
typedef struct vf_diarization vf_diarization;

/**
 * A loaded model with its options, for any number of recordings, from any number of threads.
 */
typedef struct vf_diarizer vf_diarizer;

/**
 * Enrolled speakers with their names, for one voice space. A lock of its own guards it, so that
 * threads may enroll and identify at once; audio is worked on outside the lock.
 */
typedef struct vf_gallery vf_gallery;

/**
 * Options of a session or a diarizer, to be filled and handed to a create function, which copies
 * them.
 */
typedef struct vf_options vf_options;

/**
 * One loaded model: audio in, activity and embeddings out. Most programs want a `vf_diarizer`.
 */
typedef struct vf_session vf_session;

/**
 * One live audio source over a diarizer.
 */
typedef struct vf_stream vf_stream;

/**
 * The answer of every function that can fail: `VF_OK` or one of the negative `VF_E_` numbers of
 * `vf_status_code`. Numbers are never reused; treat an unknown negative number as a failure.
 */
typedef int32_t vf_status;

/**
 * Receives one log record.
 *
 * - `user_data`: as given with the callback.
 * - `level`: a number of `vf_log_level`.
 * - `target`: the part of the library that speaks, such as "voiceflow::model" or "onnxruntime".
 * - `message`: one message without a line end. Both texts are UTF-8, and gone when the callback
 *   returns.
 *
 * Called on whatever thread has something to say, on several at once, with no lock of the library
 * held. It must not throw, and must not call functions of this library other than `vf_last_error`,
 * `vf_status_str` and the versions: others fail with `VF_E_INVALID_ARGUMENT`, and a destroy does
 * nothing.
 */
typedef void (*vf_log_fn)(void *user_data, int32_t level, const char *target, const char *message);

/**
 * Gets how far a call is: at least every 50 ms while the call waits or networks run on other
 * threads for it, and between pieces of work otherwise. To end the call from here, set its switch
 * (`vf_cancel_set`).
 *
 * - `user_data`: as given with the callback.
 * - `stage`: a number of `vf_stage`; new ones may be added.
 * - `fraction`: how much of the stage is done, 0 to 1.
 *
 * Called on the thread that made the call, with no lock of the library held. It must not throw,
 * and must not call functions of this library other than `vf_cancel_set`, `vf_last_error`,
 * `vf_status_str` and the versions: others fail with `VF_E_INVALID_ARGUMENT`, and a destroy does
 * nothing.
 */
typedef void (*vf_progress_fn)(void *user_data, int32_t stage, float fraction);

/**
 * The conditions of one call that may take long. A call that is given NULL for them has none.
 *
 * Set it to zeros, and `size` to `sizeof(vf_call)`: `vf_call call = {.size = sizeof call};`. Zeros
 * ask for nothing, whatever fields later releases add at the end. A program built with a later
 * header may use an earlier library as long as the fields that the library does not know are
 * zeros; others are refused with VF_E_INVALID_ARGUMENT, and so are numbers that the call at hand
 * has no use for: those of speakers, and VF_CALL_EXCLUSIVE, are for the results of recordings and
 * of streams, and those of channels and tracks for recordings.
 */
typedef struct vf_call {
    /**
     * Size of this struct in bytes, set by the caller.
     */
    size_t size;
    /**
     * The switch that ends the call with VF_E_CANCELLED soon after it is set; NULL for none.
     */
    const struct vf_cancel *cancel;
    /**
     * Gets how far the call is, see `vf_progress_fn`; NULL for none.
     */
    vf_progress_fn progress;
    /**
     * Handed to `progress` as it is.
     */
    void *user_data;
    /**
     * What of the following is asked for: numbers of `vf_call_flag`, added; 0 for none. A number
     * whose flag is not set has to be 0.
     */
    uint64_t flags;
    /**
     * With VF_CALL_DEADLINE: milliseconds from the start of the call, 0 or more, after which it
     * ends with VF_E_DEADLINE.
     */
    uint64_t deadline_ms;
    /**
     * With VF_CALL_NUM_SPEAKERS: exactly so many speakers, 1 to 100.
     */
    uint64_t num_speakers;
    /**
     * With VF_CALL_MIN_SPEAKERS: at least so many speakers, 0 to 100.
     */
    uint64_t min_speakers;
    /**
     * With VF_CALL_MAX_SPEAKERS: at most so many speakers, 1 to 100.
     */
    uint64_t max_speakers;
    /**
     * With VF_CALL_CHANNEL: the channel that is used, 1 to 32; 1 is the left one, 2 the right one.
     */
    uint64_t channel;
    /**
     * With VF_CALL_TRACK: the audio track that is used, 1 to 32; tracks of other kinds do not
     * count.
     */
    uint64_t track;
} vf_call;

/**
 * Sizes of a model and where it runs. Set `size` to `sizeof(vf_model_info)` before the call; later
 * releases may add fields at the end. Fields that the library does not know are set to 0.
 */
typedef struct vf_model_info {
    /**
     * Size of this struct in bytes, set by the caller.
     */
    size_t size;
    /**
     * Samples in one window.
     */
    size_t window_samples;
    /**
     * Samples from the start of one window to the next, by default.
     */
    size_t hop_samples;
    /**
     * Samples from one frame of the activity to the next.
     */
    size_t frame_step_samples;
    /**
     * Samples from the start of a window to the middle of its first frame.
     */
    size_t frame_offset_samples;
    /**
     * Samples for each second of the input, in hertz.
     */
    uint32_t sample_rate;
    /**
     * Local speakers in one window.
     */
    uint32_t max_speakers;
    /**
     * Numbers in one embedding.
     */
    uint32_t embedding_dim;
    /**
     * The provider in use, a number of `vf_provider`, never VF_PROVIDER_AUTO.
     */
    int32_t provider;
} vf_model_info;

/**
 * A stretch of time in which one speaker talks. 32 bytes; this layout never changes.
 */
typedef struct vf_segment {
    /**
     * Start in seconds from the beginning of the recording.
     */
    double start_s;
    /**
     * End in seconds, greater than `start_s`, never past the end of the recording.
     */
    double end_s;
    /**
     * Number of the speaker, 0 to the speaker count less 1, of the result or of the stream, which
     * number their speakers apart (`vf_stream_final_speakers`).
     */
    int32_t speaker;
    /**
     * Mean probability, 0 to 1, that the speaker is talking.
     */
    float confidence;
    /**
     * `VF_SEGMENT_` bits; ignore bits that you do not know.
     */
    uint32_t flags;
    /**
     * Zero.
     */
    uint32_t reserved;
} vf_segment;

/**
 * Reads the next bytes of a source.
 *
 * - `user_data`: as given with the callback.
 * - `out`: room for `cap` bytes, at least 1.
 *
 * Returns the number of bytes read, 1 to `cap`; 0 at the end of the data; a negative number where
 * reading fails, with which the call fails as VF_E_IO.
 *
 * Called on the thread that made the call, as `vf_progress_fn` is and with the same rules. A read
 * that waits keeps the call: its switch and deadline are looked at between reads.
 */
typedef int64_t (*vf_read_fn)(void *user_data, uint8_t *out, size_t cap);

/**
 * Moves a source to `position`, in bytes from its beginning, 0 to its length. Returns 0, or
 * another number where that fails, with which the call fails as VF_E_IO. Called as `vf_read_fn`
 * is.
 */
typedef int32_t (*vf_seek_fn)(void *user_data, uint64_t position);

/**
 * Encoded audio that the host reads: the content of a file of any format that
 * `vf_diarizer_process_file` takes.
 *
 * Set it to zeros, and `size` to `sizeof(vf_source)`. Without `seek` the source is read to its end
 * before it is decoded: up to 32 MiB of it are kept in memory, more in a temporary file without a
 * name, of at most 32 GiB (VF_E_LIMIT), in the folder that TMPDIR names, else /tmp.
 */
typedef struct vf_source {
    /**
     * Size of this struct in bytes, set by the caller.
     */
    size_t size;
    /**
     * Reads from it; not NULL.
     */
    vf_read_fn read;
    /**
     * Moves it; NULL where it cannot be moved. It is moved to its beginning first.
     */
    vf_seek_fn seek;
    /**
     * With `seek`: all bytes of the source; else 0.
     */
    uint64_t length;
    /**
     * Handed to the callbacks as it is.
     */
    void *user_data;
} vf_source;

/**
 * A version of the model of a diarizer or session: the one that was created, or one that took its
 * place. 288 bytes; this layout never changes.
 */
typedef struct vf_model_version {
    /**
     * Number of the version: 1 for the one that was created, one more for each reload.
     */
    uint64_t number;
    /**
     * Calls under way on it, those of streams aside.
     */
    uint64_t calls;
    /**
     * Streams that work with it.
     */
    uint64_t streams;
    /**
     * `VF_MODEL_VERSION_` bits; ignore bits that you do not know.
     */
    uint32_t flags;
    /**
     * Zero.
     */
    uint32_t reserved;
    /**
     * SHA-256 as `vf_diarizer_model_sha256` gives it, with zeros at its end.
     */
    char sha256[72];
    /**
     * Name of the model with zeros at its end, of which 127 bytes are kept.
     */
    char name[128];
    /**
     * Version of the model with zeros at its end, of which 55 bytes are kept; empty for public
     * models, which have none.
     */
    char version[56];
} vf_model_version;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Gives the version of the library, such as "0.1.0".
 *
 * The text is static: never free it.
 *
 * Any thread, concurrently. Cannot fail; may be called from a callback.
 */
const char *vf_version(void);

/**
 * Gives the version of the library as a number that grows with it: major * 65536 + minor * 256 +
 * patch.
 *
 * Any thread, concurrently. Cannot fail; may be called from a callback.
 */
uint32_t vf_version_number(void);

/**
 * Gives the number of the library's binary interface; refuse to go on where it is not
 * `VF_ABI_VERSION`.
 *
 * Any thread, concurrently. Cannot fail; may be called from a callback.
 */
uint32_t vf_abi_version(void);

/**
 * Copies out what went wrong in the last call of this thread that returned a status; the text is
 * empty after `VF_OK`.
 *
 * - `buf`: receives UTF-8 text, cut at a character to fit, always ended by a zero byte; NULL to
 *   ask for the length.
 * - `cap`: size of `buf` in bytes; nothing is written when it is 0.
 *
 * Returns the length of the whole text in bytes without the ending zero byte. Functions that
 * return no status leave the text as it is.
 *
 * Any thread, concurrently: each thread has its own text. Cannot fail; may be called from a
 * callback.
 */
size_t vf_last_error(char *buf, size_t cap);

/**
 * Gives the meaning of a status number in a few words of English.
 *
 * - `status`: any number; "unknown status" for one that this version does not know.
 *
 * The text is static: never free it. `vf_last_error` says more about the failure at hand.
 *
 * Any thread, concurrently. Cannot fail; may be called from a callback.
 */
const char *vf_status_str(vf_status status);

/**
 * Makes a switch that is not set.
 *
 * - `out`: receives the switch, or NULL on failure. Destroy it with `vf_cancel_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC.
 */
vf_status vf_cancel_create(struct vf_cancel **out);

/**
 * Makes a switch that is set with another one, and can be set alone: for one call of several that
 * another switch ends together.
 *
 * - `parent`: the other switch; it may be destroyed before this one, which is then set alone.
 * - `out`: receives the switch, or NULL on failure. Destroy it with `vf_cancel_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_cancel_create_child(const struct vf_cancel *parent, struct vf_cancel **out);

/**
 * Destroys a switch.
 *
 * - `cancel`: the switch, not in use by any call; NULL does nothing.
 *
 * One thread at a time per handle. Cannot fail.
 */
void vf_cancel_destroy(struct vf_cancel *cancel);

/**
 * Sets a switch: calls with it end soon with VF_E_CANCELLED, later ones at once. It stays set.
 *
 * - `cancel`: the switch.
 *
 * Any thread, concurrently, also from inside a callback.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_cancel_set(const struct vf_cancel *cancel);

/**
 * Sends the library's log records to a callback, in the place of an earlier one. Without one they
 * go nowhere.
 *
 * - `callback`: see `vf_log_fn`; NULL to send nothing any more.
 * - `user_data`: handed to the callback as it is; may be NULL. The library does not own it.
 * - `min_level`: the least grave level to send, a number of `vf_log_level`; not looked at when
 *   `callback` is NULL.
 *
 * There is one callback in a process. A call of the earlier callback that is under way on another
 * thread may end after this returns: keep what `user_data` leads to until the library's other
 * calls have returned. Fails with VF_E_INVALID_ARGUMENT where the host is a Rust program that has
 * set its own logger, which then gets the records.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_INVALID_ARGUMENT, VF_E_PANIC.
 */
vf_status vf_set_log_callback(vf_log_fn callback, void *user_data, int32_t min_level);

/**
 * Creates options with every value at its default.
 *
 * - `out`: receives the options, or NULL on failure. Destroy them with `vf_options_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC.
 */
vf_status vf_options_create(struct vf_options **out);

/**
 * Destroys options. What was created with them keeps its own copy.
 *
 * - `options`: the options; NULL does nothing.
 *
 * One thread at a time per handle. Cannot fail.
 */
void vf_options_destroy(struct vf_options *options);

/**
 * Takes the model from an ONNX file, which is opened by the create function. Default: the model in
 * the library.
 *
 * - `options`: the options.
 * - `path`: path, at most 65,536 bytes; copied.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_model_path(struct vf_options *options, const char *path);

/**
 * Takes the model from the bytes of an ONNX file. Default: the models in the library.
 *
 * - `options`: the options.
 * - `data`: the bytes, copied.
 * - `size`: their number, 1 to 2,147,483,647.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_model_memory(struct vf_options *options, const uint8_t *data, size_t size);

/**
 * Chooses the hardware that runs the network. Default: VF_PROVIDER_AUTO, VF_PROVIDER_PREFERRED.
 *
 * - `options`: the options.
 * - `provider`: a number of `vf_provider`.
 * - `policy`: a number of `vf_provider_policy`.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_provider(struct vf_options *options, int32_t provider, int32_t policy);

/**
 * Chooses the GPU. Default 0.
 *
 * - `options`: the options.
 * - `device_id`: number of the GPU, 0 to 63.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_device_id(struct vf_options *options, int32_t device_id);

/**
 * Sets the most memory that ONNX Runtime takes on a GPU for one run slot: with CUDA the limit of
 * the arena, which holds weights and intermediate results, with TensorRT that of the workspace. A
 * network that does not fit is not loaded there, as where the provider is not available; a run
 * that needs more fails with VF_E_RUNTIME. Without effect on the CPU. Default 0: no limit.
 *
 * - `options`: the options.
 * - `bytes`: 0, or 1,048,576 (1 MiB) to 1,099,511,627,776 (1 TiB).
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_device_memory_limit(struct vf_options *options, uint64_t bytes);

/**
 * Sets the number of threads that work for one call: inside one run of the network in a session,
 * on runs side by side in a diarizer. Default 0: one for each physical core.
 *
 * - `options`: the options.
 * - `threads`: 0 to 256; a diarizer uses 64 at most.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_threads(struct vf_options *options, size_t threads);

/**
 * Sets how many runs of the network may be under way at once in one session; further calls wait.
 * Default 1. A diarizer has one for each of its threads instead.
 *
 * - `options`: the options.
 * - `slots`: 1 to 64; each takes memory of its own.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_slots(struct vf_options *options, size_t slots);

/**
 * Sets how many windows a diarizer gives the network at once, at most. Default 8.
 *
 * - `options`: the options.
 * - `batch`: 1 to 1,024.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_batch(struct vf_options *options, size_t batch);

/**
 * Loads ONNX Runtime from this file. The first session of the process decides; a later, different
 * file is refused when it is used. Default: the file that VOICEFLOW_ORT_LIBRARY, else
 * ORT_DYLIB_PATH names, and no other; without them the folder of this library or of the program,
 * `lib` beside either and `voiceflow` in each, the ONNX Runtime that the process has loaded, the
 * package `onnxruntime` of the active Python environment, the system's loader. In a process with
 * more rights than whoever started it (set-user-ID, set-group-ID, capabilities of a file) only the
 * folder of this library, what the process has loaded and the system's loader are left of these.
 *
 * - `options`: the options.
 * - `path`: path of libonnxruntime.so, at most 65,536 bytes; copied.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_runtime_library(struct vf_options *options, const char *path);

/**
 * Whether ONNX Runtime may use its telemetry. ONNX Runtime 1.29 and later write a number of this
 * device below the home folder and send data to Microsoft unless that is switched off before ONNX
 * Runtime starts. This library does so: for the moment in which it loads ONNX Runtime,
 * ORT_DISABLE_TELEMETRY is 1 in the environment of the process. The first session of the process
 * decides; a later one for which the other was set is refused with VF_E_INVALID_ARGUMENT when it
 * is created. An ONNX Runtime that the host itself has started before is as the host has started
 * it. Default: 0 for the session that loads ONNX Runtime, as it is for later ones.
 *
 * - `options`: the options.
 * - `telemetry`: 0 switches it off; 1 leaves it as ONNX Runtime has it, which is off where the
 *   environment has ORT_DISABLE_TELEMETRY=1 or names a system of continuous integration.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_telemetry(struct vf_options *options, int32_t telemetry);

/**
 * Keeps models in a folder as ONNX Runtime has optimised them for this processor, so that the next
 * session or diarizer is created faster. On the CPU each network has a file there,
 * `<key>.onnx.cache`, which is used by the same release of this library with the same ONNX Runtime
 * on the same kind of processor alone; TensorRT keeps its engines and timings there, CUDA nothing.
 * The create function makes the folder where it does not exist, and fails with
 * VF_E_INVALID_ARGUMENT where it cannot. A file that is damaged, of another model, or cannot be
 * written is named in the log and does no harm. Results are the same with and without. Any number
 * of threads and processes may share a folder. It is trusted as the model is: whoever can write to
 * it decides what runs. Default: none, and nothing is written.
 *
 * - `options`: the options.
 * - `folder`: path, at most 65,536 bytes; copied.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_cache_folder(struct vf_options *options, const char *folder);

/**
 * Takes a segmentation model from an ONNX file in the manner of pyannote's (segmentation-3.0,
 * Reverb v1), which a diarizer runs together with the embedding model in place of the joint model.
 * The create function opens it; a session cannot. Default: none.
 *
 * - `options`: the options.
 * - `path`: path, at most 65,536 bytes; copied.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_segmentation_model(struct vf_options *options, const char *path);

/**
 * Takes the segmentation model from the bytes of an ONNX file. Default: none.
 *
 * - `options`: the options.
 * - `data`: the bytes, copied.
 * - `size`: their number, 1 to 2,147,483,647.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_segmentation_model_memory(struct vf_options *options,
                                                   const uint8_t *data,
                                                   size_t size);

/**
 * Sets what one frame of a segmentation model sees, for a file that does not say. Default: the
 * file's metadata `receptive_field_size` and `receptive_field_shift`, else those of pyannote's
 * models.
 *
 * - `options`: the options.
 * - `size`: receptive field in samples, 1 to 160,000.
 * - `step`: samples from one frame to the next, 1 to `size`.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_segmentation_receptive_field(struct vf_options *options, size_t size, size_t step);

/**
 * Takes a speaker embedding model from an ONNX file of the WeSpeaker, 3D-Speaker or NeMo family,
 * which a diarizer runs together with the segmentation model. What `voiceflow import-model` left
 * beside the file is used. Default: none.
 *
 * - `options`: the options.
 * - `path`: path, at most 65,536 bytes; copied.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_embedding_model(struct vf_options *options, const char *path);

/**
 * Takes the speaker embedding model from the bytes of an ONNX file. Default: none.
 *
 * - `options`: the options.
 * - `data`: the bytes, copied.
 * - `size`: their number, 1 to 2,147,483,647.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_embedding_model_memory(struct vf_options *options, const uint8_t *data, size_t size);

/**
 * Sets the family of an embedding model that does not say. Default: VF_EMBEDDING_FAMILY_AUTO.
 *
 * - `options`: the options.
 * - `family`: a number of `vf_embedding_family`.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_embedding_family(struct vf_options *options, int32_t family);

/**
 * Chooses the features that the embedding model is given. Default: VF_FRONTEND_TRAINED.
 *
 * - `options`: the options.
 * - `frontend`: a number of `vf_frontend`.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_frontend(struct vf_options *options, int32_t frontend);

/**
 * Chooses how voices are clustered into speakers. Default: VF_CLUSTERING_AUTO.
 *
 * - `options`: the options.
 * - `method`: a number of `vf_clustering`.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_clustering_method(struct vf_options *options, int32_t method);

/**
 * Sets the fewest windows that a speaker of centroid clustering has; smaller clusters join the
 * nearest larger one. No more than a tenth of all windows is asked for. Default: as many as begin
 * in 12 s.
 *
 * - `options`: the options.
 * - `windows`: 1 to 1,000.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_min_cluster_size(struct vf_options *options, size_t windows);

/**
 * Sets the bundle that the models are taken from: "fast-cnn" or "accurate" as compiled into the
 * library; a folder with `model.onnx`, or with `segmentation.onnx` and `embedding.onnx`, and
 * `metadata.json`; or the name of such a folder in `$VOICEFLOW_MODELS`, in `.models` of the
 * working directory or of a folder above the library, or where packages install them: `models`
 * beside the library and `share/voiceflow/models` of its prefix, which alone are looked at in an
 * elevated process. Options that are not set are what the bundle was tuned to. The create function
 * reads it, and refuses another model beside it. Default: accurate for recordings where it is
 * compiled in, installed or in `$VOICEFLOW_MODELS`, and fast-cnn for the rest.
 *
 * - `options`: the options.
 * - `bundle`: path or name, at most 65,536 bytes; copied.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_bundle(struct vf_options *options, const char *bundle);

/**
 * Sets the folder with the PLDA for VF_CLUSTERING_VBX: `xvec_transform.npz` and `plda.npz`, as
 * pyannote's community-1 has them. The create function reads them. Default: none.
 *
 * - `options`: the options.
 * - `folder`: path, at most 65,536 bytes; copied.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_plda(struct vf_options *options, const char *folder);

/**
 * Sets the longest delay until what a stream says of a moment becomes final. Default 1.
 *
 * - `options`: the options.
 * - `latency_s`: seconds, 0.5 to 5; the longer, the fewer mistakes.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_latency_s(struct vf_options *options, double latency_s);

/**
 * Sets how much of a stream is in the result of `vf_stream_finish`. Default 7,200: the last two
 * hours.
 *
 * - `options`: the options.
 * - `history_s`: seconds, 0 to 86,400. An hour takes some 14 MB with fast-cnn, beside some 10 MB
 *   that the first ten minutes of a process's first stream take for good; 19 to 27 MB with a pair
 *   of public models whose voices are of 192 to 512 numbers. `vf_stream_finish` takes up to 72 MB
 *   more for its time, for distances between voices. With 0 the stream does a third less work, and
 *   the result is empty.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_history_s(struct vf_options *options, double history_s);

/**
 * Sets whether a stream goes over to the versions that `vf_diarizer_reload` puts in the place of
 * its diarizer's. Default 0: it stays with the one that it began with.
 *
 * - `options`: the options.
 * - `follow`: 1: it goes over between two windows, and its speakers keep their numbers. To a
 *   version of another voice space they are known by their newest speech, of which the stream
 *   keeps 8 s each in memory; embeddings have that version's size from then on. Where the new
 *   version cannot take the place of the old one, the stream goes on as it is, which is logged.
 *   `vf_stream_reset` begins with the current version. 0: it stays.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_follow_reloads(struct vf_options *options, int32_t follow);

/**
 * Loads a model and checks it.
 *
 * - `options`: the options, copied; NULL for the defaults. Those of diarizers and streams are
 *   refused.
 * - `call`: the conditions of the load, see `vf_call`; NULL for none. With a switch, a deadline or
 *   a progress callback the model is loaded on a thread of the library's, which the call leaves
 *   behind when it ends early: that thread ends as soon as it can, and what it made is dropped.
 * - `out`: receives the session, or NULL on failure. Destroy it with `vf_session_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_MODEL,
 * VF_E_RUNTIME_NOT_FOUND, VF_E_RUNTIME_VERSION, VF_E_RUNTIME, VF_E_PROVIDER, VF_E_CANCELLED,
 * VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
 */
vf_status vf_session_create(const struct vf_options *options,
                            const struct vf_call *call,
                            struct vf_session **out);

/**
 * Destroys a session.
 *
 * - `session`: the session, not in use by any call; NULL does nothing.
 *
 * One thread at a time per handle. Cannot fail.
 */
void vf_session_destroy(struct vf_session *session);

/**
 * Describes the session's model and the provider in use.
 *
 * - `session`: the session.
 * - `out`: receives the description; its field `size` is set by the caller.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_session_describe(const struct vf_session *session, struct vf_model_info *out);

/**
 * Gives the name of the session's model.
 *
 * - `session`: the session.
 * - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_session_model_name(const struct vf_session *session, char *out, size_t cap, size_t *n);

/**
 * Gives the version of the session's model, such as "0.1.0".
 *
 * - `session`: the session.
 * - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_session_model_version(const struct vf_session *session, char *out, size_t cap, size_t *n);

/**
 * Gives the SHA-256 of the session's model file: 64 lower-case hexadecimal digits.
 *
 * - `session`: the session.
 * - `out`: receives text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes; 65 is enough.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_session_model_sha256(const struct vf_session *session, char *out, size_t cap, size_t *n);

/**
 * Gives the number of frames that the network makes of a row of audio: one for each whole frame
 * step of the model. No network is run: the model contract says so, and a model that does
 * otherwise is refused when it is loaded.
 *
 * - `session`: the session.
 * - `samples`: samples in one row, at least one frame step of the model, at most 960,000 (60 s).
 * - `frames`: receives the number.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_session_frames(const struct vf_session *session, size_t samples, size_t *frames);

/**
 * Runs the network on a batch of audio. Waits while all run slots of the session are taken.
 *
 * - `session`: the session.
 * - `audio`: [batch, samples] values, row after row: mono, 16 kHz, -1 to 1, finite; not kept.
 * - `batch`: rows, 1 to 1,024.
 * - `samples`: samples in one row, at least one frame step of the model, at most 960,000 (60 s).
 * - `call`: the conditions of the call, see `vf_call`; NULL for none. Its progress callback is
 *   called while the call waits for a run slot. Being watched for a switch or a deadline costs a
 *   call some microseconds.
 * - `activity`: receives [batch, frames, max_speakers] probabilities, 0 to 1, that a local speaker
 *   speaks.
 * - `activity_cap`: room in `activity` in values. NULL is allowed for a buffer whose room is 0.
 * - `activity_n`: receives the values that all of the activity takes.
 * - `embedding`: receives [batch, max_speakers, embedding_dim] values: for each local speaker a
 *   voice of unit length, or zeros.
 * - `embedding_cap`: room in `embedding` in values.
 * - `embedding_n`: receives the values that all of the embeddings take.
 * - `frames`: receives the number of frames, which is that of `vf_session_frames`.
 *
 * If either buffer is too small, neither is written, all three numbers are stored, and no network
 * is run. On another failure the numbers are 0.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_AUDIO, VF_E_MODEL,
 * VF_E_RUNTIME, VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
 */
vf_status vf_session_infer(const struct vf_session *session,
                           const float *audio,
                           size_t batch,
                           size_t samples,
                           const struct vf_call *call,
                           float *activity,
                           size_t activity_cap,
                           size_t *activity_n,
                           float *embedding,
                           size_t embedding_cap,
                           size_t *embedding_n,
                           size_t *frames);

/**
 * Makes a result of its parts, such as one that was kept in a file or came from another process.
 * Labels are numbered anew, speaking times are those of the segments, and there are no warnings.
 *
 * - `duration_s`: length of the recording in seconds, 0 or more.
 * - `segments`: `n_segments` segments within the recording, by start, then end, then speaker; not
 *   kept. Of `flags`, `VF_SEGMENT_OVERLAP` counts; `reserved` is not read.
 * - `n_segments`: number of segments.
 * - `embeddings`: `[n_speakers, embedding_dim]` finite values, the speakers' voices; not kept.
 * - `n_speakers`: number of speakers, 0 to 100.
 * - `embedding_dim`: values of one voice, which are 0 where voices are not known.
 * - `out`: receives the result, to be destroyed by `vf_diarization_destroy`; NULL on failure.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC.
 */
vf_status vf_diarization_create(double duration_s,
                                const struct vf_segment *segments,
                                size_t n_segments,
                                const float *embeddings,
                                size_t n_speakers,
                                size_t embedding_dim,
                                struct vf_diarization **out);

/**
 * Destroys a result.
 *
 * - `diarization`: the result, not in use by any call; NULL does nothing.
 *
 * One thread at a time per handle. Cannot fail.
 */
void vf_diarization_destroy(struct vf_diarization *diarization);

/**
 * Gives the length of the recording.
 *
 * - `diarization`: the result.
 * - `duration_s`: receives seconds.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_diarization_duration(const struct vf_diarization *diarization, double *duration_s);

/**
 * Gives the number of segments.
 *
 * - `diarization`: the result.
 * - `n`: receives the number.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_diarization_segment_count(const struct vf_diarization *diarization, size_t *n);

/**
 * Copies out all segments, by start, then end, then speaker.
 *
 * - `diarization`: the result.
 * - `out`: receives the segments; NULL is allowed where `cap` is 0.
 * - `cap`: room in `out`, in segments.
 * - `n`: receives the number of all segments.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_diarization_segments(const struct vf_diarization *diarization,
                                  struct vf_segment *out,
                                  size_t cap,
                                  size_t *n);

/**
 * Gives the number of speakers.
 *
 * - `diarization`: the result.
 * - `n`: receives the number, at most 100, of each track and channel that was diarized by itself;
 *   0 for a recording without speech.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_diarization_speaker_count(const struct vf_diarization *diarization, size_t *n);

/**
 * Gives the label of a speaker: "SPEAKER_00", "SPEAKER_01", and so on, in the order of first
 * appearance. Tracks and channels that were diarized by themselves stand in front:
 * "CH1_SPEAKER_00".
 *
 * - `diarization`: the result.
 * - `speaker`: number of the speaker, 0 to the speaker count less 1.
 * - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_diarization_speaker_label(const struct vf_diarization *diarization,
                                       int32_t speaker,
                                       char *out,
                                       size_t cap,
                                       size_t *n);

/**
 * Gives a speaker's total speaking time.
 *
 * - `diarization`: the result.
 * - `speaker`: number of the speaker, 0 to the speaker count less 1.
 * - `speech_s`: receives seconds.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_diarization_speaker_speech(const struct vf_diarization *diarization,
                                        int32_t speaker,
                                        double *speech_s);

/**
 * Gives a speaker's voice embedding, a vector of unit length.
 *
 * - `diarization`: the result.
 * - `speaker`: number of the speaker, 0 to the speaker count less 1.
 * - `out`: receives the values; NULL is allowed where `cap` is 0.
 * - `cap`: room in `out`, in values.
 * - `n`: receives the number of values, the model's `embedding_dim`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_diarization_speaker_embedding(const struct vf_diarization *diarization,
                                           int32_t speaker,
                                           float *out,
                                           size_t cap,
                                           size_t *n);

/**
 * Writes the result as RTTM, one line for each segment.
 *
 * - `diarization`: the result.
 * - `recording`: name of the recording, UTF-8, at most 65,536 bytes; white space in it becomes
 *   "_".
 * - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_LIMIT, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_diarization_to_rttm(const struct vf_diarization *diarization,
                                 const char *recording,
                                 char *out,
                                 size_t cap,
                                 size_t *n);

/**
 * Writes the result as JSON: the recording, its speakers, and the segments. Times have three
 * decimals.
 *
 * - `diarization`: the result.
 * - `recording`: name of the recording, UTF-8, at most 65,536 bytes.
 * - `embeddings`: 1 for the speakers' voice embeddings too, which are biometric data; else 0.
 * - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_LIMIT, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_diarization_to_json(const struct vf_diarization *diarization,
                                 const char *recording,
                                 int32_t embeddings,
                                 char *out,
                                 size_t cap,
                                 size_t *n);

/**
 * Writes the result as SubRip subtitles, one cue with the speaker's label for each segment.
 *
 * - `diarization`: the result.
 * - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_LIMIT, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_diarization_to_srt(const struct vf_diarization *diarization, char *out, size_t cap, size_t *n);

/**
 * Writes the result as WebVTT subtitles, one cue for each segment, with the speaker's label as its
 * voice and its text.
 *
 * - `diarization`: the result.
 * - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_LIMIT, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_diarization_to_vtt(const struct vf_diarization *diarization, char *out, size_t cap, size_t *n);

/**
 * Loads the model and makes it ready.
 *
 * - `options`: the options, copied; NULL for the defaults. Run slots, which are of sessions, are
 *   refused.
 * - `call`: the conditions of the load, see `vf_call`; NULL for none. With a switch, a deadline or
 *   a progress callback the model is loaded on a thread of the library's, which the call leaves
 *   behind when it ends early: that thread ends as soon as it can, and what it made is dropped.
 * - `out`: receives the diarizer, or NULL on failure. Destroy it with `vf_diarizer_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_MODEL,
 * VF_E_RUNTIME_NOT_FOUND, VF_E_RUNTIME_VERSION, VF_E_RUNTIME, VF_E_PROVIDER, VF_E_CANCELLED,
 * VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
 */
vf_status vf_diarizer_create(const struct vf_options *options,
                             const struct vf_call *call,
                             struct vf_diarizer **out);

/**
 * Destroys a diarizer. Its results stay.
 *
 * - `diarizer`: the diarizer, not in use by any call; NULL does nothing.
 *
 * One thread at a time per handle. Cannot fail.
 */
void vf_diarizer_destroy(struct vf_diarizer *diarizer);

/**
 * Describes the diarizer's model and the provider in use.
 *
 * - `diarizer`: the diarizer.
 * - `out`: receives the description; its field `size` is set by the caller.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_diarizer_describe(const struct vf_diarizer *diarizer, struct vf_model_info *out);

/**
 * Gives the name of the diarizer's model; of two public models, the names of their files without
 * extension, joined by
 * " + ".
 *
 * - `diarizer`: the diarizer.
 * - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_diarizer_model_name(const struct vf_diarizer *diarizer, char *out, size_t cap, size_t *n);

/**
 * Gives the version of the diarizer's model; empty for two public models, which state none.
 *
 * - `diarizer`: the diarizer.
 * - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_diarizer_model_version(const struct vf_diarizer *diarizer, char *out, size_t cap, size_t *n);

/**
 * Gives the SHA-256 of the diarizer's model file: 64 lower-case hexadecimal digits. For two public
 * models it is that of the digits of the segmentation model followed by those of the embedding
 * model.
 *
 * - `diarizer`: the diarizer.
 * - `out`: receives text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes; 65 is enough.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_diarizer_model_sha256(const struct vf_diarizer *diarizer, char *out, size_t cap, size_t *n);

/**
 * Finds who spoke when in samples held in memory as floats.
 *
 * - `diarizer`: the diarizer.
 * - `samples`: [n_frames, channels] values, the channels of a frame side by side: -1 to 1, finite;
 *   not kept. NULL is allowed where `n_frames` is 0.
 * - `n_frames`: samples of each channel; 0 gives a result without segments.
 * - `sample_rate`: in hertz, 1,000 to 768,000.
 * - `channels`: 1 to 32; their mean is used unless `call` asks for others.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none.
 * - `out`: receives the result, or NULL on failure. Destroy it with `vf_diarization_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
 * VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
 */
vf_status vf_diarizer_process_f32(const struct vf_diarizer *diarizer,
                                  const float *samples,
                                  size_t n_frames,
                                  uint32_t sample_rate,
                                  uint32_t channels,
                                  const struct vf_call *call,
                                  struct vf_diarization **out);

/**
 * Finds who spoke when in samples held in memory as 16-bit integers.
 *
 * - `diarizer`: the diarizer.
 * - `samples`: [n_frames, channels] values, the channels of a frame side by side; not kept. NULL
 *   is allowed where `n_frames` is 0.
 * - `n_frames`: samples of each channel; 0 gives a result without segments.
 * - `sample_rate`: in hertz, 1,000 to 768,000.
 * - `channels`: 1 to 32; their mean is used unless `call` asks for others.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none.
 * - `out`: receives the result, or NULL on failure. Destroy it with `vf_diarization_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
 * VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
 */
vf_status vf_diarizer_process_i16(const struct vf_diarizer *diarizer,
                                  const int16_t *samples,
                                  size_t n_frames,
                                  uint32_t sample_rate,
                                  uint32_t channels,
                                  const struct vf_call *call,
                                  struct vf_diarization **out);

/**
 * Finds who spoke when in an audio file: WAV, FLAC, MP3, AAC, Opus, Vorbis and the others of
 * docs/AUDIO.md, of any sample rate and channels. Of several audio tracks the default one is used,
 * unless it has little speech and another has more than twice as much; VF_WARNING_CHOSEN_TRACK
 * says which.
 *
 * - `diarizer`: the diarizer.
 * - `path`: path of the file, at most 65,536 bytes.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none.
 * - `out`: receives the result, or NULL on failure. Destroy it with `vf_diarization_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_AUDIO,
 * VF_E_MODEL, VF_E_RUNTIME, VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED,
 * VF_E_FORKED.
 */
vf_status vf_diarizer_process_file(const struct vf_diarizer *diarizer,
                                   const char *path,
                                   const struct vf_call *call,
                                   struct vf_diarization **out);

/**
 * Finds who spoke when in the content of an audio file that is held in memory, of any format that
 * `vf_diarizer_process_file` takes.
 *
 * - `diarizer`: the diarizer.
 * - `bytes`: `size` bytes; not kept. NULL is allowed where `size` is 0.
 * - `size`: number of bytes; 0 is refused as an empty file is.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none.
 * - `out`: receives the result, or NULL on failure. Destroy it with `vf_diarization_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
 * VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
 */
vf_status vf_diarizer_process_encoded(const struct vf_diarizer *diarizer,
                                      const uint8_t *bytes,
                                      size_t size,
                                      const struct vf_call *call,
                                      struct vf_diarization **out);

/**
 * Finds who spoke when in encoded audio that the host reads, of any format that
 * `vf_diarizer_process_file` takes.
 *
 * - `diarizer`: the diarizer.
 * - `source`: where the bytes come from, see `vf_source`; its callbacks are not called after this
 *   returns.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none. The switch and the deadline
 *   are looked at between reads: one that waits is waited for.
 * - `out`: receives the result, or NULL on failure. Destroy it with `vf_diarization_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_IO, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
 * VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
 */
vf_status vf_diarizer_process_source(const struct vf_diarizer *diarizer,
                                     const struct vf_source *source,
                                     const struct vf_call *call,
                                     struct vf_diarization **out);

/**
 * Puts another model, or other options, in the place of those that a diarizer has, while it is in
 * use. The new version is loaded beside the running one, checked (SHA-256, model contract, golden
 * vector), given as many run slots as the running one has, and tried on a smoke recording, which
 * is diarized end to end. Then it takes over at once: calls and streams that begin later use it,
 * those under way end on the version that they began with, whose memory is given back with the
 * last of them. A failure before that changes nothing, and its text names the step: wait, load,
 * warm or smoke. Until then both versions are in memory.
 *
 * Reloads of one diarizer go on one at a time; others wait for their turn. A gallery belongs to
 * the voices of its model: after a reload to a model of another voice space it is refused
 * (VF_E_GALLERY). `vf_diarizer_voice_space` tells before results are compared.
 *
 * - `diarizer`: the diarizer.
 * - `options`: all options of the new version, copied, as `vf_diarizer_create` takes them; NULL
 *   for the defaults, not for those of the running version.
 * - `call`: the conditions of the reload, see `vf_call`; NULL for none. Its switch and its
 *   deadline end the wait for another reload, and the load as they end that of
 *   `vf_diarizer_create`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_AUDIO,
 * VF_E_MODEL, VF_E_RUNTIME_NOT_FOUND, VF_E_RUNTIME_VERSION, VF_E_RUNTIME, VF_E_PROVIDER,
 * VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
 */
vf_status vf_diarizer_reload(const struct vf_diarizer *diarizer,
                             const struct vf_options *options,
                             const struct vf_call *call);

/**
 * Puts another model in the place of the one that a session has, as `vf_diarizer_reload` does. The
 * new model has to have the frame step, the frame offset, the local speakers and the embedding
 * size of the running one, since callers have arrays of these sizes (VF_E_MODEL). Its smoke
 * recording is run through the network and has to give probabilities and voices of unit length.
 *
 * - `session`: the session.
 * - `options`: all options of the new version, copied, as `vf_session_create` takes them; NULL for
 *   the defaults, not for those of the running version.
 * - `call`: the conditions of the reload, see `vf_call`; NULL for none.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_MODEL,
 * VF_E_RUNTIME_NOT_FOUND, VF_E_RUNTIME_VERSION, VF_E_RUNTIME, VF_E_PROVIDER, VF_E_CANCELLED,
 * VF_E_DEADLINE, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED, VF_E_FORKED.
 */
vf_status vf_session_reload(const struct vf_session *session,
                            const struct vf_options *options,
                            const struct vf_call *call);

/**
 * Tells which versions of a diarizer are in use: the current one first, then older ones that calls
 * or streams still hold, the newest first. One that is no longer listed has given its memory back.
 *
 * - `diarizer`: the diarizer.
 * - `out`: receives the versions; NULL is allowed where `cap` is 0.
 * - `cap`: room in `out`, in versions. The number can change between two calls.
 * - `n`: receives the number of versions, at least 1.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED, VF_E_FORKED.
 */
vf_status vf_diarizer_versions(const struct vf_diarizer *diarizer,
                               struct vf_model_version *out,
                               size_t cap,
                               size_t *n);

/**
 * Tells which versions of a session are in use, as `vf_diarizer_versions` does.
 *
 * - `session`: the session.
 * - `out`: receives the versions; NULL is allowed where `cap` is 0.
 * - `cap`: room in `out`, in versions. The number can change between two calls.
 * - `n`: receives the number of versions, at least 1.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED, VF_E_FORKED.
 */
vf_status vf_session_versions(const struct vf_session *session,
                              struct vf_model_version *out,
                              size_t cap,
                              size_t *n);

/**
 * Gives the name of the voice space of the session's model: models of one family state the same,
 * whose embeddings can be compared, and whose galleries are exchangeable. Empty where the model
 * states none: its embeddings are compared with each other alone.
 *
 * - `session`: the session.
 * - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes; 129 is enough.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_session_voice_space(const struct vf_session *session, char *out, size_t cap, size_t *n);

/**
 * Gives the name of the voice space of the diarizer's model: models of one family state the same,
 * whose embeddings can be compared, and whose galleries are exchangeable. Empty where the model
 * states none: its embeddings are compared with each other alone.
 *
 * - `diarizer`: the diarizer.
 * - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes; 129 is enough.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_diarizer_voice_space(const struct vf_diarizer *diarizer, char *out, size_t cap, size_t *n);

/**
 * Makes a stream for one source of live audio. It shares the model and the run slots of the
 * diarizer, which may be destroyed before it. A diarizer without a model asked for has two where
 * the accurate bundle is there: recordings are diarized with that, streams with the joint model,
 * which the first stream loads. Voices of the two cannot be compared: name one model
 * (`vf_options_set_bundle`) where a gallery serves both.
 *
 * - `diarizer`: the diarizer.
 * - `options`: latency, history, most speakers, least speech and silence, clustering threshold,
 *   and whether it follows reloads; copied. NULL for the defaults. What else they say is left
 *   alone: models and providers are the diarizer's, and the result of `vf_stream_finish` follows
 *   the diarizer's options and its own call alone.
 * - `sample_rate`: in hertz, 1,000 to 768,000.
 * - `channels`: 1 to 32; their mean is used.
 * - `call`: the conditions of the call, see `vf_call`, for a model that it loads; NULL for none.
 * - `out`: receives the stream, or NULL on failure. Destroy it with `vf_stream_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_MODEL, VF_E_RUNTIME, VF_E_PROVIDER,
 * VF_E_CANCELLED, VF_E_DEADLINE, VF_E_FORKED, VF_E_LIMIT, VF_E_ENDING, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_stream_create(const struct vf_diarizer *diarizer,
                           const struct vf_options *options,
                           uint32_t sample_rate,
                           uint32_t channels,
                           const struct vf_call *call,
                           struct vf_stream **out);

/**
 * Destroys a stream.
 *
 * - `stream`: the stream, not in use by any call; NULL does nothing.
 *
 * One thread at a time per handle. Cannot fail.
 */
void vf_stream_destroy(struct vf_stream *stream);

/**
 * Tells the time until what the stream says of a moment never changes: from the end of that moment
 * to the last audio that is needed. What it says first comes with the next window, at most 400 ms
 * after.
 *
 * - `stream`: the stream.
 * - `latency_ms`: receives milliseconds: the latency of the options, pauses to be filled, and what
 *   resampling holds back.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_stream_latency_ms(const struct vf_stream *stream, double *latency_ms);

/**
 * Takes the next samples as floats and analyses the windows that they complete, on this thread:
 * the work is that of the audio pushed, and no other stream waits for more than one window of it.
 * All samples are taken or none; after VF_E_CANCELLED, VF_E_DEADLINE, VF_E_RUNTIME and VF_E_MODEL
 * they are taken, and the next call goes on with them. Where there is no memory for them
 * (VF_E_LIMIT), some may be lost, and the stream takes no more: `vf_stream_finish` answers for
 * what came before, and `vf_stream_reset` makes it as new.
 *
 * - `stream`: the stream.
 * - `samples`: [n_frames, channels] values, the channels of a frame side by side: -1 to 1, finite;
 *   not kept. NULL is allowed where `n_frames` is 0.
 * - `n_frames`: samples of each channel: any number, from none to minutes of them. More is refused
 *   (VF_E_LIMIT) while an hour of audio is there that earlier calls failed to analyse.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none.
 *
 * Any thread, concurrently; pushes into one stream wait for each other, in the order in which they
 * came.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
 * VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_stream_push_f32(const struct vf_stream *stream,
                             const float *samples,
                             size_t n_frames,
                             const struct vf_call *call);

/**
 * As `vf_stream_push_f32`, with samples as 16-bit integers.
 *
 * - `stream`: the stream.
 * - `samples`: [n_frames, channels] values, the channels of a frame side by side; not kept. NULL
 *   is allowed where `n_frames` is 0.
 * - `n_frames`: samples of each channel: any number, from none to minutes of them. More is refused
 *   (VF_E_LIMIT) while an hour of audio is there that earlier calls failed to analyse.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none.
 *
 * Any thread, concurrently; pushes into one stream wait for each other, in the order in which they
 * came.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
 * VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_stream_push_i16(const struct vf_stream *stream,
                             const int16_t *samples,
                             size_t n_frames,
                             const struct vf_call *call);

/**
 * Takes out segments that were not read yet: first the final ones (`VF_SEGMENT_FINAL`), each once,
 * in the order of their end; then those that are not final, each once. The latter hold until
 * `vf_stream_updates` gives another number: forget them then, also where there are no others to
 * read. Waits for no push.
 *
 * - `stream`: the stream.
 * - `out`: receives the segments; their speakers are numbers of this stream, which keep their
 *   meaning until it is reset. NULL is allowed where `cap` is 0.
 * - `cap`: room in `out`, in segments; what does not fit is read next time.
 * - `n`: receives the number of segments written; 0 when there is nothing new.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_stream_read(const struct vf_stream *stream, struct vf_segment *out, size_t cap, size_t *n);

/**
 * Tells how many times the provisional segments were replaced, by pushes that completed a window
 * and by the finish. Once the number has changed, segments read before that were not final hold no
 * longer, whether or not there are others to read.
 *
 * - `stream`: the stream.
 * - `n`: receives the number.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_stream_updates(const struct vf_stream *stream, uint64_t *n);

/**
 * Gives the number of speakers so far.
 *
 * - `stream`: the stream.
 * - `n`: receives the number.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_stream_speaker_count(const struct vf_stream *stream, size_t *n);

/**
 * Gives the voice embedding of a speaker as it is known by now, a vector of unit length: what
 * `vf_gallery_identify` asks for.
 *
 * - `stream`: the stream.
 * - `speaker`: number of the speaker, 0 to the speaker count less 1.
 * - `out`: receives the values; NULL is allowed where `cap` is 0.
 * - `cap`: room in `out`, in values.
 * - `n`: receives the number of values, the model's `embedding_dim`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_FORKED, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_stream_speaker_embedding(const struct vf_stream *stream,
                                      int32_t speaker,
                                      float *out,
                                      size_t cap,
                                      size_t *n);

/**
 * Ends the stream: all segments become final and can be read, and all of its audio is clustered
 * anew as a whole, over the time of the option history. Afterwards the stream takes no audio until
 * it is reset.
 *
 * - `stream`: the stream.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none. Its progress callback must
 *   not wait for a thread that pushes into this stream or resets it: they wait for the finish.
 * - `out`: receives the result, or NULL on failure; its speakers are numbered anew, see
 *   `vf_stream_final_speakers`. Destroy it with `vf_diarization_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO, VF_E_MODEL, VF_E_RUNTIME,
 * VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_stream_finish(const struct vf_stream *stream,
                           const struct vf_call *call,
                           struct vf_diarization **out);

/**
 * Tells for each speaker of a finished stream who that is in the result of `vf_stream_finish`.
 *
 * - `stream`: the stream.
 * - `out`: receives numbers of the result's speakers, -1 for one who is nobody there; NULL is
 *   allowed where `cap` is 0.
 * - `cap`: room in `out`.
 * - `n`: receives the number of the stream's speakers.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_FORKED, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_stream_final_speakers(const struct vf_stream *stream, int32_t *out, size_t cap, size_t *n);

/**
 * Forgets all audio: the stream is as new, segments that were not read included. Waits for the
 * calls that came before.
 *
 * - `stream`: the stream.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_CANCELLED, VF_E_DEADLINE, VF_E_FORKED,
 * VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_stream_reset(const struct vf_stream *stream, const struct vf_call *call);

/**
 * Makes a gallery without any voice, for the model of a diarizer.
 *
 * - `diarizer`: the diarizer; the gallery does not keep it.
 * - `out`: receives the gallery, or NULL on failure. Destroy it with `vf_gallery_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_gallery_create(const struct vf_diarizer *diarizer, struct vf_gallery **out);

/**
 * Reads a gallery from a file that `vf_gallery_save` wrote.
 *
 * - `diarizer`: a diarizer whose model has the gallery's voice space; the gallery does not keep
 *   it.
 * - `path`: path of the file, at most 65,536 bytes.
 * - `out`: receives the gallery, or NULL on failure. Destroy it with `vf_gallery_destroy`.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_LIMIT,
 * VF_E_PANIC, VF_E_POISONED, and VF_E_GALLERY for a file that is none, is damaged, or belongs to
 * another voice space.
 */
vf_status vf_gallery_load(const struct vf_diarizer *diarizer, const char *path, struct vf_gallery **out);

/**
 * Destroys a gallery. Its file stays.
 *
 * - `gallery`: the gallery, not in use by any call; NULL does nothing.
 *
 * One thread at a time per handle. Cannot fail.
 */
void vf_gallery_destroy(struct vf_gallery *gallery);

/**
 * Writes a gallery to a file, in place of an older one, whole or not at all. It holds voices,
 * which are personal data: a new file is its owner's alone (mode 0600). An older file's mode,
 * owner, access list and `user.` attributes are kept.
 *
 * - `gallery`: the gallery.
 * - `path`: path of the file, at most 65,536 bytes. Links are followed, and stay. A folder, pipe,
 *   socket or device is refused (VF_E_IO), as is a file that this process may not write, whose
 *   owner it cannot keep, or whose folder takes no new file: the contents are written beside it
 *   and take its place once they are whole.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_LIMIT,
 * VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_gallery_save(const struct vf_gallery *gallery, const char *path);

/**
 * Enrolls a speaker by an audio file in which nobody else speaks for more than 15 % of the speech.
 * A name may have several recordings: its voice is their mean.
 *
 * - `gallery`: the gallery.
 * - `diarizer`: a diarizer with the gallery's model.
 * - `name`: UTF-8, 1 to 256 bytes, without white space around it or control characters, and none
 *   that unknown speakers are given ("SPEAKER_00").
 * - `path`: path of the file, at most 65,536 bytes; at least 3 s of speech, better 20 s.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none.
 * - `out`: receives what was found in the recording, with its warnings, or NULL on failure.
 *   Destroy it with `vf_diarization_destroy`. NULL where it is not wanted.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_NOT_FOUND, VF_E_IO, VF_E_AUDIO (too little
 * speech or more than one speaker among its reasons), VF_E_MODEL, VF_E_RUNTIME, VF_E_CANCELLED,
 * VF_E_DEADLINE, VF_E_LIMIT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED, and VF_E_GALLERY for a
 * diarizer with another model.
 */
vf_status vf_gallery_enroll_file(const struct vf_gallery *gallery,
                                 const struct vf_diarizer *diarizer,
                                 const char *name,
                                 const char *path,
                                 const struct vf_call *call,
                                 struct vf_diarization **out);

/**
 * Enrolls a speaker by the content of an audio file that is held in memory, as
 * `vf_gallery_enroll_file` does by a file.
 *
 * - `gallery`: the gallery.
 * - `diarizer`: a diarizer with the gallery's model.
 * - `name`: see `vf_gallery_enroll_file`.
 * - `bytes`: `size` bytes; not kept. NULL is allowed where `size` is 0.
 * - `size`: number of bytes; 0 is refused as an empty file is.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none.
 * - `out`: receives what was found in the recording, with its warnings, or NULL on failure.
 *   Destroy it with `vf_diarization_destroy`. NULL where it is not wanted.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO (too little speech or more than one
 * speaker among its reasons), VF_E_MODEL, VF_E_RUNTIME, VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT,
 * VF_E_FORKED, VF_E_PANIC, VF_E_POISONED, and VF_E_GALLERY for a diarizer with another model.
 */
vf_status vf_gallery_enroll_encoded(const struct vf_gallery *gallery,
                                    const struct vf_diarizer *diarizer,
                                    const char *name,
                                    const uint8_t *bytes,
                                    size_t size,
                                    const struct vf_call *call,
                                    struct vf_diarization **out);

/**
 * Enrolls a speaker by encoded audio that the host reads, as `vf_gallery_enroll_file` does by a
 * file.
 *
 * - `gallery`: the gallery.
 * - `diarizer`: a diarizer with the gallery's model.
 * - `name`: see `vf_gallery_enroll_file`.
 * - `source`: where the bytes come from, see `vf_source`; its callbacks are not called after this
 *   returns.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none.
 * - `out`: receives what was found in the recording, with its warnings, or NULL on failure.
 *   Destroy it with `vf_diarization_destroy`. NULL where it is not wanted.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_IO, VF_E_AUDIO (too little speech or more
 * than one speaker among its reasons), VF_E_MODEL, VF_E_RUNTIME, VF_E_CANCELLED, VF_E_DEADLINE,
 * VF_E_LIMIT, VF_E_FORKED, VF_E_PANIC, VF_E_POISONED, and VF_E_GALLERY for a diarizer with another
 * model.
 */
vf_status vf_gallery_enroll_source(const struct vf_gallery *gallery,
                                   const struct vf_diarizer *diarizer,
                                   const char *name,
                                   const struct vf_source *source,
                                   const struct vf_call *call,
                                   struct vf_diarization **out);

/**
 * Enrolls a speaker by samples held in memory as floats, as `vf_gallery_enroll_file` does by a
 * file.
 *
 * - `gallery`: the gallery.
 * - `diarizer`: a diarizer with the gallery's model.
 * - `name`: see `vf_gallery_enroll_file`.
 * - `samples`: [n_frames, channels] values, the channels of a frame side by side: -1 to 1, finite;
 *   not kept. NULL is allowed where `n_frames` is 0.
 * - `n_frames`: samples of each channel.
 * - `sample_rate`: in hertz, 1,000 to 768,000.
 * - `channels`: 1 to 32; their mean is used unless `call` asks for others.
 * - `call`: the conditions of the call, see `vf_call`; NULL for none.
 * - `out`: receives what was found in the recording, with its warnings, or NULL on failure.
 *   Destroy it with `vf_diarization_destroy`. NULL where it is not wanted.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_AUDIO (too little speech or more than one
 * speaker among its reasons), VF_E_MODEL, VF_E_RUNTIME, VF_E_CANCELLED, VF_E_DEADLINE, VF_E_LIMIT,
 * VF_E_FORKED, VF_E_PANIC, VF_E_POISONED, and VF_E_GALLERY for a diarizer with another model.
 */
vf_status vf_gallery_enroll_f32(const struct vf_gallery *gallery,
                                const struct vf_diarizer *diarizer,
                                const char *name,
                                const float *samples,
                                size_t n_frames,
                                uint32_t sample_rate,
                                uint32_t channels,
                                const struct vf_call *call,
                                struct vf_diarization **out);

/**
 * Enrolls a speaker by an embedding, such as that of a diarization's speaker.
 *
 * - `gallery`: the gallery.
 * - `name`: see `vf_gallery_enroll_file`.
 * - `embedding`: `dim` finite values, not all zeros, from the gallery's model; not kept.
 * - `dim`: number of values, the model's `embedding_dim`.
 * - `speech_s`: seconds of speech that the embedding was made of, more than 0: its weight beside
 *   the name's others.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_gallery_enroll_embedding(const struct vf_gallery *gallery,
                                      const char *name,
                                      const float *embedding,
                                      size_t dim,
                                      double speech_s);

/**
 * Removes a speaker. The voices behind move up by one.
 *
 * - `gallery`: the gallery.
 * - `name`: an enrolled name, UTF-8.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_LIMIT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_gallery_remove(const struct vf_gallery *gallery, const char *name);

/**
 * Asks for exactly this many speakers. Default: the voices decide. A recording without speech has
 * none whatever is asked for.
 *
 * - `options`: the options.
 * - `count`: 1 to 100.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_num_speakers(struct vf_options *options, size_t count);

/**
 * Asks for at least `min` and at most `max` speakers. Default 0 and 100. A recording without
 * speech has none whatever is asked for.
 *
 * - `options`: the options.
 * - `min`: 0 to 100.
 * - `max`: 1 to 100, at least `min`.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_speaker_range(struct vf_options *options, size_t min, size_t max);

/**
 * Sets the time from the start of one window to the next. Default: stored in the model; 1.75 s for
 * two public models.
 *
 * - `options`: the options.
 * - `hop_s`: seconds, 0.1 to 60, and at most the model's window, which the create function checks.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_hop_s(struct vf_options *options, double hop_s);

/**
 * Sets the distance under which two clusters of voices are one speaker. Default: stored in the
 * model, else that of the clustering method.
 *
 * - `options`: the options.
 * - `threshold`: 0 to 2; lower finds more speakers. Cosine distance for VF_CLUSTERING_AVERAGE, and
 *   for VF_CLUSTERING_VBX with a PLDA that the model brings; Euclidean distance of voices of unit
 *   length for the others.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_clustering_threshold(struct vf_options *options, float threshold);

/**
 * Drops segments that are shorter than this. Default: stored in the model, 0.2 in fast-cnn and
 * accurate; 0, which drops none, for two public models.
 *
 * - `options`: the options.
 * - `min_speech_s`: seconds, 0 to 60.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_min_speech_s(struct vf_options *options, double min_speech_s);

/**
 * Fills pauses of one speaker that are shorter than this. Default 0: none.
 *
 * - `options`: the options.
 * - `min_silence_s`: seconds, 0 to 60.
 *
 * One thread at a time per handle.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_options_set_min_silence_s(struct vf_options *options, double min_silence_s);

/**
 * Gives the number of known voices.
 *
 * - `gallery`: the gallery.
 * - `n`: receives the number, at most 100,000.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_gallery_count(const struct vf_gallery *gallery, size_t *n);

/**
 * Gives the name of a known voice. A voice keeps its number until it, or one before it, is
 * removed.
 *
 * - `gallery`: the gallery.
 * - `index`: number of the voice, 0 to the count less 1, in the order in which names were first
 *   enrolled.
 * - `out`: receives UTF-8 text with an ending zero byte; NULL is allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes; 257 is enough.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_gallery_name(const struct vf_gallery *gallery, int32_t index, char *out, size_t cap, size_t *n);

/**
 * Gives the threshold that the gallery's model was tuned to: the cosine similarity from which a
 * voice is taken for a known one. With fast-cnn about 1 % of strangers are taken for one of ten
 * enrolled speakers, more of them where more are.
 *
 * - `gallery`: the gallery.
 * - `threshold`: receives the threshold, -1 to 1.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_gallery_threshold(const struct vf_gallery *gallery, float *threshold);

/**
 * Tells whose voice an embedding is: the most similar known voice, from the threshold on.
 *
 * - `gallery`: the gallery.
 * - `embedding`: `dim` finite values from the gallery's model; all zeros are a stranger's.
 * - `dim`: number of values, the model's `embedding_dim`.
 * - `threshold`: least cosine similarity, -1 to 1; `vf_gallery_threshold` gives what the model was
 *   tuned to.
 * - `out`: receives the name as UTF-8 text with an ending zero byte, empty for a stranger; NULL is
 *   allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes; 257 is enough.
 * - `n`: receives the bytes that the text takes with its end.
 * - `score`: receives the similarity, -1 to 1, to the most similar known voice, whether or not it
 *   reaches the threshold; -1 where nobody is enrolled and after a failure other than
 *   VF_E_BUFFER_TOO_SMALL.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_gallery_identify(const struct vf_gallery *gallery,
                              const float *embedding,
                              size_t dim,
                              float threshold,
                              char *out,
                              size_t cap,
                              size_t *n,
                              float *score);

/**
 * Tells who the speakers of a result are, each somebody else: the pairs of speaker and known
 * voice, from the threshold on, that together exceed it the most.
 *
 * - `gallery`: the gallery.
 * - `diarization`: the result, of a diarizer whose model has the gallery's voice space.
 * - `threshold`: least cosine similarity, -1 to 1; `vf_gallery_threshold` gives what the model was
 *   tuned to.
 * - `out_voice_index`: receives for each speaker the number of the voice, for `vf_gallery_name`;
 *   -1 for a stranger. NULL is allowed where `cap` is 0.
 * - `scores`: receives for each speaker the similarity, -1 to 1, to that voice; of a stranger to
 *   the most similar one, which may be another speaker's. NULL is allowed where `cap` is 0.
 * - `cap`: room in `out_voice_index` and in `scores`, in speakers.
 * - `n`: receives the number of speakers.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED, and VF_E_GALLERY for a result with voices of another voice space.
 */
vf_status vf_gallery_identify_diarization(const struct vf_gallery *gallery,
                                          const struct vf_diarization *diarization,
                                          float threshold,
                                          int32_t *out_voice_index,
                                          float *scores,
                                          size_t cap,
                                          size_t *n);

/**
 * Gives the number of warnings: of what was skipped in the recording, what is missing, and what
 * was chosen without being asked for.
 *
 * - `diarization`: the result.
 * - `n`: receives the number, at most 100.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
 */
vf_status vf_diarization_warning_count(const struct vf_diarization *diarization, size_t *n);

/**
 * Gives a warning.
 *
 * - `diarization`: the result.
 * - `index`: number of the warning, 0 to the warning count less 1.
 * - `code`: receives a number of `vf_warning_code`.
 * - `time_s`: receives where in the recording it is, in seconds.
 * - `out`: receives what there is to say, English in UTF-8 with an ending zero byte; NULL is
 *   allowed where `cap` is 0.
 * - `cap`: size of `out` in bytes.
 * - `n`: receives the bytes that the text takes with its end.
 *
 * Any thread, concurrently.
 * Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_BUFFER_TOO_SMALL, VF_E_PANIC,
 * VF_E_POISONED.
 */
vf_status vf_diarization_warning(const struct vf_diarization *diarization,
                                 size_t index,
                                 int32_t *code,
                                 double *time_s,
                                 char *out,
                                 size_t cap,
                                 size_t *n);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VOICEFLOW_H */
