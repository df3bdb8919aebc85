/* fork(2): what the parent has loaded is refused in the child at once, can be destroyed there, and
 * can be loaded anew; the parent goes on. Whatever hangs is ended by an alarm, and fails. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RATE 16000u
#define ROW 8000u
#define ROOM 65536u
#define PATIENCE_S 600u
#define FORKS 20
#define WORKERS 2

static vf_session *session;
static vf_diarizer *diarizer;
static vf_stream *stream;
static const float *audio;

/* A session with threads of ONNX Runtime. */
static vf_status load(vf_session **out)
{
    vf_options *options = test_options();
    CHECK_STATUS(VF_OK, vf_options_set_threads(options, 2));
    const vf_status status = vf_session_create(options, NULL, out);
    vf_options_destroy(options);
    return status;
}

static vf_status infer(const vf_session *with, float *activity, size_t *values)
{
    size_t frames = 0, n = 0;
    /* The deadline is watched by a thread of the library. */
    vf_call call = new_call();
    call.flags = VF_CALL_DEADLINE;
    call.deadline_ms = 600000;
    float *embedding = (float *)allocate(ROOM * sizeof *embedding);
    const vf_status status =
        vf_session_infer(with, audio, 1, ROW, &call, activity, ROOM, values, embedding, ROOM, &n, &frames);
    free(embedding);
    return status;
}

static void refused(void)
{
    size_t n = 9, frames = 9;
    float x[ROW] = {0};
    const int16_t i[16] = {0};
    double latency_ms = 0.0;
    vf_segment segment;
    vf_diarization *result = (vf_diarization *)(void *)x;
    vf_model_info info;
    vf_model_version version;
    CHECK_STATUS(VF_E_FORKED, vf_session_infer(session, audio, 1, ROW, NULL, NULL, 0, &n, NULL, 0, &n, &frames));
    CHECK_TEXT("this process was forked after the model was loaded; load it again in the child");
    CHECK(n == 0 && frames == 0);
    CHECK_STATUS(VF_E_FORKED, vf_diarizer_process_f32(diarizer, x, ROW, RATE, 1, NULL, &result));
    CHECK_TEXT("load it again in the child");
    CHECK(result == NULL);
    CHECK_STATUS(VF_E_FORKED, vf_diarizer_process_f32(diarizer, NULL, 0, RATE, 1, NULL, &result));
    CHECK_STATUS(VF_E_FORKED, vf_diarizer_process_i16(diarizer, i, 16, RATE, 1, NULL, &result));
    CHECK_STATUS(VF_E_FORKED, vf_diarizer_process_file(diarizer, "/nowhere/a.wav", NULL, &result));
    CHECK_STATUS(VF_E_FORKED, vf_stream_push_f32(stream, x, ROW, NULL));
    CHECK_TEXT("this process was forked");
    CHECK_STATUS(VF_E_FORKED, vf_stream_push_i16(stream, i, 16, NULL));
    CHECK_STATUS(VF_E_FORKED, vf_stream_push_f32(stream, NULL, 0, NULL));
    CHECK_STATUS(VF_E_FORKED, vf_stream_finish(stream, NULL, &result));
    CHECK(result == NULL);
    CHECK_STATUS(VF_E_FORKED, vf_stream_reset(stream, NULL));
    CHECK_STATUS(VF_E_FORKED, vf_stream_read(stream, &segment, 1, &n));
    CHECK(n == 0);
    CHECK_STATUS(VF_E_FORKED, vf_stream_speaker_count(stream, &n));
    CHECK_STATUS(VF_E_FORKED, vf_stream_speaker_embedding(stream, 0, x, ROW, &n));
    CHECK_STATUS(VF_E_FORKED, vf_stream_final_speakers(stream, NULL, 0, &n));
    CHECK_STATUS(VF_OK, vf_stream_latency_ms(stream, &latency_ms));
    CHECK(strcmp(vf_status_str(VF_E_FORKED), "unknown status") != 0);
    /* What is known without the network still is. */
    CHECK_STATUS(VF_OK, vf_session_frames(session, ROW, &frames));
    CHECK(frames == ROW / 160);
    info.size = sizeof info;
    CHECK_STATUS(VF_OK, vf_session_describe(session, &info));
    CHECK_STATUS(VF_OK, vf_diarizer_describe(diarizer, &info));
    CHECK_STATUS(VF_E_FORKED, vf_diarizer_reload(diarizer, NULL, NULL));
    CHECK_STATUS(VF_E_FORKED, vf_session_reload(session, NULL, NULL));
    CHECK_STATUS(VF_E_FORKED, vf_diarizer_versions(diarizer, &version, 1, &n));
    CHECK_STATUS(VF_E_FORKED, vf_session_versions(session, &version, 1, &n));
}

