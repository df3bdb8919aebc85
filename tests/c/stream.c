/* The stream: its whole life, reading in small pieces, ending, cancelling from another thread, and
 * many at once. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "support.h"

#include <math.h>
#include <pthread.h>
#include <time.h>

#define RATE 16000u
#define SECONDS 24u
#define SAMPLES (SECONDS * RATE)
#define MOST 4096u
#define THREADS 4

/* Final segments in the order in which they came. */
typedef struct {
    vf_segment segments[MOST];
    size_t count;
} final_segments;

static vf_diarizer *diarizer;
static const float *audio;

static vf_stream *new_stream(void)
{
    vf_stream *stream = NULL;
    CHECK_STATUS(VF_OK, vf_stream_create(diarizer, NULL, RATE, 1, NULL, &stream));
    CHECK(stream != NULL);
    return stream;
}

/* Reads all that waits, `cap` segments at a time, and keeps the final ones. */
static void read_all(const vf_stream *stream, size_t cap, final_segments *all)
{
    vf_segment piece[16];
    size_t n = 0;
    int provisional = 0;
    CHECK(cap < 16);
    do {
        memset(piece, 0x55, sizeof piece);
        const int32_t untouched = piece[cap].speaker;
        CHECK_STATUS(VF_OK, vf_stream_read(stream, piece, cap, &n));
        CHECK(n <= cap && piece[n].speaker == untouched);
        for (size_t i = 0; i < n; i++) {
            const vf_segment *s = &piece[i];
            CHECK(s->start_s >= 0.0 && s->end_s > s->start_s && s->speaker >= 0 && s->reserved == 0);
            CHECK((s->flags & ~(uint32_t)(VF_SEGMENT_FINAL | VF_SEGMENT_OVERLAP)) == 0);
            if ((s->flags & VF_SEGMENT_FINAL) == 0) {
                provisional = 1;
                continue;
            }
            CHECK(!provisional && all->count < MOST);
            CHECK(all->count == 0 || all->segments[all->count - 1].end_s <= s->end_s);
            all->segments[all->count++] = *s;
        }
    } while (n > 0);
}

/* Hands in audio in pieces of `step` samples, reads `cap` segments at a time, and ends the
 * stream. */
static vf_diarization *diarize(const vf_stream *stream, size_t step, size_t cap, final_segments *all)
{
    vf_diarization *result = NULL;
    for (size_t at = 0; at < SAMPLES; at += step) {
        const size_t left = SAMPLES - at;
        CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, audio + at, left < step ? left : step, NULL));
        read_all(stream, cap, all);
    }
    CHECK_STATUS(VF_OK, vf_stream_finish(stream, NULL, &result));
    CHECK(result != NULL);
    read_all(stream, cap, all);
    return result;
}

static int same(const final_segments *a, const final_segments *b)
{
    return a->count == b->count && memcmp(a->segments, b->segments, a->count * sizeof a->segments[0]) == 0;
}

static void check_speakers(const vf_stream *stream, const final_segments *all)
{
    vf_model_info info;
    size_t speakers = 0, n = 0;
    info.size = sizeof info;
    CHECK_STATUS(VF_OK, vf_diarizer_describe(diarizer, &info));
    float *embedding = (float *)allocate(info.embedding_dim * sizeof *embedding);
    CHECK_STATUS(VF_OK, vf_stream_speaker_count(stream, &speakers));
    CHECK(speakers > 0 && speakers <= 100);
    for (size_t i = 0; i < all->count; i++) {
        CHECK((size_t)all->segments[i].speaker < speakers);
    }
    for (int32_t i = 0; (size_t)i < speakers; i++) {
        float length = 0.0f;
        CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_stream_speaker_embedding(stream, i, NULL, 0, &n));
        CHECK(n == info.embedding_dim);
        CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_stream_speaker_embedding(stream, i, embedding, n - 1, &n));
        CHECK_STATUS(VF_OK, vf_stream_speaker_embedding(stream, i, embedding, n, &n));
        CHECK(n == info.embedding_dim);
        for (size_t k = 0; k < n; k++) {
            length += embedding[k] * embedding[k];
        }
        CHECK(fabsf(length - 1.0f) < 0.01f);
    }
    const int32_t wrong[3] = {-1, (int32_t)speakers, INT32_MAX};
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(VF_E_INVALID_ARGUMENT,
                     vf_stream_speaker_embedding(stream, wrong[i], embedding, info.embedding_dim, &n));
        CHECK(n == 0);
        CHECK_TEXT("speaker: expected one of");
    }
    free(embedding);
}

