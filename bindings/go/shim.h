/* One C function for each call from Go: it calls the library and, on failure, takes the error text
 * along, so that a call needs one crossing and no locked thread. */
#ifndef VOICEFLOW_GO_SHIM_H
#define VOICEFLOW_GO_SHIM_H

#include <stdint.h>
#include <stdlib.h>
#include <voiceflow.h>

/* What a call came to. */
typedef struct vfgo_answer {
    vf_status status;
    char *text;      /* Of vf_last_error, to be freed; NULL after VF_OK and VF_E_BUFFER_TOO_SMALL. */
    uintptr_t fault; /* cgo.Handle of the panic of a Go callback during the call, or 0. */
} vfgo_answer;

/* The conditions of one call, with a switch of its own. In C memory, since C uses it while Go sets
 * it. */
typedef struct vfgo_call {
    vf_call given;
    uintptr_t progress; /* cgo.Handle of what goProgress tells, or 0. */
    int ended;          /* The switch was set by a callback, on the thread of the call. */
} vfgo_call;

/* A reader of Go. */
typedef struct vfgo_source {
    uintptr_t reader; /* cgo.Handle of what goRead and goSeek use. */
    int seeks;
    uint64_t length;
} vfgo_source;

void vfgo_enter(vfgo_call *call);
vfgo_answer vfgo_leave(vf_status status);
int vfgo_inside(void);
void vfgo_end(vfgo_call *call);
void vfgo_progress(void *call, int32_t stage, float fraction);
int64_t vfgo_read(void *reader, uint8_t *out, size_t cap);
int32_t vfgo_seek(void *reader, uint64_t position);
void vfgo_log(void *unused, int32_t level, const char *target, const char *message);

/* What the library gets: NULL for a call without conditions. */
static inline const vf_call *given(const vfgo_call *call)
{
    return call == NULL ? NULL : &call->given;
}

static inline vf_source source_of(const vfgo_source *from)
{
    vf_source source = {.size = sizeof source, .read = vfgo_read, .user_data = (void *)from->reader};
    if (from->seeks) {
        source.seek = vfgo_seek;
        source.length = from->length;
    }
    return source;
}

#define CALL_UNDER(call, function, parameters, arguments)                                                   \
    static inline vfgo_answer go_##function parameters                                                      \
    {                                                                                                       \
        vfgo_enter(call);                                                                                   \
        return vfgo_leave(function arguments);                                                              \
    }
#define CALL(function, parameters, arguments) CALL_UNDER(NULL, function, parameters, arguments)

static inline vfgo_answer go_vf_set_log_callback(int on, int32_t level)
{
    vfgo_enter(NULL);
    return vfgo_leave(vf_set_log_callback(on ? vfgo_log : NULL, NULL, level));
}

typedef struct vfgo_inference {
    vfgo_answer answer;
    size_t activity_n, embedding_n, frames;
} vfgo_inference;

static inline vfgo_inference go_vf_session_infer(const vf_session *session, const float *audio, size_t batch,
    size_t samples, vfgo_call *call, float *activity, size_t activity_cap, float *embedding, size_t embedding_cap)
{
    vfgo_inference out = {0};
    vfgo_enter(call);
    out.answer = vfgo_leave(vf_session_infer(session, audio, batch, samples, given(call), activity, activity_cap,
        &out.activity_n, embedding, embedding_cap, &out.embedding_n, &out.frames));
    return out;
}

typedef vf_options options;

CALL(vf_options_create, (options **out), (out))
CALL(vf_options_set_model_path, (options *o, const char *path), (o, path))
CALL(vf_options_set_model_memory, (options *o, const uint8_t *data, size_t size), (o, data, size))
CALL(vf_options_set_segmentation_model, (options *o, const char *path), (o, path))
CALL(vf_options_set_segmentation_model_memory, (options *o, const uint8_t *data, size_t size),
    (o, data, size))
