/*
 * The fault sweep: one call after another in which an allocation fails, a later one each time. Each must end with a
 * status, and the next call must work and give the same as ever.
 *
 *     sweep SCENARIO one|all LEAST_BYTES voiceflow|any POINTS [AUDIO]
 *
 * `one` lets a single allocation fail, `all` that one and all after it; only allocations of LEAST_BYTES and more do, of
 * libvoiceflow or of any library. POINTS is in how many calls, spread over the allocations that there are; 0 is in one
 * for each. Where the process ends instead, another goes on behind that allocation. Prints a line for each end, then the
 * counts.
 */
#define _GNU_SOURCE
#include "failing.h"

#include "../c/support.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RATE = 16000, SECONDS = 30, HANG_S = 60 };

/* What glibc's loader ends a process with where it has no memory for the thread-local data of a
 * library. */
enum { LOADER_EXIT = 127 };

/* What the process that runs the calls shares with the one that watches it. */
struct watched {
    struct failed failed;
    /* The number of the allocation that fails in the call under way. */
    _Atomic size_t number;
    /* Allocations that match, in a call in which none fails. */
    size_t total;
    _Atomic bool done;
    size_t ok, refused, wrong, broken;
    size_t statuses[64];
};

static struct watched *watched;

/* What the calls work on, made before any allocation fails. */
static struct {
    vf_options *options;
    vf_diarizer *diarizer;
    vf_diarization *result;
    vf_gallery *gallery;
    unsigned char *bytes;
    size_t size;
    float *audio;
    size_t samples;
    const char *file;
    char gallery_path[4096];
    float *embedding;
    size_t dim;
} world;

/* A call's answer in a few numbers; 0 says nothing. */
typedef vf_status (*scenario_fn)(uint64_t *answer);

static void mix(uint64_t *answer, const void *data, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)data;
    for (size_t i = 0; i < size; i++) {
        *answer = (*answer ^ bytes[i]) * 1099511628211u;
    }
}

/* The segments of a result, into memory that is not allocated. */
static vf_status segments(const vf_diarization *result, uint64_t *answer)
{
    static vf_segment found[20000];
    size_t n = 0;
    const vf_status status = vf_diarization_segments(result, found, sizeof found / sizeof *found, &n);
    if (status == VF_OK) {
        mix(answer, found, n * sizeof *found);
    }
    return status;
}

static vf_status create_path(uint64_t *answer)
{
    vf_options *options = NULL;
    vf_diarizer *diarizer = NULL;
    vf_status status = vf_options_create(&options);
    if (status == VF_OK) {
        status = vf_options_set_model_path(options, setting("VF_TEST_MODEL"));
    }
    if (status == VF_OK) {
        status = vf_options_set_threads(options, 1);
    }
    if (status == VF_OK) {
        status = vf_diarizer_create(options, NULL, &diarizer);
    }
    vf_options_destroy(options);
    vf_diarizer_destroy(diarizer);
    *answer = 1;
    return status;
}

static vf_status create_memory(uint64_t *answer)
{
    vf_options *options = NULL;
    vf_session *session = NULL;
    vf_status status = vf_options_create(&options);
    if (status == VF_OK) {
        status = vf_options_set_model_memory(options, world.bytes, world.size);
    }
    if (status == VF_OK) {
        status = vf_session_create(options, NULL, &session);
    }
    vf_options_destroy(options);
    vf_session_destroy(session);
    *answer = 1;
    return status;
}

static vf_status create_shipped(uint64_t *answer)
{
    vf_session *session = NULL;
    const vf_status status = vf_session_create(NULL, NULL, &session);
    vf_session_destroy(session);
    *answer = 1;
    return status;
}

static vf_status create_pair(uint64_t *answer)
{
    vf_options *options = NULL;
    vf_diarizer *diarizer = NULL;
    vf_status status = vf_options_create(&options);
    if (status == VF_OK) {
        status = vf_options_set_segmentation_model(options, setting("VF_TEST_SEGMENTATION"));
    }
    if (status == VF_OK) {
        status = vf_options_set_embedding_model(options, setting("VF_TEST_EMBEDDING"));
    }
    if (status == VF_OK) {
        status = vf_options_set_threads(options, 1);
    }
    if (status == VF_OK) {
        status = vf_diarizer_create(options, NULL, &diarizer);
    }
    vf_options_destroy(options);
    vf_diarizer_destroy(diarizer);
    *answer = 1;
    return status;
}

static vf_status process_samples(uint64_t *answer)
{
    vf_diarization *result = NULL;
    vf_status status =
        vf_diarizer_process_f32(world.diarizer, world.audio, world.samples / 2, 44100, 2, NULL, &result);
    if (status == VF_OK) {
        status = segments(result, answer);
    }
    vf_diarization_destroy(result);
    return status;
}

