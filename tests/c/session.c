/* Sessions: creating with good and bad models, describing, inferring. */
#include "support.h"

/* Values that are enough for either output of one row. */
#define ROOM 4096u

#include <math.h>

#define SAMPLES 16000u

static void create_with(vf_options *options, vf_status expected, const char *text)
{
    vf_session *session = (vf_session *)(void *)&options;
    vf_diarizer *diarizer = (vf_diarizer *)(void *)&options;
    CHECK_STATUS(expected, vf_session_create(options, NULL, &session));
    CHECK(session == NULL);
    CHECK_TEXT(text);
    CHECK_STATUS(expected, vf_diarizer_create(options, NULL, &diarizer));
    CHECK(diarizer == NULL);
    CHECK_TEXT(text);
}

static void bad_models(void)
{
    size_t size = 0;
    unsigned char *model = read_file(setting("VF_TEST_MODEL"), &size);
    vf_options *options = test_options();

    CHECK_STATUS(VF_OK, vf_options_set_model_path(options, "/nowhere/model.onnx"));
    create_with(options, VF_E_NOT_FOUND, "/nowhere/model.onnx");
    CHECK_STATUS(VF_OK, vf_options_set_model_memory(options, model, size / 2));
    create_with(options, VF_E_MODEL, "model in memory");
    for (size_t i = 0; i < size; i++) {
        model[i] = (unsigned char)((i * 2654435761u) >> 7);
    }
    CHECK_STATUS(VF_OK, vf_options_set_model_memory(options, model, size));
    create_with(options, VF_E_MODEL, "model in memory");
    CHECK_STATUS(VF_OK, vf_options_set_model_memory(options, model, 1));
    create_with(options, VF_E_MODEL, "model in memory");
    CHECK_STATUS(VF_OK, vf_options_set_model_path(options, setting("VF_TEST_BROKEN_MODEL")));
    create_with(options, VF_E_MODEL, "voiceflow.contract");

    /* After all these failures the same options serve. The bytes were copied when they were set. */
    free(model);
    model = read_file(setting("VF_TEST_MODEL"), &size);
    CHECK_STATUS(VF_OK, vf_options_set_model_memory(options, model, size));
    memset(model, 0, size);
    free(model);
    vf_session *session = NULL;
    CHECK_STATUS(VF_OK, vf_session_create(options, NULL, &session));
    /* In any order. */
    vf_options_destroy(options);
    vf_session_destroy(session);
}

static void default_options(void)
{
    vf_session *session = NULL;
    if (strcmp(setting("VF_TEST_EMBEDDED"), "1") == 0) {
        CHECK_STATUS(VF_OK, vf_session_create(NULL, NULL, &session));
    } else {
        CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_session_create(NULL, NULL, &session));
        CHECK_TEXT("embedded");
    }
    vf_session_destroy(session);
}

static vf_model_info describe(const vf_session *session)
{
    vf_model_info info;
    char text[128];
    size_t n = 0;
    memset(&info, 0xff, sizeof info);
    info.size = sizeof info;
    CHECK_STATUS(VF_OK, vf_session_describe(session, &info));
    CHECK(info.size == sizeof info && info.sample_rate == 16000 && info.provider == VF_PROVIDER_CPU);
    CHECK(info.window_samples >= info.hop_samples && info.hop_samples > 0 && info.frame_step_samples > 0);
    CHECK(info.max_speakers > 0 && info.embedding_dim > 0);
    info.size = sizeof info;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT,
                 vf_session_describe(session, (vf_model_info *)(void *)((char *)&info + 1)));
    CHECK_TEXT("aligned");
    info.size = sizeof info - 1;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_session_describe(session, &info));
    CHECK_TEXT("size");
    info.size = 0;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_session_describe(session, &info));

    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_session_model_name(session, NULL, 0, &n));
    CHECK(n > 1 && n <= sizeof text);
    memset(text, 'x', sizeof text);
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_session_model_name(session, text, n - 1, &n));
    CHECK(text[0] == 'x');
    CHECK_STATUS(VF_OK, vf_session_model_name(session, text, n, &n));
    CHECK(strlen(text) == n - 1);
    CHECK_STATUS(VF_OK, vf_session_model_version(session, text, sizeof text, &n));
    CHECK(strlen(text) == n - 1 && strchr(text, '.') != NULL);
    CHECK_STATUS(VF_OK, vf_session_model_sha256(session, text, 65, &n));
    CHECK(n == 65 && strspn(text, "0123456789abcdef") == 64);
    return info;
}