CALL(vf_options_set_segmentation_receptive_field, (options *o, size_t size, size_t step), (o, size, step))
CALL(vf_options_set_embedding_model, (options *o, const char *path), (o, path))
CALL(vf_options_set_embedding_model_memory, (options *o, const uint8_t *data, size_t size), (o, data, size))
CALL(vf_options_set_embedding_family, (options *o, int32_t family), (o, family))
CALL(vf_options_set_frontend, (options *o, int32_t frontend), (o, frontend))
CALL(vf_options_set_clustering_method, (options *o, int32_t method), (o, method))
CALL(vf_options_set_clustering_threshold, (options *o, float threshold), (o, threshold))
CALL(vf_options_set_min_cluster_size, (options *o, size_t windows), (o, windows))
CALL(vf_options_set_bundle, (options *o, const char *bundle), (o, bundle))
CALL(vf_options_set_plda, (options *o, const char *folder), (o, folder))
CALL(vf_options_set_runtime_library, (options *o, const char *path), (o, path))
CALL(vf_options_set_telemetry, (options *o, int32_t telemetry), (o, telemetry))
CALL(vf_options_set_provider, (options *o, int32_t provider, int32_t policy), (o, provider, policy))
CALL(vf_options_set_device_id, (options *o, int32_t device_id), (o, device_id))
CALL(vf_options_set_device_memory_limit, (options *o, uint64_t bytes), (o, bytes))
CALL(vf_options_set_cache_folder, (options *o, const char *folder), (o, folder))
CALL(vf_options_set_threads, (options *o, size_t threads), (o, threads))
CALL(vf_options_set_slots, (options *o, size_t slots), (o, slots))
CALL(vf_options_set_batch, (options *o, size_t batch), (o, batch))
CALL(vf_options_set_num_speakers, (options *o, size_t count), (o, count))
CALL(vf_options_set_speaker_range, (options *o, size_t min, size_t max), (o, min, max))
CALL(vf_options_set_hop_s, (options *o, double hop_s), (o, hop_s))
CALL(vf_options_set_min_speech_s, (options *o, double min_speech_s), (o, min_speech_s))
CALL(vf_options_set_min_silence_s, (options *o, double min_silence_s), (o, min_silence_s))
CALL(vf_options_set_latency_s, (options *o, double latency_s), (o, latency_s))
CALL(vf_options_set_history_s, (options *o, double history_s), (o, history_s))
CALL(vf_options_set_follow_reloads, (options *o, int32_t follow), (o, follow))

CALL(vf_cancel_create, (vf_cancel **out), (out))

CALL_UNDER(call, vf_session_create, (const options *o, vfgo_call *call, vf_session **out), (o, given(call), out))
CALL(vf_session_describe, (const vf_session *s, vf_model_info *out), (s, out))
CALL(vf_session_model_name, (const vf_session *s, char *out, size_t cap, size_t *n), (s, out, cap, n))
CALL(vf_session_model_version, (const vf_session *s, char *out, size_t cap, size_t *n), (s, out, cap, n))
CALL(vf_session_model_sha256, (const vf_session *s, char *out, size_t cap, size_t *n), (s, out, cap, n))
CALL(vf_session_voice_space, (const vf_session *s, char *out, size_t cap, size_t *n), (s, out, cap, n))
CALL_UNDER(call, vf_session_reload, (const vf_session *s, const options *o, vfgo_call *call), (s, o, given(call)))
CALL(vf_session_versions, (const vf_session *s, vf_model_version *out, size_t cap, size_t *n), (s, out, cap, n))
CALL(vf_session_frames, (const vf_session *s, size_t samples, size_t *frames), (s, samples, frames))

CALL_UNDER(call, vf_diarizer_create, (const options *o, vfgo_call *call, vf_diarizer **out), (o, given(call), out))
CALL(vf_diarizer_describe, (const vf_diarizer *d, vf_model_info *out), (d, out))
CALL(vf_diarizer_model_name, (const vf_diarizer *d, char *out, size_t cap, size_t *n), (d, out, cap, n))
CALL(vf_diarizer_model_version, (const vf_diarizer *d, char *out, size_t cap, size_t *n), (d, out, cap, n))
CALL(vf_diarizer_model_sha256, (const vf_diarizer *d, char *out, size_t cap, size_t *n), (d, out, cap, n))
CALL(vf_diarizer_voice_space, (const vf_diarizer *d, char *out, size_t cap, size_t *n), (d, out, cap, n))
CALL_UNDER(call, vf_diarizer_reload, (const vf_diarizer *d, const options *o, vfgo_call *call),
    (d, o, given(call)))