static vf_status process_file(uint64_t *answer)
{
    vf_diarization *result = NULL;
    vf_status status = vf_diarizer_process_file(world.diarizer, world.file, NULL, &result);
    if (status == VF_OK) {
        status = segments(result, answer);
    }
    vf_diarization_destroy(result);
    return status;
}

static vf_status stream(uint64_t *answer)
{
    vf_stream *stream = NULL;
    vf_diarization *result = NULL;
    vf_segment segment[64];
    size_t n = 0;
    vf_status status = vf_stream_create(world.diarizer, NULL, RATE, 1, NULL, &stream);
    for (size_t at = 0; status == VF_OK && at < world.samples; at += RATE) {
        const size_t rest = world.samples - at;
        status = vf_stream_push_f32(stream, world.audio + at, rest < RATE ? rest : RATE, NULL);
        if (status == VF_OK) {
            status = vf_stream_read(stream, segment, 64, &n);
        }
    }
    if (status == VF_OK) {
        status = vf_stream_finish(stream, NULL, &result);
    }
    if (status == VF_OK) {
        status = segments(result, answer);
    }
    vf_diarization_destroy(result);
    vf_stream_destroy(stream);
    return status;
}

static vf_status gallery(uint64_t *answer)
{
    vf_gallery *loaded = NULL;
    char name[300];
    float score = 0.0f;
    size_t n = 0;
    vf_status status = vf_gallery_save(world.gallery, world.gallery_path);
    if (status == VF_OK) {
        status = vf_gallery_load(world.diarizer, world.gallery_path, &loaded);
    }
    if (status == VF_OK) {
        status = vf_gallery_enroll_embedding(loaded, "eve", world.embedding, world.dim, 3.0);
    }
    if (status == VF_OK) {
        status = vf_gallery_identify(loaded, world.embedding, world.dim, 0.5f, name, sizeof name, &n, &score);
    }
    if (status == VF_OK) {
        mix(answer, name, n);
    }
    vf_gallery_destroy(loaded);
    return status;
}

static vf_status outputs(uint64_t *answer)
{
    static char text[4 << 20];
    size_t n = 0;
    vf_status status = segments(world.result, answer);
    if (status == VF_OK) {
        status = vf_diarization_to_rttm(world.result, "recording", text, sizeof text, &n);
    }
    mix(answer, text, n);
    if (status == VF_OK) {
        status = vf_diarization_to_json(world.result, "recording", 1, text, sizeof text, &n);
    }
    mix(answer, text, n);
    if (status == VF_OK) {
        status = vf_diarization_to_srt(world.result, text, sizeof text, &n);
    }
    mix(answer, text, n);
    return status;
}

static const struct scenario {
    const char *name;
    scenario_fn run;
} scenarios[] = {
    {"create-path", create_path},
    {"create-memory", create_memory},
    {"create-shipped", create_shipped},
    {"create-pair", create_pair},
    {"process-samples", process_samples},
    {"process-file", process_file},
    {"stream", stream},
    {"gallery", gallery},
    {"outputs", outputs},
};

static void make_world(const char *file)
{
    world.file = file;
    world.samples = (size_t)SECONDS * RATE;
    world.audio = test_audio(world.samples, 7);
    world.bytes = read_file(setting("VF_TEST_MODEL"), &world.size);
    world.diarizer = test_diarizer();
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(world.diarizer, world.audio, world.samples, RATE, 1, NULL,
                                                &world.result));
    CHECK_STATUS(VF_OK, vf_gallery_create(world.diarizer, &world.gallery));
    vf_model_info info = {.size = sizeof info};
    CHECK_STATUS(VF_OK, vf_diarizer_describe(world.diarizer, &info));
    world.dim = info.embedding_dim;
    world.embedding = (float *)allocate(world.dim * sizeof *world.embedding);
    for (size_t i = 0; i < world.dim; i++) {
        world.embedding[i] = i == 0 ? 1.0f : 0.0f;
    }
    for (int i = 0; i < 100; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "voice %d", i);
        CHECK_STATUS(VF_OK, vf_gallery_enroll_embedding(world.gallery, name, world.embedding, world.dim, 3.0));
    }
    (void)snprintf(world.gallery_path, sizeof world.gallery_path, "%s/gallery-%ld.json", setting("VF_TEST_FOLDER"),
                   (long)getpid());
}

/* How far the allocation that fails in a call is behind that of the call before. */
static size_t step_of(size_t points)
{
    return points == 0 || watched->total <= points ? 1 : watched->total / points;
}

