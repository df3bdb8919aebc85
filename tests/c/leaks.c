/* Nothing grows: handles made, used and destroyed many times over, failures among them. */
#include "support.h"

#include <malloc.h>

#define RATE 16000u

static void one_stream(const vf_diarizer *diarizer, const float *audio)
{
    vf_stream *stream = NULL;
    vf_diarization *result = NULL;
    vf_segment segment;
    size_t n = 0;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_stream_create(diarizer, NULL, 1, 1, NULL, &stream));
    CHECK_STATUS(VF_OK, vf_stream_create(diarizer, NULL, RATE, 1, NULL, &stream));
    CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, audio, RATE, NULL));
    CHECK_STATUS(VF_OK, vf_stream_reset(stream, NULL));
    CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, audio, RATE, NULL));
    CHECK_STATUS(VF_OK, vf_stream_read(stream, &segment, 1, &n));
    CHECK_STATUS(VF_OK, vf_stream_finish(stream, NULL, &result));
    vf_diarization_destroy(result);
    vf_stream_destroy(stream);
}

static void one_life(const float *audio)
{
    vf_options *options = test_options();
    vf_session *session = NULL;
    vf_diarizer *diarizer = NULL;
    vf_diarization *result = NULL;
    size_t frames = 0;
    CHECK_STATUS(VF_OK, vf_session_create(options, NULL, &session));
    CHECK_STATUS(VF_OK, vf_session_frames(session, 1600, &frames));
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &diarizer));
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, RATE, RATE, 1, NULL, &result));
    vf_diarization_destroy(result);
    CHECK_STATUS(VF_E_NOT_FOUND, vf_diarizer_process_file(diarizer, "/nowhere", NULL, &result));
    one_stream(diarizer, audio);
    vf_diarizer_destroy(diarizer);
    vf_session_destroy(session);
    CHECK_STATUS(VF_OK, vf_options_set_model_path(options, setting("VF_TEST_BROKEN_MODEL")));
    CHECK_STATUS(VF_E_MODEL, vf_session_create(options, NULL, &session));
    vf_options_destroy(options);
}

/* Audio of `count` lengths, from `first` samples on. */
static void many_lengths(const vf_session *session, const float *audio, size_t first, size_t count)
{
    static float activity[1000], embedding[100];
    size_t n, m, frames;
    for (size_t i = 0; i < count; i++) {
        CHECK_STATUS(VF_OK,
                     vf_session_infer(session, audio, 1, first + i, NULL, activity, 1000, &n, embedding, 100, &m, &frames));
    }
}

static size_t in_use(void)
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

int main(void)
{
    enum { LIVES = 60, ALLOWED = 64 * 1024 };
    float *audio = test_audio(RATE, 4);
    for (int i = 0; i < 5; i++) {
        one_life(audio);
    }
    size_t before = in_use();
    for (int i = 0; i < LIVES; i++) {
        one_life(audio);
    }
    size_t after = in_use();
    if (after > before + ALLOWED) {
        fprintf(stderr, "%d lives took %zu bytes that they did not give back\n", LIVES, after - before);
        return 1;
    }

    /* The first lengths are remembered, and what their runs need is planned. */
    vf_session *session = test_session();
    many_lengths(session, audio, 1600, 200);
    before = in_use();
    many_lengths(session, audio, 2000, 2000);
    after = in_use();
    if (after > before + ALLOWED) {
        fprintf(stderr, "2,000 lengths of audio took %zu bytes for ever\n", after - before);
        return 1;
    }
    vf_session_destroy(session);
    free(audio);
    return 0;
}
