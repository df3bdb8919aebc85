/* The diarizer and its results. The files of audio to process are the arguments. */
#include "support.h"

#include <math.h>

#define RATE 16000u

static void check_result(const vf_diarization *result, double duration_s)
{
    double duration = -1.0, last = 0.0;
    size_t count = 0, speakers = 0, n = 0;
    CHECK_STATUS(VF_OK, vf_diarization_duration(result, &duration));
    CHECK(duration_s < 0.0 || fabs(duration - duration_s) < 0.01);
    CHECK_STATUS(VF_OK, vf_diarization_segment_count(result, &count));
    CHECK_STATUS(VF_OK, vf_diarization_speaker_count(result, &speakers));
    CHECK((count == 0) == (speakers == 0) && speakers <= 100);

    vf_segment *segments = (vf_segment *)allocate((count + 1) * sizeof *segments);
    memset(segments, 0x55, (count + 1) * sizeof *segments);
    const int32_t untouched = segments[count].speaker;
    if (count > 0) {
        CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarization_segments(result, NULL, 0, &n));
        CHECK(n == count);
        CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarization_segments(result, segments, count - 1, &n));
        CHECK(n == count && segments[0].speaker == untouched);
    }
    CHECK_STATUS(VF_OK, vf_diarization_segments(result, segments, count + 1, &n));
    CHECK(n == count && segments[count].speaker == untouched);
    for (size_t i = 0; i < count; i++) {
        const vf_segment *s = &segments[i];
        CHECK(s->start_s >= last && s->end_s > s->start_s && s->end_s <= duration);
        CHECK(s->speaker >= 0 && (size_t)s->speaker < speakers);
        CHECK(s->confidence >= 0.0f && s->confidence <= 1.0f);
        CHECK((s->flags & ~(uint32_t)VF_SEGMENT_OVERLAP) == VF_SEGMENT_FINAL && s->reserved == 0);
        last = s->start_s;
    }
    free(segments);
}

static void check_speakers(const vf_diarization *result, size_t dim)
{
    char label[32];
    double speech = -1.0;
    float *embedding = (float *)allocate(dim * sizeof *embedding);
    size_t speakers = 0, n = 0;
    CHECK_STATUS(VF_OK, vf_diarization_speaker_count(result, &speakers));
    for (int32_t i = 0; (size_t)i < speakers; i++) {
        char expected[32];
        (void)snprintf(expected, sizeof expected, "SPEAKER_%02d", (int)i);
        CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarization_speaker_label(result, i, label, 5, &n));
        CHECK(n == strlen(expected) + 1);
        CHECK_STATUS(VF_OK, vf_diarization_speaker_label(result, i, label, sizeof label, &n));
        CHECK(strcmp(label, expected) == 0);
        CHECK_STATUS(VF_OK, vf_diarization_speaker_speech(result, i, &speech));
        CHECK(speech > 0.0);
        CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarization_speaker_embedding(result, i, embedding, dim - 1, &n));
        CHECK(n == dim);
        CHECK_STATUS(VF_OK, vf_diarization_speaker_embedding(result, i, embedding, dim, &n));
        CHECK(isfinite(embedding[0]) && isfinite(embedding[dim - 1]));
    }
    const int32_t wrong[3] = {-1, (int32_t)speakers, INT32_MAX};
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarization_speaker_label(result, wrong[i], label, sizeof label, &n));
        CHECK_TEXT("speaker: ");
        CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarization_speaker_speech(result, wrong[i], &speech));
        CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarization_speaker_embedding(result, wrong[i], embedding, dim, &n));
    }
    free(embedding);
}

static size_t lines(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '\n';
    }
    return count;
}

