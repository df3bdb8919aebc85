/* Cancelling from another thread, or from the progress callback: a switch ends the calls that have
 * it, and neither those beside them on the same handle nor the next one. */
#include "support.h"

#include <limits.h>
#include <pthread.h>

#define RATE 16000u
#define SAMPLES (30u * RATE)
#define THREADS 3

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int started;
    int decided;
    int cancelled;
} request;

typedef struct {
    request asked;
    vf_cancel *cancel;
    pthread_t thread;
    vf_status status;
    char text[256];
} diarization;

static vf_diarizer *diarizer;
static const float *audio;

/* The first call waits for the decision of the other thread: the work cannot be done before. */
static void on_progress(void *user_data, int32_t stage, float fraction)
{
    diarization *own = (diarization *)user_data;
    request *asked = &own->asked;
    CHECK(stage >= VF_STAGE_WAITING && fraction >= 0.0f);
    CHECK(pthread_mutex_lock(&asked->lock) == 0);
    asked->started = 1;
    CHECK(pthread_cond_broadcast(&asked->changed) == 0);
    while (!asked->decided) {
        CHECK(pthread_cond_wait(&asked->changed, &asked->lock) == 0);
    }
    const int cancelled = asked->cancelled;
    CHECK(pthread_mutex_unlock(&asked->lock) == 0);
    if (cancelled) {
        CHECK(vf_cancel_set(own->cancel) == VF_OK);
    }
}

static void *work(void *argument)
{
    diarization *own = (diarization *)argument;
    vf_call call = new_call();
    vf_diarization *result = NULL;
    call.cancel = own->cancel;
    call.progress = on_progress;
    call.user_data = own;
    own->status = vf_diarizer_process_f32(diarizer, audio, SAMPLES, RATE, 1, &call, &result);
    (void)vf_last_error(own->text, sizeof own->text);
    CHECK((result == NULL) == (own->status != VF_OK));
    vf_diarization_destroy(result);
    return NULL;
}

static void wait_for_start(request *asked)
{
    CHECK(pthread_mutex_lock(&asked->lock) == 0);
    while (!asked->started) {
        CHECK(pthread_cond_wait(&asked->changed, &asked->lock) == 0);
    }
    CHECK(pthread_mutex_unlock(&asked->lock) == 0);
}

static void decide(request *asked, int cancelled)
{
    CHECK(pthread_mutex_lock(&asked->lock) == 0);
    asked->decided = 1;
    asked->cancelled = cancelled;
    CHECK(pthread_cond_broadcast(&asked->changed) == 0);
    CHECK(pthread_mutex_unlock(&asked->lock) == 0);
}

#define ROW 160000u
#define ROWS 64u
#define ROOM (ROWS * 1000u * 8u)

/* Calls of infer, each of which has to wait for the run slot and to run: `most` of them, or fewer
 * if one fails. */
typedef struct {
    vf_cancel *cancel;
    int most;
    pthread_t thread;
    vf_status status;
    char text[256];
} inference;

static vf_session *session;

static void *infer(void *argument)
{
    inference *own = (inference *)argument;
    float *room = (float *)allocate(2 * ROOM * sizeof *room);
    vf_call call = new_call();
    call.cancel = own->cancel;
    int done = 0;
    do {
        size_t activity = 5, embedding = 5, frames = 5;
        own->status = vf_session_infer(session, audio, ROWS, ROW, &call, room, ROOM, &activity, room + ROOM, ROOM,
                                       &embedding, &frames);
        (void)vf_last_error(own->text, sizeof own->text);
        CHECK((activity == 0 && embedding == 0 && frames == 0) == (own->status != VF_OK));
        done++;
    } while (own->status == VF_OK && done < own->most);
    free(room);
    return NULL;
}

/* Of threads that share one run slot, those whose switch is set end, running or waiting; the other
 * gets its results. */
static void switches(void)
{
    static inference calls[THREADS];
    session = test_session();
    audio = test_audio(ROWS * ROW, 9);
    for (int i = 0; i < THREADS; i++) {
        calls[i].cancel = new_cancel();
        calls[i].most = i == 1 ? 3 : INT_MAX;
        CHECK(pthread_create(&calls[i].thread, NULL, infer, &calls[i]) == 0);
    }
    CHECK_STATUS(VF_OK, vf_cancel_set(calls[0].cancel));
    CHECK_STATUS(VF_OK, vf_cancel_set(calls[0].cancel));
    CHECK_STATUS(VF_OK, vf_cancel_set(calls[2].cancel));
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(calls[i].thread, NULL) == 0);
        CHECK(calls[i].status == (i == 1 ? VF_OK : VF_E_CANCELLED));
        CHECK((strstr(calls[i].text, "cancelled while") != NULL) == (i != 1));
    }
    /* A switch stays set, whatever it is given to. */
    infer(&calls[0]);
    CHECK(calls[0].status == VF_E_CANCELLED);
    infer(&calls[1]);
    CHECK(calls[1].status == VF_OK);
    /* Another type is refused. */
    size_t n;
    float room[2 * 4096];
    vf_call call = new_call();
    call.cancel = (vf_cancel *)session;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_cancel_set(call.cancel));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT,
                 vf_session_infer(session, audio, 1, ROW, &call, room, 4096, &n, room + 4096, 4096, &n, &n));
    CHECK_TEXT("vf_cancel: not a live vf_cancel handle");
    for (int i = 0; i < THREADS; i++) {
        vf_cancel_destroy(calls[i].cancel);
    }
    vf_session_destroy(session);
    free((void *)(uintptr_t)audio);
}

int main(void)
{
    switches();
    static diarization calls[THREADS];
    float *samples = test_audio(SAMPLES, 8);
    vf_diarization *result = NULL;
    audio = samples;
    diarizer = test_diarizer();
    for (int i = 0; i < THREADS; i++) {
        calls[i].cancel = new_cancel();
        CHECK(pthread_mutex_init(&calls[i].asked.lock, NULL) == 0);
        CHECK(pthread_cond_init(&calls[i].asked.changed, NULL) == 0);
        CHECK(pthread_create(&calls[i].thread, NULL, work, &calls[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        wait_for_start(&calls[i].asked);
    }
    for (int i = 0; i < THREADS; i++) {
        decide(&calls[i].asked, i == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(calls[i].thread, NULL) == 0);
        CHECK(calls[i].status == (i == 0 ? VF_E_CANCELLED : VF_OK));
        CHECK((strstr(calls[i].text, "cancelled while") != NULL) == (i == 0));
        vf_cancel_destroy(calls[i].cancel);
        CHECK(pthread_cond_destroy(&calls[i].asked.changed) == 0);
        CHECK(pthread_mutex_destroy(&calls[i].asked.lock) == 0);
    }
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, SAMPLES, RATE, 1, NULL, &result));
    vf_diarization_destroy(result);
    vf_diarizer_destroy(diarizer);
    free(samples);
    return 0;
}
