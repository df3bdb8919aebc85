/* The ends of threads and of processes: where thread-local or static data may be gone, work is
 * refused and destroying is safe. Each case has a process of its own, forked before anything is
 * loaded. Whatever hangs is ended by an alarm. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "support.h"

#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES 32000u
#define THREADS 4
/* Far longer than all of a case takes where the machine does other work. */
#define HANGS_S 600

/* As CHECK, where exit(3) must not be called: it is under way. */
#define REQUIRE(condition)                                                                                     \
    do {                                                                                                       \
        if (!(condition)) {                                                                                    \
            fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition);                           \
            _exit(1);                                                                                          \
        }                                                                                                      \
    } while (0)

static vf_session *session;
static vf_diarizer *diarizer;
static vf_stream *stream;
static vf_diarization *result;
static float *audio;
static pthread_key_t key;

/* Runs the session once; the text of a failure ends with a zero byte and is not empty. */
static vf_status infer(void)
{
    static const size_t cap = 16384;
    float *activity = (float *)malloc(cap * sizeof *activity), *embedding = (float *)malloc(cap * sizeof *embedding);
    size_t n_activity = 0, n_embedding = 0, frames = 0;
    char text[256];
    REQUIRE(activity != NULL && embedding != NULL);
    const vf_status status = vf_session_infer(session, audio, 1, SAMPLES, NULL, activity, cap, &n_activity, embedding, cap,
                                              &n_embedding, &frames);
    memset(text, 'x', sizeof text);
    const size_t length = vf_last_error(text, sizeof text);
    REQUIRE(memchr(text, 0, sizeof text) != NULL);
    REQUIRE((length > 0) == (status != VF_OK));
    free(activity);
    free(embedding);
    return status;
}

static void make_all(void)
{
    session = test_session();
    diarizer = test_diarizer();
    CHECK_STATUS(VF_OK, vf_stream_create(diarizer, NULL, 16000, 1, NULL, &stream));
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, SAMPLES, 16000, 1, NULL, &result));
    CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, audio, SAMPLES, NULL));
    CHECK(infer() == VF_OK);
}

static void destroy_all(void)
{
    vf_stream_destroy(stream);
    vf_session_destroy(session);
    vf_diarizer_destroy(diarizer);
    vf_diarization_destroy(result);
}

/* Work is refused; what needs no network is not. */
static void refused(void)
{
    vf_options *options = NULL;
    vf_session *other_session = NULL;
    vf_diarizer *other_diarizer = NULL;
    vf_stream *other_stream = NULL;
    vf_diarization *other_result = NULL;
    size_t n = 0;
    REQUIRE(infer() == VF_E_ENDING);
    REQUIRE(vf_diarizer_process_f32(diarizer, audio, SAMPLES, 16000, 1, NULL, &other_result) == VF_E_ENDING);
    REQUIRE(vf_stream_create(diarizer, NULL, 16000, 1, NULL, &other_stream) == VF_E_ENDING);
    REQUIRE(vf_stream_push_f32(stream, audio, SAMPLES, NULL) == VF_E_ENDING);
    REQUIRE(vf_options_create(&options) == VF_OK);
    REQUIRE(vf_options_set_model_path(options, setting("VF_TEST_MODEL")) == VF_OK);
    REQUIRE(vf_session_create(options, NULL, &other_session) == VF_E_ENDING && other_session == NULL);
    REQUIRE(vf_diarizer_create(options, NULL, &other_diarizer) == VF_E_ENDING && other_diarizer == NULL);
    vf_options_destroy(options);
    REQUIRE(vf_diarization_segments(result, NULL, 0, &n) == (n == 0 ? VF_OK : VF_E_BUFFER_TOO_SMALL));
    REQUIRE(vf_status_str(VF_E_ENDING)[0] != '\0');
}

static void refused_and_destroyed(void)
{
    refused();
    destroy_all();
}

static void refused_by_key(void *value)
{
    (void)value;
    refused();
}