static void check_texts(const vf_diarization *result)
{
    size_t count = 0, n = 0, again = 0;
    CHECK_STATUS(VF_OK, vf_diarization_segment_count(result, &count));

    vf_status status = vf_diarization_to_rttm(result, "my meeting", NULL, 0, &n);
    CHECK(status == VF_E_BUFFER_TOO_SMALL && n >= 1);
    char *text = (char *)allocate(n);
    text[0] = 'x';
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarization_to_rttm(result, "my meeting", text, n - 1, &again));
    CHECK(again == n && text[0] == 'x');
    CHECK_STATUS(VF_OK, vf_diarization_to_rttm(result, "my meeting", text, n, &again));
    CHECK(again == n && strlen(text) == n - 1 && lines(text) == count);
    CHECK(count == 0 || strncmp(text, "SPEAKER my_meeting 1 ", 21) == 0);
    free(text);

    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarization_to_json(result, "a \"b\"", 0, NULL, 0, &n));
    text = (char *)allocate(n);
    CHECK_STATUS(VF_OK, vf_diarization_to_json(result, "a \"b\"", 0, text, n, &n));
    CHECK(text[0] == '{' && strstr(text, "\"a \\\"b\\\"\"") != NULL);
    /* Voices leave the library only where they are asked for. */
    CHECK(strstr(text, "\"embedding\"") == NULL);
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarization_to_json(result, "a", 1, NULL, 0, &again));
    CHECK(count == 0 || again > n);
    char *with_voices = (char *)allocate(again);
    CHECK_STATUS(VF_OK, vf_diarization_to_json(result, "a", 1, with_voices, again, &again));
    CHECK(count == 0 || strstr(with_voices, "\"embedding\": [") != NULL);
    free(with_voices);
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarization_to_json(result, "a", 2, NULL, 0, &again));
    CHECK_TEXT("embeddings: expected 0 or 1, got 2");
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarization_to_json(result, "\xc3(", 0, text, n, &n));
    CHECK(n == 0);
    CHECK_TEXT("recording: not UTF-8");
    free(text);

    status = vf_diarization_to_srt(result, NULL, 0, &n);
    CHECK(status == VF_E_BUFFER_TOO_SMALL && n >= 1);
    text = (char *)allocate(n);
    CHECK_STATUS(VF_OK, vf_diarization_to_srt(result, text, n, &n));
    CHECK(count == 0 || strstr(text, " --> ") != NULL);
    free(text);
}

/* A result made of the parts of another is the same. */
static void check_parts(const vf_diarization *result, size_t dim)
{
    size_t count = 0, speakers = 0, n = 0, again = 0;
    double duration_s = 0.0, speech_s = 0.0, speech_again_s = 0.0;
    CHECK_STATUS(VF_OK, vf_diarization_duration(result, &duration_s));
    CHECK_STATUS(VF_OK, vf_diarization_segment_count(result, &count));
    CHECK_STATUS(VF_OK, vf_diarization_speaker_count(result, &speakers));
    CHECK(count > 1 && speakers > 0);
    vf_segment *segments = (vf_segment *)allocate(count * sizeof *segments);
    float *embeddings = (float *)allocate(speakers * dim * sizeof *embeddings);
    CHECK_STATUS(VF_OK, vf_diarization_segments(result, segments, count, &n));
    for (size_t i = 0; i < speakers; i++) {
        CHECK_STATUS(VF_OK, vf_diarization_speaker_embedding(result, (int32_t)i, embeddings + i * dim, dim, &n));
    }
    vf_diarization *made = NULL;
    CHECK_STATUS(VF_OK, vf_diarization_create(duration_s, segments, count, embeddings, speakers, dim, &made));
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarization_to_json(result, "a", 1, NULL, 0, &n));
    char *text = (char *)allocate(n), *copy = (char *)allocate(n);
    CHECK_STATUS(VF_OK, vf_diarization_to_json(result, "a", 1, text, n, &n));
    CHECK_STATUS(VF_OK, vf_diarization_to_json(made, "a", 1, copy, n, &again));
    CHECK(again == n && strcmp(text, copy) == 0);
    CHECK_STATUS(VF_OK, vf_diarization_speaker_speech(result, 0, &speech_s));
    CHECK_STATUS(VF_OK, vf_diarization_speaker_speech(made, 0, &speech_again_s));
    CHECK(memcmp(&speech_s, &speech_again_s, sizeof speech_s) == 0);
    vf_diarization_destroy(made);
    free(text);
    free(copy);

    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarization_create(-1.0, NULL, 0, NULL, 0, 0, &made));
    CHECK_TEXT("duration_s: expected 0 or more seconds, got -1");
    CHECK(made == NULL);
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarization_create(duration_s, segments, count, NULL, 101, 0, &made));
    CHECK_TEXT("n_speakers: expected 0 to 100, got 101");
    CHECK_STATUS(VF_E_LIMIT, vf_diarization_create(duration_s, NULL, 0, embeddings, 2, SIZE_MAX / 2, &made));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarization_create(duration_s, segments, count, NULL, 0, 0, &made));
    CHECK_TEXT("segments: segment 0: speaker: ");
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarization_create(0.0, segments, count, embeddings, speakers, dim, &made));
    CHECK_TEXT("segments: segment 0: expected start_s before end_s, both 0 to 0 s");
    vf_segment first = segments[0];
    segments[0] = segments[1];
    segments[1] = first;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT,
                 vf_diarization_create(duration_s, segments, count, embeddings, speakers, dim, &made));
    CHECK_TEXT("segments: segment 1: expected it by start");
    segments[0].confidence = 2.0f;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT,
                 vf_diarization_create(duration_s, segments, 1, embeddings, speakers, dim, &made));
    CHECK_TEXT("segments: segment 0: confidence: expected 0 to 1, got 2");
    embeddings[0] = INFINITY;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarization_create(duration_s, NULL, 0, embeddings, speakers, dim, &made));
    CHECK_TEXT("embeddings: expected finite values, got inf at index 0");
    free(segments);
    free(embeddings);
}

