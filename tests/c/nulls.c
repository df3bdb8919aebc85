/* Every function that takes a handle, with NULL for each pointer in turn. */
#include "support.h"

static void sessions(const vf_session *s)
{
    vf_session *out = NULL;
    vf_model_info info;
    vf_model_version version;
    float x[4] = {0};
    char text[4];
    size_t n = 5, m = 5, frames = 5;
    info.size = sizeof info;

    CHECK_STATUS(VF_E_NULL, vf_session_create(NULL, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_session_describe(NULL, &info));
    CHECK_STATUS(VF_E_NULL, vf_session_describe(s, NULL));
    CHECK_STATUS(VF_E_NULL, vf_session_model_name(NULL, text, 4, &n));
    CHECK(n == 0);
    CHECK_STATUS(VF_E_NULL, vf_session_model_name(s, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_session_model_name(s, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_session_model_version(NULL, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_session_model_version(s, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_session_model_version(s, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_session_model_sha256(NULL, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_session_model_sha256(s, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_session_model_sha256(s, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_session_voice_space(NULL, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_session_voice_space(s, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_session_voice_space(s, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_session_reload(NULL, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_session_versions(NULL, &version, 1, &n));
    CHECK(n == 0);
    CHECK_STATUS(VF_E_NULL, vf_session_versions(s, NULL, 1, &n));
    CHECK_STATUS(VF_E_NULL, vf_session_versions(s, &version, 1, NULL));
    CHECK_STATUS(VF_E_NULL, vf_session_frames(NULL, 16000, &frames));
    CHECK(frames == 0);
    CHECK_STATUS(VF_E_NULL, vf_session_frames(s, 16000, NULL));
    CHECK_STATUS(VF_E_NULL, vf_session_infer(NULL, x, 1, 4, NULL, x, 4, &n, x, 4, &m, &frames));
    CHECK_STATUS(VF_E_NULL, vf_session_infer(s, NULL, 1, 4, NULL, x, 4, &n, x, 4, &m, &frames));
    CHECK_TEXT("audio: must not be NULL");
    CHECK_STATUS(VF_E_NULL, vf_session_infer(s, x, 1, 4, NULL, NULL, 4, &n, x, 4, &m, &frames));
    CHECK_TEXT("activity");
    CHECK_STATUS(VF_E_NULL, vf_session_infer(s, x, 1, 4, NULL, x, 4, NULL, x, 4, &m, &frames));
    CHECK_STATUS(VF_E_NULL, vf_session_infer(s, x, 1, 4, NULL, x, 4, &n, NULL, 4, &m, &frames));
    CHECK_TEXT("embedding");
    CHECK_STATUS(VF_E_NULL, vf_session_infer(s, x, 1, 4, NULL, x, 4, &n, x, 4, NULL, &frames));
    CHECK_STATUS(VF_E_NULL, vf_session_infer(s, x, 1, 4, NULL, x, 4, &n, x, 4, &m, NULL));
    CHECK_TEXT("frames");
    CHECK(n == 0 && m == 0 && frames == 0 && out == NULL);

    vf_cancel *cancel = NULL;
    CHECK_STATUS(VF_E_NULL, vf_cancel_create(NULL));
    CHECK_STATUS(VF_E_NULL, vf_cancel_set(NULL));
    vf_cancel_destroy(NULL);
    CHECK_STATUS(VF_OK, vf_cancel_create(&cancel));
    vf_cancel_destroy(cancel);
}

static void diarizers(const vf_diarizer *d)
{
    const float x[2] = {0};
    const int16_t i[2] = {0};
    vf_model_info info;
    vf_model_version version;
    char text[4];
    size_t n = 5;
    vf_diarization *out = NULL;
    info.size = sizeof info;

    CHECK_STATUS(VF_E_NULL, vf_diarizer_create(NULL, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_describe(NULL, &info));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_describe(d, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_model_name(NULL, text, 4, &n));
    CHECK(n == 0);
    CHECK_STATUS(VF_E_NULL, vf_diarizer_model_name(d, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_model_name(d, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_model_version(NULL, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_model_version(d, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_model_version(d, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_model_sha256(NULL, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_model_sha256(d, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_model_sha256(d, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_voice_space(NULL, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_voice_space(d, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_voice_space(d, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_reload(NULL, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_versions(NULL, &version, 1, &n));
    CHECK(n == 0);
    CHECK_STATUS(VF_E_NULL, vf_diarizer_versions(d, NULL, 1, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_versions(d, &version, 1, NULL));
    out = (vf_diarization *)(void *)&info;
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_f32(NULL, x, 2, 16000, 1, NULL, &out));
    CHECK(out == NULL);
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_f32(d, NULL, 2, 16000, 1, NULL, &out));
    CHECK_TEXT("samples: must not be NULL");
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_f32(d, x, 2, 16000, 1, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_i16(NULL, i, 2, 16000, 1, NULL, &out));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_i16(d, NULL, 2, 16000, 1, NULL, &out));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_i16(d, i, 2, 16000, 1, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_file(NULL, "a.wav", NULL, &out));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_file(d, NULL, NULL, &out));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_file(d, "a.wav", NULL, NULL));
    const uint8_t bytes[2] = {0};
    vf_source source;
    memset(&source, 0, sizeof source);
    source.size = sizeof source;
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_encoded(NULL, bytes, 2, NULL, &out));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_encoded(d, NULL, 2, NULL, &out));
    CHECK_TEXT("bytes: must not be NULL");
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_encoded(d, bytes, 2, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_source(NULL, &source, NULL, &out));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_source(d, NULL, NULL, &out));
    CHECK_TEXT("source: must not be NULL");
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_source(d, &source, NULL, &out));
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_source(d, &source, NULL, NULL));
}

static void results(const vf_diarization *r)
{
    vf_segment segment;
    char text[4];
    float x[4] = {0};
    double seconds = 0.0;
    size_t n = 5;

    vf_diarization *made = (vf_diarization *)(void *)&n;
    CHECK_STATUS(VF_E_NULL, vf_diarization_create(1.0, NULL, 1, x, 1, 4, &made));
    CHECK(made == NULL);
    CHECK_STATUS(VF_E_NULL, vf_diarization_create(1.0, NULL, 0, NULL, 1, 4, &made));
    CHECK_STATUS(VF_E_NULL, vf_diarization_create(1.0, NULL, 0, NULL, 0, 0, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarization_duration(NULL, &seconds));
    CHECK_STATUS(VF_E_NULL, vf_diarization_duration(r, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarization_segment_count(NULL, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_segment_count(r, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarization_segments(NULL, &segment, 1, &n));
    CHECK(n == 0);
    CHECK_STATUS(VF_E_NULL, vf_diarization_segments(r, NULL, 1, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_segments(r, &segment, 1, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarization_speaker_count(NULL, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_speaker_count(r, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarization_speaker_label(NULL, 0, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_speaker_label(r, 0, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_speaker_label(r, 0, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarization_speaker_speech(NULL, 0, &seconds));
    CHECK_STATUS(VF_E_NULL, vf_diarization_speaker_embedding(NULL, 0, x, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_speaker_embedding(r, 0, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_speaker_embedding(r, 0, x, 4, NULL));
    int32_t code = 0;
    CHECK_STATUS(VF_E_NULL, vf_diarization_warning_count(NULL, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_warning_count(r, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarization_warning(NULL, 0, &code, &seconds, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_warning(r, 0, &code, &seconds, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_warning(r, 0, &code, &seconds, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_rttm(NULL, "a", text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_rttm(r, NULL, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_rttm(r, "a", NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_rttm(r, "a", text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_json(NULL, "a", 0, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_json(r, NULL, 0, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_json(r, "a", 0, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_json(r, "a", 0, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_vtt(NULL, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_vtt(r, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_vtt(r, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_srt(NULL, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_srt(r, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_diarization_to_srt(r, text, 4, NULL));
}

static void galleries(const vf_gallery *g, const vf_diarizer *d, const vf_diarization *r)
{
    const float x[2] = {0};
    char text[4];
    size_t n = 5;
    int32_t voice = 5;
    float score = 5.0f;
    vf_gallery *out = (vf_gallery *)(void *)&n;

    CHECK_STATUS(VF_E_NULL, vf_gallery_create(NULL, &out));
    CHECK(out == NULL);
    CHECK_STATUS(VF_E_NULL, vf_gallery_create(d, NULL));
    out = (vf_gallery *)(void *)&n;
    CHECK_STATUS(VF_E_NULL, vf_gallery_load(NULL, "g.json", &out));
    CHECK(out == NULL);
    CHECK_STATUS(VF_E_NULL, vf_gallery_load(d, NULL, &out));
    CHECK_STATUS(VF_E_NULL, vf_gallery_load(d, "g.json", NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_save(NULL, "g.json"));
    CHECK_STATUS(VF_E_NULL, vf_gallery_save(g, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_enroll_file(NULL, d, "a", "a.wav", NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_enroll_file(g, NULL, "a", "a.wav", NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_enroll_file(g, d, NULL, "a.wav", NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_enroll_file(g, d, "a", NULL, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_enroll_f32(NULL, d, "a", x, 2, 16000, 1, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_enroll_f32(g, NULL, "a", x, 2, 16000, 1, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_enroll_f32(g, d, NULL, x, 2, 16000, 1, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_enroll_f32(g, d, "a", NULL, 2, 16000, 1, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_enroll_embedding(NULL, "a", x, 2, 1.0));
    CHECK_STATUS(VF_E_NULL, vf_gallery_enroll_embedding(g, NULL, x, 2, 1.0));
    CHECK_STATUS(VF_E_NULL, vf_gallery_enroll_embedding(g, "a", NULL, 2, 1.0));
    CHECK_STATUS(VF_E_NULL, vf_gallery_remove(NULL, "a"));
    CHECK_STATUS(VF_E_NULL, vf_gallery_remove(g, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_count(NULL, &n));
    CHECK(n == 0);
    CHECK_STATUS(VF_E_NULL, vf_gallery_count(g, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_threshold(NULL, &score));
    CHECK_STATUS(VF_E_NULL, vf_gallery_threshold(g, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_name(NULL, 0, text, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_gallery_name(g, 0, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_gallery_name(g, 0, text, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_identify(NULL, x, 2, 0.5f, text, 4, &n, &score));
    CHECK(score == -1.0f);
    CHECK_STATUS(VF_E_NULL, vf_gallery_identify(g, NULL, 2, 0.5f, text, 4, &n, &score));
    CHECK_STATUS(VF_E_NULL, vf_gallery_identify(g, x, 2, 0.5f, NULL, 4, &n, &score));
    CHECK_STATUS(VF_E_NULL, vf_gallery_identify(g, x, 2, 0.5f, text, 4, NULL, &score));
    CHECK_STATUS(VF_E_NULL, vf_gallery_identify(g, x, 2, 0.5f, text, 4, &n, NULL));
    CHECK_STATUS(VF_E_NULL, vf_gallery_identify_diarization(NULL, r, 0.5f, &voice, &score, 1, &n));
    CHECK_STATUS(VF_E_NULL, vf_gallery_identify_diarization(g, NULL, 0.5f, &voice, &score, 1, &n));
    CHECK_STATUS(VF_E_NULL, vf_gallery_identify_diarization(g, r, 0.5f, NULL, &score, 1, &n));
    CHECK_STATUS(VF_E_NULL, vf_gallery_identify_diarization(g, r, 0.5f, &voice, NULL, 1, &n));
    CHECK_STATUS(VF_E_NULL, vf_gallery_identify_diarization(g, r, 0.5f, &voice, &score, 1, NULL));
    vf_gallery_destroy(NULL);
}

static void streams(const vf_stream *s, const vf_diarizer *d)
{
    const float x[2] = {0};
    const int16_t i[2] = {0};
    vf_segment segment;
    float embedding[4];
    int32_t numbers[4];
    double latency_ms = 0.0;
    size_t n = 5;
    vf_diarization *result = (vf_diarization *)(void *)&n;
    vf_stream *out = (vf_stream *)(void *)&n;

    CHECK_STATUS(VF_E_NULL, vf_stream_create(NULL, NULL, 16000, 1, NULL, &out));
    CHECK(out == NULL);
    CHECK_STATUS(VF_E_NULL, vf_stream_create(d, NULL, 16000, 1, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_stream_latency_ms(NULL, &latency_ms));
    CHECK_STATUS(VF_E_NULL, vf_stream_latency_ms(s, NULL));
    CHECK_STATUS(VF_E_NULL, vf_stream_push_f32(NULL, x, 2, NULL));
    CHECK_STATUS(VF_E_NULL, vf_stream_push_f32(s, NULL, 2, NULL));
    CHECK_TEXT("samples: must not be NULL");
    CHECK_STATUS(VF_E_NULL, vf_stream_push_i16(NULL, i, 2, NULL));
    CHECK_STATUS(VF_E_NULL, vf_stream_push_i16(s, NULL, 2, NULL));
    CHECK_STATUS(VF_E_NULL, vf_stream_read(NULL, &segment, 1, &n));
    CHECK(n == 0);
    CHECK_STATUS(VF_E_NULL, vf_stream_read(s, NULL, 1, &n));
    CHECK_STATUS(VF_E_NULL, vf_stream_read(s, &segment, 1, NULL));
    uint64_t updates = 0;
    CHECK_STATUS(VF_E_NULL, vf_stream_updates(NULL, &updates));
    CHECK_STATUS(VF_E_NULL, vf_stream_updates(s, NULL));
    n = 9;
    CHECK_STATUS(VF_E_NULL, vf_stream_speaker_count(NULL, &n));
    CHECK(n == 0);
    CHECK_STATUS(VF_E_NULL, vf_stream_speaker_count(s, NULL));
    CHECK_STATUS(VF_E_NULL, vf_stream_speaker_embedding(NULL, 0, embedding, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_stream_speaker_embedding(s, 0, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_stream_speaker_embedding(s, 0, embedding, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_stream_finish(NULL, NULL, &result));
    CHECK(result == NULL);
    CHECK_STATUS(VF_E_NULL, vf_stream_finish(s, NULL, NULL));
    CHECK_STATUS(VF_E_NULL, vf_stream_final_speakers(NULL, numbers, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_stream_final_speakers(s, NULL, 4, &n));
    CHECK_STATUS(VF_E_NULL, vf_stream_final_speakers(s, numbers, 4, NULL));
    CHECK_STATUS(VF_E_NULL, vf_stream_reset(NULL, NULL));
    /* Nothing of this has ended it. */
    CHECK_STATUS(VF_OK, vf_stream_push_f32(s, x, 2, NULL));
    vf_stream_destroy(NULL);
}

int main(void)
{
    vf_session *session = test_session();
    vf_diarizer *diarizer = test_diarizer();
    vf_diarization *result = NULL;
    vf_gallery *gallery = NULL;
    vf_stream *stream = NULL;
    float *audio = test_audio(32000, 1);
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, 32000, 16000, 1, NULL, &result));
    sessions(session);
    diarizers(diarizer);
    results(result);
    CHECK_STATUS(VF_OK, vf_gallery_create(diarizer, &gallery));
    galleries(gallery, diarizer, result);
    vf_gallery_destroy(gallery);
    CHECK_STATUS(VF_OK, vf_stream_create(diarizer, NULL, 16000, 1, NULL, &stream));
    streams(stream, diarizer);
    vf_stream_destroy(stream);
    /* A result outlives its diarizer. */
    vf_diarizer_destroy(diarizer);
    results(result);
    vf_session_destroy(session);
    vf_diarization_destroy(result);
    free(audio);
    return 0;
}