static void refused_and_destroyed_by_key(void *value)
{
    (void)value;
    refused_and_destroyed();
}

static void works_by_key(void *value)
{
    (void)value;
    REQUIRE(infer() == VF_OK);
}

static void quiet(void *user_data, int32_t level, const char *target, const char *message)
{
    (void)user_data, (void)level, (void)target, (void)message;
}

static void run_thread(void *(*work)(void *))
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

/* An atexit handler that is older than all else, or newer. */
static void atexit_before(void)
{
    CHECK(atexit(refused_and_destroyed) == 0);
    make_all();
}

static void atexit_after(void)
{
    make_all();
    CHECK(atexit(refused_and_destroyed) == 0);
}

/* The main thread has done no work, but what others made is gone. */
static void *make_on_a_thread(void *unused)
{
    make_all();
    return unused;
}

static void atexit_of_an_idle_thread(void)
{
    CHECK(atexit(refused_and_destroyed) == 0);
    run_thread(make_on_a_thread);
}

static void *use_and_set_key(void *unused)
{
    CHECK(infer() == VF_OK);
    CHECK(pthread_setspecific(key, &key) == 0);
    return unused;
}

static void *set_key(void *unused)
{
    CHECK(pthread_setspecific(key, &key) == 0);
    return unused;
}

/* A thread's last destructors; other threads go on. */
static void key_of_a_used_thread(void)
{
    CHECK(pthread_key_create(&key, refused_by_key) == 0);
    CHECK_STATUS(VF_OK, vf_set_log_callback(quiet, NULL, VF_LOG_TRACE));
    make_all();
    run_thread(use_and_set_key);
    CHECK(infer() == VF_OK);
    destroy_all();
}

/* What a thread could not free then, later calls do. */
static void key_that_destroys(void)
{
    CHECK(pthread_key_create(&key, refused_and_destroyed_by_key) == 0);
    for (int round = 0; round < 3; round++) {
        make_all();
        run_thread(use_and_set_key);
    }
    make_all();
    destroy_all();
}

/* A thread that had nothing to lose. */
static void key_of_an_unused_thread(void)
{
    CHECK(pthread_key_create(&key, works_by_key) == 0);
    make_all();
    run_thread(set_key);
    destroy_all();
}

static void *work_for_ever(void *unused)
{
    for (;;) {
        const vf_status status = infer();
        if (status != VF_OK) {
            REQUIRE(status == VF_E_ENDING);
            for (;;) {
                (void)pause();
            }
        }
    }
    return unused;
}

static void start_workers(void)
{
    const struct timespec while_they_work = {0, 30000000};
    make_all();
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, work_for_ever, NULL) == 0);
        CHECK(pthread_detach(thread) == 0);
    }
    (void)nanosleep(&while_they_work, NULL);
}

/* The end waits for what is under way, which is right or refused. */
static void exit_while_others_work(void)
{
    start_workers();
}

static void *exit_here(void *unused)
{
    (void)unused;
    exit(0);
}

static void exit_of_another_thread(void)
{
    start_workers();
    run_thread(exit_here);
}

static void in_a_process(void (*what)(void), const char *name)
{
    int status = 0;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(HANGS_S);
        what();
        exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (status != 0) {
        fprintf(stderr, "%s: wait status %d\n", name, status);
        exit(1);
    }
}

int main(void)
{
    audio = test_audio(SAMPLES, 5);
    in_a_process(atexit_before, "atexit_before");
    in_a_process(atexit_after, "atexit_after");
    in_a_process(atexit_of_an_idle_thread, "atexit_of_an_idle_thread");
    in_a_process(key_of_a_used_thread, "key_of_a_used_thread");
    in_a_process(key_that_destroys, "key_that_destroys");
    in_a_process(key_of_an_unused_thread, "key_of_an_unused_thread");
    for (int round = 0; round < 3; round++) {
        in_a_process(exit_while_others_work, "exit_while_others_work");
        in_a_process(exit_of_another_thread, "exit_of_another_thread");
    }
    free(audio);
    return 0;
}