static void buffers(const vf_diarizer *diarizer, size_t dim)
{
    const size_t samples = 12 * RATE;
    float *audio = test_audio(samples, 5);
    int16_t *integers = (int16_t *)allocate(2 * samples * sizeof *integers);
    vf_diarization *result = NULL;
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, samples, RATE, 1, NULL, &result));
    check_result(result, 12.0);
    check_speakers(result, dim);
    check_texts(result);
    check_parts(result, dim);
    vf_diarization_destroy(result);

    for (size_t i = 0; i < samples; i++) {
        integers[2 * i] = integers[2 * i + 1] = (int16_t)(audio[i] * 32767.0f);
    }
    CHECK_STATUS(VF_OK, vf_diarizer_process_i16(diarizer, integers, samples, 48000, 2, NULL, &result));
    check_result(result, 4.0);
    vf_diarization_destroy(result);

    /* Silence, one sample, none at all. */
    memset(audio, 0, samples * sizeof *audio);
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, samples, RATE, 1, NULL, &result));
    check_result(result, 12.0);
    vf_diarization_destroy(result);
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, 1, RATE, 1, NULL, &result));
    check_result(result, 1.0 / RATE);
    vf_diarization_destroy(result);
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, NULL, 0, RATE, 1, NULL, &result));
    check_result(result, 0.0);
    check_speakers(result, dim);
    check_texts(result);
    vf_diarization_destroy(result);
    CHECK_STATUS(VF_OK, vf_diarizer_process_i16(diarizer, NULL, 0, RATE, 32, NULL, &result));
    vf_diarization_destroy(result);
    free(audio);
    free(integers);
}

static void bad_buffers(const vf_diarizer *diarizer)
{
    float x[64] = {0};
    const int16_t i[64] = {0};
    vf_diarization *result = NULL;
#define REFUSED(status, frames, rate, channels)                                                                        \
    do {                                                                                                               \
        CHECK_STATUS(status, vf_diarizer_process_f32(diarizer, x, frames, rate, channels, NULL, &result));       \
        CHECK(result == NULL);                                                                                         \
        CHECK_STATUS(status, vf_diarizer_process_i16(diarizer, i, frames, rate, channels, NULL, &result));       \
        CHECK(result == NULL);                                                                                         \
    } while (0)
    REFUSED(VF_E_INVALID_ARGUMENT, 64, 0, 1);
    REFUSED(VF_E_INVALID_ARGUMENT, 64, 999, 1);
    REFUSED(VF_E_INVALID_ARGUMENT, 64, 768001, 1);
    REFUSED(VF_E_INVALID_ARGUMENT, 64, UINT32_MAX, 1);
    REFUSED(VF_E_INVALID_ARGUMENT, 64, RATE, 0);
    REFUSED(VF_E_INVALID_ARGUMENT, 1, RATE, 33);
    REFUSED(VF_E_INVALID_ARGUMENT, 1, RATE, 65537);
    REFUSED(VF_E_LIMIT, SIZE_MAX, RATE, 1);
    REFUSED(VF_E_LIMIT, SIZE_MAX, RATE, 2);
    REFUSED(VF_E_LIMIT, SIZE_MAX / 2, RATE, 2);
#undef REFUSED
    x[40] = NAN;
    CHECK_STATUS(VF_E_AUDIO, vf_diarizer_process_f32(diarizer, x, 64, RATE, 1, NULL, &result));
    CHECK(result == NULL);
    CHECK_TEXT("NaN");
    x[40] = INFINITY;
    CHECK_STATUS(VF_E_AUDIO, vf_diarizer_process_f32(diarizer, x, 32, RATE, 2, NULL, &result));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT,
                 vf_diarizer_process_f32(diarizer, (const float *)(const void *)((const char *)x + 1), 8, RATE, 1, NULL, &result));
    CHECK_TEXT("aligned");
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, x, 16, RATE, 1, NULL, &result));
    vf_diarization_destroy(result);
}

typedef struct {
    const vf_diarizer *diarizer;
    const vf_cancel *cancel;
    int calls;
    int stop_at;
    int32_t last_stage;
} progress_state;