/* The calls from the one on in which allocation `first` fails. */
static void run_calls(scenario_fn run, struct plan plan, size_t first, size_t points, const char *file)
{
    uint64_t expected = 0;
    make_world(file);
    CHECK_STATUS(VF_OK, run(&expected));
    plan.first = SIZE_MAX;
    arm(plan);
    CHECK_STATUS(VF_OK, run(&expected));
    (void)disarm();
    expected = 0;
    CHECK_STATUS(VF_OK, run(&expected));
    watched->total = atomic_load(&matched);
    for (size_t number = first;; number += step_of(points)) {
        atomic_store(&watched->number, number);
        plan.first = number;
        uint64_t answer = 0;
        arm(plan);
        const vf_status status = run(&answer);
        const size_t failures = disarm();
        if (failures == 0) {
            break;
        }
        if (status == VF_OK) {
            watched->ok++;
            watched->wrong += answer != expected;
        } else {
            watched->refused++;
            watched->statuses[-status]++;
        }
        if (status == VF_E_PANIC) {
            /* The handles of the call are to be destroyed. */
            make_world(file);
            continue;
        }
        uint64_t next = 0;
        const vf_status after = run(&next);
        if (after != VF_OK || next != expected) {
            char text[512];
            (void)vf_last_error(text, sizeof text);
            printf("after %zu: %s: %s\n", number, vf_status_str(after), text);
            watched->broken++;
        }
    }
    atomic_store(&watched->done, true);
}

static void sleep_ms(long milliseconds)
{
    const struct timespec time = {0, milliseconds * 1000000};
    (void)nanosleep(&time, NULL);
}

/* Waits for the end of the process; false where the call under way takes too long, after which it
 * is ended. */
static bool wait_for(pid_t child, int *ended)
{
    size_t last = 0;
    for (int idle_ms = 0; idle_ms < HANG_S * 1000;) {
        if (waitpid(child, ended, WNOHANG) == child) {
            return true;
        }
        const size_t now = atomic_load(&watched->number);
        idle_ms = now == last ? idle_ms + 5 : 0;
        last = now;
        sleep_ms(5);
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, ended, 0);
    return false;
}

int main(int argc, char **argv)
{
    static const char *const owners[OWNERS] = {"voiceflow", "runtime", "other"};
    CHECK(argc >= 6);
    const struct scenario *scenario = NULL;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        if (strcmp(scenarios[i].name, argv[1]) == 0) {
            scenario = &scenarios[i];
        }
    }
    CHECK(scenario != NULL);
    const struct plan plan = {0, strcmp(argv[2], "all") == 0 ? SIZE_MAX : 1, strtoul(argv[3], NULL, 10),
                              strcmp(argv[4], "voiceflow") == 0};
    const size_t points = strtoul(argv[5], NULL, 10);
    /* What an abort prints allocates too, and is not what ended the process. */
    CHECK(unsetenv("RUST_BACKTRACE") == 0);
    watched = (struct watched *)mmap(NULL, sizeof *watched, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(watched != MAP_FAILED);
    failed = &watched->failed;
    size_t deaths = 0;
    for (size_t first = 1; !atomic_load(&watched->done);) {
        (void)fflush(stdout);
        atomic_store(&watched->number, 0);
        const pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            run_calls(scenario->run, plan, first, points, argc > 6 ? argv[6] : NULL);
            (void)fflush(stdout);
            _exit(0);
        }
        int ended = 0;
        const bool in_time = wait_for(child, &ended);
        const bool by_loader = in_time && WIFEXITED(ended) && WEXITSTATUS(ended) == LOADER_EXIT;
        if (in_time && WIFEXITED(ended) && !by_loader) {
            CHECK(WEXITSTATUS(ended) == 0 && atomic_load(&watched->done));
            continue;
        }
        const size_t number = atomic_load(&watched->number);
        CHECK(number > 0);
        const bool aborted = by_loader || (in_time && WTERMSIG(ended) == SIGABRT);
        printf("%s %zu %s %zu", in_time ? (aborted ? "abort" : "signal") : "hang", number,
               owners[failed->owner], failed->size);
        for (size_t i = 0; i < FRAMES && failed->frames[i] != 0; i++) {
            printf(" 0x%zx", (size_t)failed->frames[i]);
        }
        (void)putchar('\n');
        deaths++;
        first = number + step_of(points);
    }
    printf("total %zu\nok %zu\nwrong %zu\nrefused %zu\nbroken %zu\ndeaths %zu\n", watched->total, watched->ok, watched->wrong, watched->refused,
           watched->broken, deaths);
    for (int i = 0; i < 64; i++) {
        if (watched->statuses[i] > 0) {
            printf("status -%d %zu\n", i, watched->statuses[i]);
        }
    }
    return 0;
}