CALL(vf_diarizer_versions, (const vf_diarizer *d, vf_model_version *out, size_t cap, size_t *n),
    (d, out, cap, n))
CALL_UNDER(call, vf_diarizer_process_f32,
    (const vf_diarizer *d, const float *samples, size_t n_frames, uint32_t sample_rate, uint32_t channels,
        vfgo_call *call, vf_diarization **out),
    (d, samples, n_frames, sample_rate, channels, given(call), out))
CALL_UNDER(call, vf_diarizer_process_i16,
    (const vf_diarizer *d, const int16_t *samples, size_t n_frames, uint32_t sample_rate, uint32_t channels,
        vfgo_call *call, vf_diarization **out),
    (d, samples, n_frames, sample_rate, channels, given(call), out))
CALL_UNDER(call, vf_diarizer_process_file,
    (const vf_diarizer *d, const char *path, vfgo_call *call, vf_diarization **out),
    (d, path, given(call), out))

CALL_UNDER(call, vf_diarizer_process_encoded,
    (const vf_diarizer *d, const uint8_t *bytes, size_t size, vfgo_call *call, vf_diarization **out),
    (d, bytes, size, given(call), out))
static inline vfgo_answer go_vf_diarizer_process_source(
    const vf_diarizer *d, const vfgo_source *from, vfgo_call *call, vf_diarization **out)
{
    vf_source source = source_of(from);
    vfgo_enter(call);
    return vfgo_leave(vf_diarizer_process_source(d, &source, given(call), out));
}

CALL(vf_diarization_create,
    (double duration_s, const vf_segment *segments, size_t n_segments, const float *embeddings, size_t n_speakers,
        size_t embedding_dim, vf_diarization **out),
    (duration_s, segments, n_segments, embeddings, n_speakers, embedding_dim, out))
CALL(vf_diarization_duration, (const vf_diarization *d, double *duration_s), (d, duration_s))
CALL(vf_diarization_segment_count, (const vf_diarization *d, size_t *n), (d, n))
CALL(vf_diarization_segments, (const vf_diarization *d, vf_segment *out, size_t cap, size_t *n),
    (d, out, cap, n))
CALL(vf_diarization_speaker_count, (const vf_diarization *d, size_t *n), (d, n))
CALL(vf_diarization_speaker_label,
    (const vf_diarization *d, int32_t speaker, char *out, size_t cap, size_t *n),
    (d, speaker, out, cap, n))
CALL(vf_diarization_warning_count, (const vf_diarization *d, size_t *n), (d, n))
CALL(vf_diarization_warning,
    (const vf_diarization *d, size_t index, int32_t *code, double *time_s, char *out, size_t cap, size_t *n),
    (d, index, code, time_s, out, cap, n))
CALL(vf_diarization_speaker_speech, (const vf_diarization *d, int32_t speaker, double *speech_s),
    (d, speaker, speech_s))
CALL(vf_diarization_speaker_embedding,
    (const vf_diarization *d, int32_t speaker, float *out, size_t cap, size_t *n),
    (d, speaker, out, cap, n))
CALL(vf_diarization_to_rttm,
    (const vf_diarization *d, const char *recording, char *out, size_t cap, size_t *n),
    (d, recording, out, cap, n))
CALL(vf_diarization_to_json,
    (const vf_diarization *d, const char *recording, int32_t embeddings, char *out, size_t cap, size_t *n),
    (d, recording, embeddings, out, cap, n))
CALL(vf_diarization_to_srt, (const vf_diarization *d, char *out, size_t cap, size_t *n), (d, out, cap, n))
CALL(vf_diarization_to_vtt, (const vf_diarization *d, char *out, size_t cap, size_t *n), (d, out, cap, n))

CALL_UNDER(call, vf_stream_create,
    (const vf_diarizer *d, const options *o, uint32_t sample_rate, uint32_t channels, vfgo_call *call,
        vf_stream **out),
    (d, o, sample_rate, channels, given(call), out))