static void check_end(const vf_stream *stream, vf_diarization *result)
{
    int32_t last[100];
    size_t n = 0, speakers = 0, known = 0;
    double duration_s = 0.0;
    CHECK_STATUS(VF_OK, vf_diarization_duration(result, &duration_s));
    CHECK(fabs(duration_s - SECONDS) < 1e-9);
    CHECK_STATUS(VF_OK, vf_diarization_speaker_count(result, &known));
    CHECK_STATUS(VF_OK, vf_stream_speaker_count(stream, &speakers));
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_stream_final_speakers(stream, last, speakers - 1, &n));
    CHECK(n == speakers);
    CHECK_STATUS(VF_OK, vf_stream_final_speakers(stream, last, 100, &n));
    CHECK(n == speakers);
    for (size_t i = 0; i < n; i++) {
        CHECK(last[i] >= -1 && last[i] < (int32_t)known);
    }
    vf_diarization_destroy(result);
    /* It has ended. */
    result = (vf_diarization *)(void *)last;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_stream_push_f32(stream, audio, 1, NULL));
    CHECK_TEXT("expected no audio after finish");
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_stream_finish(stream, NULL, &result));
    CHECK(result == NULL);
    CHECK_TEXT("expected to be finished once");
}

static void whole_life(final_segments *expected)
{
    static final_segments again;
    size_t n = 9;
    int32_t last[1];
    vf_stream *stream = new_stream();
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_stream_final_speakers(stream, last, 1, &n));
    CHECK(n == 0);
    CHECK_TEXT("expected to be finished first");
    CHECK_STATUS(VF_OK, vf_stream_read(stream, NULL, 0, &n));
    CHECK(n == 0);
    vf_diarization *result = diarize(stream, SAMPLES, 15, expected);
    CHECK(expected->count > 0);
    check_speakers(stream, expected);
    check_end(stream, result);

    /* Anew, in small pieces. */
    CHECK_STATUS(VF_OK, vf_stream_reset(stream, NULL));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_stream_final_speakers(stream, last, 1, &n));
    CHECK_STATUS(VF_OK, vf_stream_speaker_count(stream, &n));
    CHECK(n == 0);
    vf_diarization_destroy(diarize(stream, 1234, 1, &again));
    CHECK(same(&again, expected));
    vf_stream_destroy(stream);
}

static void formats(void)
{
    const int16_t stereo[8] = {1, -1, 2, -2, 3, -3, INT16_MAX, INT16_MIN};
    float x[4] = {0.0f, 0.5f, NAN, 0.0f};
    double latency_ms = 0.0;
    size_t n = 0;
    vf_stream *stream = NULL;
    vf_options *options = test_options();
    CHECK_STATUS(VF_OK, vf_options_set_latency_s(options, 5.0));
    CHECK_STATUS(VF_OK, vf_options_set_history_s(options, 0.0));
    CHECK_STATUS(VF_OK, vf_stream_create(diarizer, options, 48000, 2, NULL, &stream));
    vf_options_destroy(options);
    CHECK_STATUS(VF_OK, vf_stream_latency_ms(stream, &latency_ms));
    CHECK(latency_ms > 4900.0 && latency_ms < 5500.0);
    CHECK_STATUS(VF_OK, vf_stream_push_i16(stream, stereo, 4, NULL));
    CHECK_STATUS(VF_OK, vf_stream_push_i16(stream, NULL, 0, NULL));
    CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, NULL, 0, NULL));
    CHECK_STATUS(VF_E_AUDIO, vf_stream_push_f32(stream, x, 2, NULL));
    CHECK_TEXT("NaN at index 2");
    x[2] = -INFINITY;
    CHECK_STATUS(VF_E_AUDIO, vf_stream_push_f32(stream, x, 2, NULL));
    CHECK_STATUS(VF_E_LIMIT, vf_stream_push_f32(stream, x, SIZE_MAX, NULL));
    CHECK_STATUS(VF_E_LIMIT, vf_stream_push_i16(stream, stereo, SIZE_MAX / 2, NULL));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT,
                 vf_stream_push_f32(stream, (const float *)(const void *)((const char *)x + 1), 1, NULL));
    CHECK_TEXT("aligned");
    x[2] = 1.0f;
    CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, x, 2, NULL));
    CHECK_STATUS(VF_OK, vf_stream_speaker_count(stream, &n));
    vf_stream_destroy(stream);

    const uint32_t wrong[5][2] = {{999, 1}, {768001, 1}, {RATE, 0}, {RATE, 33}, {RATE, 65537}};
    for (int i = 0; i < 5; i++) {
        stream = (vf_stream *)(void *)x;
        CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_stream_create(diarizer, NULL, wrong[i][0], wrong[i][1], NULL, &stream));
        CHECK(stream == NULL);
    }
}