static void on_progress(void *user_data, int32_t stage, float fraction)
{
    progress_state *state = (progress_state *)user_data;
    vf_diarization *result = NULL;
    const float x[4] = {0};
    CHECK(stage >= VF_STAGE_WAITING && stage <= VF_STAGE_RECONSTRUCTION);
    CHECK(fraction >= 0.0f && fraction <= 1.0f);
    state->calls++;
    state->last_stage = stage;
    /* Calling back is refused, and destroys nothing that is in use. */
    CHECK(vf_diarizer_process_f32(state->diarizer, x, 4, RATE, 1, NULL, &result) == VF_E_INVALID_ARGUMENT);
    vf_diarizer_destroy((vf_diarizer *)(size_t)state->diarizer);
    if (state->calls == state->stop_at) {
        CHECK(vf_cancel_set(NULL) == VF_E_NULL);
        CHECK(vf_cancel_set(state->cancel) == VF_OK);
    }
}

static void progress(const vf_diarizer *diarizer)
{
    const size_t samples = 20 * RATE;
    float *audio = test_audio(samples, 6);
    vf_diarization *result = NULL;
    progress_state state = {diarizer, NULL, 0, 0, -1};
    vf_call call = new_call();
    call.progress = on_progress;
    call.user_data = &state;
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, samples, RATE, 1, &call, &result));
    vf_diarization_destroy(result);
    const int calls = state.calls;
    CHECK(calls > 2 && state.last_stage == VF_STAGE_RECONSTRUCTION);
    const int stops[3] = {1, 2, calls};
    for (int i = 0; i < 3; i++) {
        state.calls = 0;
        state.stop_at = stops[i];
        vf_cancel *cancel = new_cancel();
        state.cancel = call.cancel = cancel;
        CHECK_STATUS(VF_E_CANCELLED, vf_diarizer_process_f32(diarizer, audio, samples, RATE, 1, &call, &result));
        CHECK(result == NULL && state.calls == stops[i]);
        CHECK_TEXT("cancelled while");
        vf_cancel_destroy(cancel);
    }
    free(audio);
}

static void files(const vf_diarizer *diarizer, int count, char **paths)
{
    vf_diarization *result = NULL;
    for (int i = 0; i < count; i++) {
        CHECK_STATUS(VF_OK, vf_diarizer_process_file(diarizer, paths[i], NULL, &result));
        check_result(result, -1.0);
        vf_diarization_destroy(result);
    }
    CHECK_STATUS(VF_E_NOT_FOUND, vf_diarizer_process_file(diarizer, "/nowhere/a.wav", NULL, &result));
    CHECK(result == NULL);
    CHECK_TEXT("/nowhere/a.wav");
    CHECK_STATUS(VF_E_AUDIO, vf_diarizer_process_file(diarizer, setting("VF_TEST_MODEL"), NULL, &result));
    CHECK_STATUS(VF_E_NOT_FOUND, vf_diarizer_process_file(diarizer, "a\xff.wav", NULL, &result));
    CHECK(vf_diarizer_process_file(diarizer, "/", NULL, &result) < 0 && result == NULL);
    CHECK(vf_diarizer_process_file(diarizer, "", NULL, &result) < 0 && result == NULL);
}

static void deadline(void)
{
    float x[1600] = {0};
    vf_options *options = test_options();
    vf_diarizer *diarizer = NULL;
    vf_diarization *result = NULL;
    vf_call call = new_call();
    call.flags = VF_CALL_DEADLINE;
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &diarizer));
    CHECK_STATUS(VF_E_DEADLINE, vf_diarizer_process_f32(diarizer, x, 1600, RATE, 1, &call, &result));
    CHECK(result == NULL);
    vf_diarizer_destroy(diarizer);
    CHECK_STATUS(VF_OK, vf_options_set_hop_s(options, 59.0));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarizer_create(options, NULL, &diarizer));
    CHECK(diarizer == NULL);
    CHECK_TEXT("hop_s");
    vf_options_destroy(options);
}

int main(int argc, char **argv)
{
    vf_model_info info;
    vf_diarizer *diarizer = test_diarizer();
    info.size = sizeof info;
    CHECK_STATUS(VF_OK, vf_diarizer_describe(diarizer, &info));
    CHECK(info.provider == VF_PROVIDER_CPU);
    buffers(diarizer, info.embedding_dim);
    bad_buffers(diarizer);
    progress(diarizer);
    files(diarizer, argc - 1, argv + 1);
    vf_diarizer_destroy(diarizer);
    deadline();
    return 0;
}