/* The child of a parent in which nothing else went on. */
static void child(const vf_diarization *result, const float *expected, size_t expected_n)
{
    size_t n = 0;
    refused();
    vf_session_destroy(session);
    vf_diarizer_destroy(diarizer);
    vf_stream_destroy(stream);
    /* Results are plain data. */
    CHECK_STATUS(VF_OK, vf_diarization_segment_count(result, &n));

    float *activity = (float *)allocate(ROOM * sizeof *activity);
    vf_diarization *again = NULL;
    CHECK_STATUS(VF_OK, load(&session));
    diarizer = test_diarizer();
    CHECK_STATUS(VF_OK, infer(session, activity, &n));
    CHECK(n == expected_n && memcmp(activity, expected, n * sizeof *activity) == 0);
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, RATE, RATE, 1, NULL, &again));
    vf_diarization_destroy(again);
    vf_session_destroy(session);
    vf_diarizer_destroy(diarizer);
    free(activity);
}

static pid_t fork_with_alarm(void)
{
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        alarm(PATIENCE_S);
    }
    return pid;
}

static void must_end_well(pid_t pid)
{
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(!(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int stop;

static int stopped(void)
{
    CHECK(pthread_mutex_lock(&lock) == 0);
    const int now = stop;
    CHECK(pthread_mutex_unlock(&lock) == 0);
    return now;
}

static void *infers(void *argument)
{
    float *activity = (float *)allocate(ROOM * sizeof *activity);
    size_t n = 0;
    while (!stopped()) {
        CHECK_STATUS(VF_OK, infer(session, activity, &n));
    }
    free(activity);
    return argument;
}

static void *loads(void *argument)
{
    while (!stopped()) {
        vf_session *other = NULL;
        CHECK_STATUS(VF_OK, load(&other));
        vf_session_destroy(other);
    }
    return argument;
}

/* Forks while other threads of the parent run networks and load models. */
static void busy_parent(void)
{
    pthread_t workers[2 * WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        CHECK(pthread_create(&workers[2 * i], NULL, infers, NULL) == 0);
        CHECK(pthread_create(&workers[2 * i + 1], NULL, loads, NULL) == 0);
    }
    for (int i = 0; i < FORKS; i++) {
        const struct timespec pause = {0, 1000000L * (i % 7)};
        (void)nanosleep(&pause, NULL);
        const pid_t pid = fork_with_alarm();
        if (pid == 0) {
            vf_session *other = NULL;
            refused();
            vf_session_destroy(session);
            vf_diarizer_destroy(diarizer);
            vf_stream_destroy(stream);
            /* Where a model was being loaded, none can be loaded any more, which is said. */
            if (load(&other) == VF_E_FORKED) {
                CHECK_TEXT("fork before models are loaded");
                CHECK(other == NULL);
            } else {
                float *activity = (float *)allocate(ROOM * sizeof *activity);
                size_t n = 0;
                CHECK_STATUS(VF_OK, infer(other, activity, &n));
            }
            vf_session_destroy(other);
            _exit(0);
        }
        must_end_well(pid);
    }
    CHECK(pthread_mutex_lock(&lock) == 0);
    stop = 1;
    CHECK(pthread_mutex_unlock(&lock) == 0);
    for (int i = 0; i < 2 * WORKERS; i++) {
        CHECK(pthread_join(workers[i], NULL) == 0);
    }
}

int main(void)
{
    float *samples = test_audio(RATE, 4);
    float *activity = (float *)allocate(ROOM * sizeof *activity);
    float *again = (float *)allocate(ROOM * sizeof *again);
    vf_diarization *result = NULL, *other = NULL;
    size_t n = 0, m = 0;
    alarm(10 * PATIENCE_S);
    audio = samples;
    CHECK_STATUS(VF_OK, load(&session));
    diarizer = test_diarizer();
    CHECK_STATUS(VF_OK, vf_stream_create(diarizer, NULL, RATE, 1, NULL, &stream));
    CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, samples, RATE / 2, NULL));
    CHECK_STATUS(VF_OK, infer(session, activity, &n));
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, samples, RATE, RATE, 1, NULL, &result));

    const pid_t pid = fork_with_alarm();
    if (pid == 0) {
        child(result, activity, n);
        _exit(0);
    }
    must_end_well(pid);
    busy_parent();

    CHECK_STATUS(VF_OK, infer(session, again, &m));
    CHECK(n == m && memcmp(activity, again, n * sizeof *again) == 0);
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, samples, RATE, RATE, 1, NULL, &other));
    vf_diarization_destroy(other);
    vf_diarization_destroy(result);
    CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, samples, RATE, NULL));
    vf_stream_destroy(stream);
    vf_session_destroy(session);
    vf_diarizer_destroy(diarizer);
    free(again);
    free(activity);
    free(samples);
    return 0;
}