typedef struct {
    const vf_stream *stream;
    const float *samples;
    size_t count;
    const vf_cancel *cancel;
    vf_status status;
    char text[256];
} long_push;

static void *push_long(void *argument)
{
    long_push *own = (long_push *)argument;
    vf_call call = new_call();
    call.cancel = own->cancel;
    own->status = vf_stream_push_f32(own->stream, own->samples, own->count, &call);
    (void)vf_last_error(own->text, sizeof own->text);
    return NULL;
}

/* A push of minutes is ended from here, and nothing of it is lost. */
static void cancel_push(void)
{
    const size_t repeats = 50;
    const struct timespec pause = {0, 1000000L};
    vf_segment segment;
    size_t n = 0;
    pthread_t thread;
    float *minutes = (float *)allocate(repeats * SAMPLES * sizeof *minutes);
    for (size_t i = 0; i < repeats; i++) {
        memcpy(minutes + i * SAMPLES, audio, SAMPLES * sizeof *minutes);
    }
    vf_stream *stream = new_stream();
    vf_cancel *cancel = new_cancel();
    long_push own;
    memset(&own, 0, sizeof own);
    own.stream = stream;
    own.samples = minutes;
    own.count = repeats * SAMPLES;
    own.cancel = cancel;
    CHECK(pthread_create(&thread, NULL, push_long, &own) == 0);
    while (n == 0) {
        (void)nanosleep(&pause, NULL);
        CHECK_STATUS(VF_OK, vf_stream_read(stream, &segment, 1, &n));
    }
    CHECK_STATUS(VF_OK, vf_cancel_set(cancel));
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(own.status == VF_E_CANCELLED && strstr(own.text, "cancelled") != NULL);
    CHECK_STATUS(VF_OK, vf_stream_reset(stream, NULL));
    CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, audio, RATE, NULL));
    vf_stream_destroy(stream);
    vf_cancel_destroy(cancel);
    free(minutes);
}

typedef struct {
    const vf_stream *stream;
    const vf_cancel *cancel;
} ending;

static void stop_at_once(void *user_data, int32_t stage, float fraction)
{
    const ending *own = (const ending *)user_data;
    CHECK(stage >= VF_STAGE_WAITING && fraction >= 0.0f);
    /* Calling back is refused. */
    CHECK(vf_stream_push_f32(own->stream, audio, 1, NULL) == VF_E_INVALID_ARGUMENT);
    CHECK(vf_cancel_set(own->cancel) == VF_OK);
}

static void cancelled_end(const final_segments *expected)
{
    static final_segments all;
    vf_diarization *result = NULL;
    vf_stream *stream = new_stream();
    CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, audio, SAMPLES, NULL));
    vf_cancel *cancel = new_cancel();
    ending own = {stream, cancel};
    vf_call call = new_call();
    call.cancel = cancel;
    call.progress = stop_at_once;
    call.user_data = &own;
    CHECK_STATUS(VF_E_CANCELLED, vf_stream_finish(stream, &call, &result));
    CHECK(result == NULL);
    vf_cancel_destroy(cancel);
    /* What a push has no use for is refused; a finish uses it. */
    call = new_call();
    call.flags = VF_CALL_EXCLUSIVE;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_stream_push_f32(stream, audio, 1, &call));
    CHECK_TEXT("call: exclusive: expected none, as a push has no use for it");
    CHECK_STATUS(VF_OK, vf_stream_finish(stream, NULL, &result));
    read_all(stream, 7, &all);
    CHECK(same(&all, expected));
    check_end(stream, result);
    vf_stream_destroy(stream);
}

typedef struct {
    vf_stream *stream;
    size_t step;
    final_segments all;
} listener;

static void *listen(void *argument)
{
    listener *own = (listener *)argument;
    vf_diarization_destroy(diarize(own->stream, own->step, 3, &own->all));
    return NULL;
}

/* Streams outlive their diarizer, and each gives what it gives alone. */
static void many(const final_segments *expected)
{
    static listener listeners[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        listeners[i].stream = new_stream();
        listeners[i].step = (size_t)333 << (2 * i);
    }
    vf_diarizer_destroy(diarizer);
    diarizer = NULL;
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, listen, &listeners[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(same(&listeners[i].all, expected));
        vf_stream_destroy(listeners[i].stream);
    }
}

int main(void)
{
    static final_segments expected;
    float *samples = test_audio(SAMPLES, 3);
    audio = samples;
    diarizer = test_diarizer();
    whole_life(&expected);
    formats();
    cancel_push();
    cancelled_end(&expected);
    many(&expected);
    vf_stream_destroy(NULL);
    free(samples);
    return 0;
}
