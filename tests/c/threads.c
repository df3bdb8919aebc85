/* Many threads on one diarizer and one session, results and error texts of each its own. */
#include "support.h"

#include <pthread.h>

#define THREADS 6
#define ROUNDS 4
#define SAMPLES (6u * 16000u)
#define ROW 8000u

static vf_diarizer *diarizer;
static vf_session *session;
static const float *audio;
static char *expected_rttm;
static float *expected_activity;
static size_t expected_values;

static char *rttm_of(const vf_diarization *result)
{
    size_t n = 0;
    (void)vf_diarization_to_rttm(result, "r", NULL, 0, &n);
    char *text = (char *)allocate(n);
    CHECK_STATUS(VF_OK, vf_diarization_to_rttm(result, "r", text, n, &n));
    return text;
}

static char *diarize_once(void)
{
    vf_diarization *result = NULL;
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, SAMPLES, 16000, 1, NULL, &result));
    char *text = rttm_of(result);
    vf_diarization_destroy(result);
    return text;
}

static float *infer_once(size_t *values)
{
    size_t frames = 0, embedding_n = 0;
    float embedding[16 * 512];
    vf_model_info info;
    info.size = sizeof info;
    CHECK_STATUS(VF_OK, vf_session_describe(session, &info));
    CHECK_STATUS(VF_OK, vf_session_frames(session, ROW, &frames));
    *values = 2 * frames * info.max_speakers;
    float *activity = (float *)allocate(*values * sizeof *activity);
    CHECK_STATUS(VF_OK, vf_session_infer(session, audio, 2, ROW, NULL, activity, *values, values, embedding, 16 * 512,
                                         &embedding_n, &frames));
    return activity;
}

static void ignore(void *user_data, int32_t level, const char *target, const char *message)
{
    (void)user_data;
    CHECK(level >= VF_LOG_ERROR && target != NULL && message != NULL);
}

static void *work(void *argument)
{
    const size_t number = (size_t)argument;
    for (int round = 0; round < ROUNDS; round++) {
        char own[64];
        size_t values = 0;
        vf_diarization *none = NULL;
        char *text = diarize_once();
        CHECK(strcmp(text, expected_rttm) == 0);
        free(text);
        float *activity = infer_once(&values);
        CHECK(values == expected_values && memcmp(activity, expected_activity, values * sizeof *activity) == 0);
        free(activity);
        /* Each thread reads the text of its own failure. */
        (void)snprintf(own, sizeof own, "/nowhere/%u.wav", (unsigned)number);
        CHECK_STATUS(VF_E_NOT_FOUND, vf_diarizer_process_file(diarizer, own, NULL, &none));
        CHECK_TEXT(own);
        if (number == 0) {
            CHECK_STATUS(VF_OK, vf_set_log_callback(round % 2 == 0 ? ignore : NULL, NULL, VF_LOG_TRACE));
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    vf_options *options = test_options();
    float *samples = test_audio(SAMPLES, 9);
    audio = samples;
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &diarizer));
    /* Run slots are of sessions: a diarizer has one for each thread. */
    CHECK_STATUS(VF_OK, vf_options_set_slots(options, 2));
    vf_diarizer *refused = NULL;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarizer_create(options, NULL, &refused));
    CHECK_TEXT("slots: expected not to be set for a diarizer");
    CHECK_STATUS(VF_OK, vf_session_create(options, NULL, &session));
    vf_options_destroy(options);
    expected_rttm = diarize_once();
    expected_activity = infer_once(&expected_values);
    for (size_t i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK_STATUS(VF_OK, vf_set_log_callback(NULL, NULL, 0));
    vf_session_destroy(session);
    vf_diarizer_destroy(diarizer);
    free(expected_rttm);
    free(expected_activity);
    free(samples);
    return 0;
}