static void infer(const vf_session *session, const vf_model_info *info)
{
    size_t frames = 0, activity_n = 0, embedding_n = 0, again = 0;
    float *audio = test_audio(2 * SAMPLES, 3);

    /* Nothing is written where either buffer is too small, whether the length is new or not. */
    float little[2] = {7.0f, 7.0f};
    for (int round = 0; round < 2; round++) {
        CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_session_infer(session, audio, 2, SAMPLES, NULL, little, 2, &activity_n, NULL, 0,
                                                             &embedding_n, &frames));
        CHECK(little[0] == 7.0f && little[1] == 7.0f);
        CHECK(frames > 0 && activity_n == 2 * frames * info->max_speakers);
        CHECK(embedding_n == 2u * info->max_speakers * info->embedding_dim);
    }
    CHECK_STATUS(VF_OK, vf_session_frames(session, SAMPLES, &again));
    CHECK(again == frames);
    CHECK_STATUS(VF_OK, vf_session_frames(session, 2 * SAMPLES, &again));
    CHECK(again > frames);

    float *activity = (float *)allocate(activity_n * sizeof *activity);
    float *embedding = (float *)allocate(embedding_n * sizeof *embedding);
    memset(activity, 0xff, activity_n * sizeof *activity);
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_session_infer(session, audio, 2, SAMPLES, NULL, activity, activity_n, &activity_n,
                                                         embedding, embedding_n - 1, &embedding_n, &frames));
    CHECK(isnan(activity[0]));
    CHECK_STATUS(VF_OK, vf_session_infer(session, audio, 2, SAMPLES, NULL, activity, activity_n, &activity_n, embedding,
                                         embedding_n, &embedding_n, &frames));
    for (size_t i = 0; i < activity_n; i++) {
        CHECK(activity[i] >= 0.0f && activity[i] <= 1.0f);
    }
    for (size_t voice = 0; voice < embedding_n; voice += info->embedding_dim) {
        double square = 0.0;
        for (size_t i = 0; i < info->embedding_dim; i++) {
            square += (double)embedding[voice + i] * (double)embedding[voice + i];
        }
        CHECK(square < 1e-6 || fabs(square - 1.0) < 1e-3);
    }
    free(activity);
    free(embedding);
    free(audio);
}

static void bad_input(const vf_session *session)
{
    size_t frames = 9, a = 9, e = 9;
    float x[1600] = {0};
    float activity[4096], embedding[4096];
#define INFER(batch, samples) \
    vf_session_infer(session, x, batch, samples, NULL, activity, 4096, &a, embedding, 4096, &e, &frames)
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, INFER(0, 1600));
    CHECK(frames == 0 && a == 0 && e == 0);
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, INFER(1, 0));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, INFER(1, 1));
    CHECK_TEXT("[1, 1]");
    CHECK_STATUS(VF_E_LIMIT, INFER(1025, 1600));
    CHECK_STATUS(VF_E_LIMIT, INFER(SIZE_MAX, 1600));
    CHECK_STATUS(VF_E_LIMIT, INFER(1, 960001));
    CHECK_STATUS(VF_E_LIMIT, INFER(1, SIZE_MAX));
    CHECK_STATUS(VF_E_LIMIT, INFER(SIZE_MAX, SIZE_MAX));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_session_infer(session, NULL, 0, 1600, NULL, NULL, 0, &a, NULL, 0, &e, &frames));
    x[123] = NAN;
    CHECK_STATUS(VF_E_AUDIO, INFER(1, 1600));
    CHECK_TEXT("audio: expected finite samples, got NaN at index 123");
    CHECK(frames == 0 && a == 0 && e == 0);
    x[123] = 0.0f;
    x[0] = -INFINITY;
    CHECK_STATUS(VF_E_AUDIO, INFER(1, 1600));
    CHECK_TEXT("-inf at index 0");
    x[0] = 0.0f;
    /* The session is as good as before. */
    CHECK_STATUS(VF_OK, INFER(1, 1600));
    CHECK_STATUS(VF_OK, INFER(2, 800));
    CHECK_STATUS(VF_E_LIMIT, vf_session_frames(session, 960001, &frames));
    CHECK(frames == 0);
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_session_frames(session, 0, &frames));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_session_frames(session, 159, &frames));
    CHECK_TEXT("samples: expected at least 160 in a row, one frame of the model, got 159");
    CHECK_STATUS(VF_OK, vf_session_frames(session, 319, &frames));
    CHECK(frames == 1);
#undef INFER
}

static void deadline(void)
{
    float x[1600] = {0};
    size_t frames = 9, activity = 9, embedding = 9;
    vf_options *options = test_options();
    vf_session *session = NULL;
    vf_call call = new_call();
    call.flags = VF_CALL_DEADLINE;
    CHECK_STATUS(VF_OK, vf_session_create(options, NULL, &session));
    CHECK_STATUS(VF_OK, vf_session_frames(session, 1600, &frames));
    float *room = (float *)allocate(2 * ROOM * sizeof *room);
#define INFER() \
    vf_session_infer(session, x, 1, 1600, &call, room, ROOM, &activity, room + ROOM, ROOM, &embedding, &frames)
    CHECK_STATUS(VF_E_DEADLINE, INFER());
    CHECK_TEXT("deadline of 0 ms");
    CHECK(frames == 0 && activity == 0 && embedding == 0);
    /* Times beyond what a clock can count are without end. */
    call.deadline_ms = UINT64_MAX;
    CHECK_STATUS(VF_OK, INFER());
    call = new_call();
    call.flags = VF_CALL_MIN_SPEAKERS;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, INFER());
    CHECK_TEXT("call: min_speakers: expected none, as an inference has no use for it");
#undef INFER
    free(room);
    vf_session_destroy(session);
    vf_options_destroy(options);
}

int main(void)
{
    bad_models();
    default_options();
    vf_session *session = test_session();
    const vf_model_info info = describe(session);
    infer(session, &info);
    bad_input(session);
    vf_session_destroy(session);
    deadline();
    return 0;
}
