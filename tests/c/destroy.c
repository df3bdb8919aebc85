/* Destroying: the handles of one model in every order, those left used after each; and on one
 * thread while others use handles of the same model. */
#include "support.h"

#include <pthread.h>

#define RATE 16000u
#define ROW 1600u
#define ROOM 65536u
#define THREADS 3
#define ROUNDS 10

enum { OPTIONS, SESSION, DIARIZER, RESULT, HANDLES };

typedef struct {
    vf_options *options;
    vf_session *session;
    vf_diarizer *diarizer;
    vf_diarization *result;
} handles;

static const float *audio;

static void infer(const vf_session *session)
{
    size_t frames = 0, n = 0, m = 0;
    float *activity = (float *)allocate(ROOM * sizeof *activity);
    float *embedding = (float *)allocate(ROOM * sizeof *embedding);
    CHECK_STATUS(VF_OK, vf_session_infer(session, audio, 1, ROW, NULL, activity, ROOM, &n, embedding, ROOM, &m, &frames));
    free(activity);
    free(embedding);
}

static vf_diarization *diarize(const vf_diarizer *diarizer)
{
    vf_diarization *result = NULL;
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, RATE, RATE, 1, NULL, &result));
    return result;
}

static handles make(void)
{
    handles all = {test_options(), NULL, NULL, NULL};
    CHECK_STATUS(VF_OK, vf_session_create(all.options, NULL, &all.session));
    CHECK_STATUS(VF_OK, vf_diarizer_create(all.options, NULL, &all.diarizer));
    all.result = diarize(all.diarizer);
    return all;
}

static void use(const handles *all)
{
    size_t n = 0;
    if (all->options != NULL) {
        CHECK_STATUS(VF_OK, vf_options_set_threads(all->options, 1));
    }
    if (all->session != NULL) {
        infer(all->session);
    }
    if (all->diarizer != NULL) {
        vf_diarization_destroy(diarize(all->diarizer));
    }
    if (all->result != NULL) {
        CHECK_STATUS(VF_OK, vf_diarization_segment_count(all->result, &n));
    }
}

static void destroy(handles *all, int which)
{
    switch (which) {
    case OPTIONS:
        vf_options_destroy(all->options);
        all->options = NULL;
        break;
    case SESSION:
        vf_session_destroy(all->session);
        all->session = NULL;
        break;
    case DIARIZER:
        vf_diarizer_destroy(all->diarizer);
        all->diarizer = NULL;
        break;
    default:
        vf_diarization_destroy(all->result);
        all->result = NULL;
    }
}

static void every_order(void)
{
    int orders = 0;
    for (int code = 0; code < HANDLES * HANDLES * HANDLES; code++) {
        const int a = code / (HANDLES * HANDLES), b = code / HANDLES % HANDLES, c = code % HANDLES;
        if (a == b || a == c || b == c) {
            continue;
        }
        const int order[HANDLES] = {a, b, c, OPTIONS + SESSION + DIARIZER + RESULT - a - b - c};
        handles all = make();
        for (int i = 0; i < HANDLES; i++) {
            destroy(&all, order[i]);
            use(&all);
        }
        orders++;
    }
    CHECK(orders == 24);
}

static void *work(void *argument)
{
    const handles *shared = (const handles *)argument;
    for (int round = 0; round < ROUNDS; round++) {
        infer(shared->session);
        vf_diarization_destroy(diarize(shared->diarizer));
    }
    return NULL;
}

/* Destroys a result on another thread than the one that made it. */
static void *destroy_result(void *argument)
{
    vf_diarization_destroy((vf_diarization *)argument);
    return NULL;
}

static void beside_others(void)
{
    pthread_t threads[THREADS], other;
    handles shared = make();
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, work, &shared) == 0);
    }
    CHECK(pthread_create(&other, NULL, destroy_result, shared.result) == 0);
    /* The model, ONNX Runtime and the options are in use: their other handles come and go. */
    for (int round = 0; round < ROUNDS; round++) {
        handles own = make();
        for (int which = HANDLES - 1; which >= 0; which--) {
            destroy(&own, which);
        }
    }
    vf_options_destroy(shared.options);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK(pthread_join(other, NULL) == 0);
    vf_session_destroy(shared.session);
    vf_diarizer_destroy(shared.diarizer);
}

int main(void)
{
    float *samples = test_audio(RATE, 7);
    audio = samples;
    every_order();
    beside_others();
    free(samples);
    return 0;
}