CALL(vf_stream_latency_ms, (const vf_stream *s, double *latency_ms), (s, latency_ms))
CALL_UNDER(call, vf_stream_push_f32,
    (const vf_stream *s, const float *samples, size_t n_frames, vfgo_call *call),
    (s, samples, n_frames, given(call)))
CALL_UNDER(call, vf_stream_push_i16,
    (const vf_stream *s, const int16_t *samples, size_t n_frames, vfgo_call *call),
    (s, samples, n_frames, given(call)))
CALL(vf_stream_read, (const vf_stream *s, vf_segment *out, size_t cap, size_t *n), (s, out, cap, n))
CALL(vf_stream_updates, (const vf_stream *s, uint64_t *n), (s, n))
CALL(vf_stream_speaker_count, (const vf_stream *s, size_t *n), (s, n))
CALL(vf_stream_speaker_embedding, (const vf_stream *s, int32_t speaker, float *out, size_t cap, size_t *n),
    (s, speaker, out, cap, n))
CALL_UNDER(call, vf_stream_finish, (const vf_stream *s, vfgo_call *call, vf_diarization **out),
    (s, given(call), out))
CALL(vf_stream_final_speakers, (const vf_stream *s, int32_t *out, size_t cap, size_t *n), (s, out, cap, n))
CALL_UNDER(call, vf_stream_reset, (const vf_stream *s, vfgo_call *call), (s, given(call)))

CALL(vf_gallery_create, (const vf_diarizer *d, vf_gallery **out), (d, out))
CALL(vf_gallery_load, (const vf_diarizer *d, const char *path, vf_gallery **out), (d, path, out))
CALL(vf_gallery_save, (const vf_gallery *g, const char *path), (g, path))
CALL_UNDER(call, vf_gallery_enroll_file,
    (const vf_gallery *g, const vf_diarizer *d, const char *name, const char *path, vfgo_call *call,
        vf_diarization **out),
    (g, d, name, path, given(call), out))
CALL_UNDER(call, vf_gallery_enroll_f32,
    (const vf_gallery *g, const vf_diarizer *d, const char *name, const float *samples, size_t n_frames,
        uint32_t sample_rate, uint32_t channels, vfgo_call *call, vf_diarization **out),
    (g, d, name, samples, n_frames, sample_rate, channels, given(call), out))
CALL_UNDER(call, vf_gallery_enroll_encoded,
    (const vf_gallery *g, const vf_diarizer *d, const char *name, const uint8_t *bytes, size_t size,
        vfgo_call *call, vf_diarization **out),
    (g, d, name, bytes, size, given(call), out))
static inline vfgo_answer go_vf_gallery_enroll_source(
    const vf_gallery *g, const vf_diarizer *d, const char *name, const vfgo_source *from, vfgo_call *call,
    vf_diarization **out)
{
    vf_source source = source_of(from);
    vfgo_enter(call);
    return vfgo_leave(vf_gallery_enroll_source(g, d, name, &source, given(call), out));
}
CALL(vf_gallery_enroll_embedding,
    (const vf_gallery *g, const char *name, const float *embedding, size_t dim, double speech_s),
    (g, name, embedding, dim, speech_s))
CALL(vf_gallery_remove, (const vf_gallery *g, const char *name), (g, name))
CALL(vf_gallery_threshold, (const vf_gallery *g, float *threshold), (g, threshold))
CALL(vf_gallery_count, (const vf_gallery *g, size_t *n), (g, n))
CALL(vf_gallery_name, (const vf_gallery *g, int32_t index, char *out, size_t cap, size_t *n),
    (g, index, out, cap, n))
CALL(vf_gallery_identify,
    (const vf_gallery *g, const float *embedding, size_t dim, float threshold, char *out, size_t cap,
        size_t *n, float *score),
    (g, embedding, dim, threshold, out, cap, n, score))
CALL(vf_gallery_identify_diarization,
    (const vf_gallery *g, const vf_diarization *d, float threshold, int32_t *out_voice_index, float *scores,
        size_t cap, size_t *n),
    (g, d, threshold, out_voice_index, scores, cap, n))

#undef CALL
#undef CALL_UNDER

#endif
