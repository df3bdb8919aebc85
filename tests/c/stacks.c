/* How much stack each kind of call takes: on a thread whose stack is painted before, and looked at
 * after. A thread with room lends its own; one with little lends next to nothing, since the call
 * makes a stack for itself. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "support.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>

#define RATE 16000u
#define SAMPLES (12u * RATE)
#define PAINT 0xA5

/* A thread's stack, and most that a call may take of it: of a large one less than the library looks
 * for before it makes a stack of its own (src/ffi/stack.rs). */
struct thread_stack {
    size_t size, most;
};

static const struct thread_stack stacks[] = {
    {(size_t)8 << 20, (size_t)192 << 10},
    {(size_t)64 << 10, (size_t)16 << 10},
};

static vf_options *options;
static vf_session *session;
static vf_diarizer *diarizer;
static vf_stream *stream;
static vf_gallery *gallery;
static vf_diarization *result;
static const char *gallery_file;
static float *audio;
static float activity[1 << 16], embedding[1 << 12], voice[512];
static size_t dim;
static char **files;
static int file_count;

static void create_session(void)
{
    CHECK_STATUS(VF_OK, vf_session_create(options, NULL, &session));
}

static void create_diarizer(void)
{
    vf_model_info info;
    info.size = sizeof info;
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &diarizer));
    CHECK_STATUS(VF_OK, vf_diarizer_describe(diarizer, &info));
    dim = info.embedding_dim;
}

static void infer(void)
{
    size_t n_activity = 0, n_embedding = 0, frames = 0;
    CHECK_STATUS(VF_OK, vf_session_infer(session, audio, 1, 2 * RATE, NULL, activity, sizeof activity / sizeof *activity,
                                         &n_activity, embedding, sizeof embedding / sizeof *embedding, &n_embedding,
                                         &frames));
}

static void process(void)
{
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, SAMPLES, RATE, 1, NULL, &result));
}

static void process_files(bool aac)
{
    int processed = 0;
    for (int i = 0; i < file_count; i++) {
        const char *end = strrchr(files[i], '.');
        vf_diarization *found = NULL;
        if (aac == (strcmp(end, ".m4a") == 0 || strcmp(end, ".aac") == 0)) {
            CHECK_STATUS(VF_OK, vf_diarizer_process_file(diarizer, files[i], NULL, &found));
            vf_diarization_destroy(found);
            processed++;
        }
    }
    CHECK(processed > 0);
}

static void process_file(void)
{
    process_files(false);
}

static void process_aac(void)
{
    process_files(true);
}

static void create_stream(void)
{
    CHECK_STATUS(VF_OK, vf_stream_create(diarizer, NULL, 44100, 1, NULL, &stream));
}

static void push(void)
{
    CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, audio, SAMPLES, NULL));
}

static void finish(void)
{
    vf_diarization *found = NULL;
    CHECK_STATUS(VF_OK, vf_stream_finish(stream, NULL, &found));
    vf_diarization_destroy(found);
}

static void enroll(void)
{
    /* Noise is nobody's voice; the work is done before that is known. */
    const vf_status status = vf_gallery_enroll_f32(gallery, diarizer, "ada", audio, SAMPLES, RATE, 1, NULL, NULL);
    CHECK(status == VF_OK || status == VF_E_AUDIO);
    CHECK_STATUS(VF_OK, vf_gallery_enroll_embedding(gallery, "ben", voice, dim, 10.0));
}

static void save(void)
{
    CHECK_STATUS(VF_OK, vf_gallery_save(gallery, gallery_file));
}

static void load(void)
{
    vf_gallery *loaded = NULL;
    CHECK_STATUS(VF_OK, vf_gallery_load(diarizer, gallery_file, &loaded));
    vf_gallery_destroy(loaded);
}

static void write_result(void)
{
    size_t n = 0;
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarization_to_json(result, "recording", 1, NULL, 0, &n));
}

static void make_result(void)
{
    const vf_segment segment = {0.5, 1.0, 0, 0.9f, 0, 0};
    const float voice_of_one[2] = {1.0f, 0.0f};
    vf_diarization *made = NULL;
    CHECK_STATUS(VF_OK, vf_diarization_create(2.0, &segment, 1, voice_of_one, 1, 2, &made));
    vf_diarization_destroy(made);
}

static void destroy_all(void)
{
    vf_stream_destroy(stream);
    vf_session_destroy(session);
    vf_diarization_destroy(result);
    vf_gallery_destroy(gallery);
    vf_diarizer_destroy(diarizer);
}

/* A kind of call, and where its thread began. */
struct call {
    const char *name;
    void (*work)(void);
    unsigned char *top;
};

static void *on_a_thread(void *argument)
{
    struct call *call = (struct call *)argument;
    unsigned char here = PAINT;
    call->top = &here;
    call->work();
    return NULL;
}

/* Bytes between the frame that calls and the lowest byte that the call changed. */
static size_t taken(struct call *call, size_t size)
{
    pthread_t thread;
    pthread_attr_t attributes;
    unsigned char *stack = (unsigned char *)mmap(NULL, size, PROT_READ | PROT_WRITE,
                                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    CHECK(stack != MAP_FAILED);
    memset(stack, PAINT, size);
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, size) == 0);
    CHECK(pthread_create(&thread, &attributes, on_a_thread, call) == 0);
    CHECK(pthread_join(thread, NULL) == 0 && pthread_attr_destroy(&attributes) == 0);
    unsigned char *lowest = stack;
    while (*lowest == PAINT) {
        lowest++;
    }
    const size_t bytes = (size_t)(call->top - lowest);
    CHECK(munmap(stack, size) == 0);
    return bytes;
}

/* Runs each kind of call on a thread with such a stack; whether one took too much. */
static bool run_all(const struct thread_stack *stack)
{
    struct call calls[] = {
        {"vf_session_create", create_session, NULL},
        {"vf_session_infer", infer, NULL},
        {"vf_diarizer_create", create_diarizer, NULL},
        {"vf_diarizer_process_f32", process, NULL},
        {"vf_diarizer_process_file", process_file, NULL},
        {"the same of AAC", process_aac, NULL},
        {"vf_diarization_to_json", write_result, NULL},
        {"vf_diarization_create", make_result, NULL},
        {"vf_stream_create", create_stream, NULL},
        {"vf_stream_push_f32", push, NULL},
        {"vf_stream_finish", finish, NULL},
        {"vf_gallery_enroll_f32", enroll, NULL},
        {"vf_gallery_save", save, NULL},
        {"vf_gallery_load", load, NULL},
        {"destroy", destroy_all, NULL},
    };
    bool failed = false;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const size_t bytes = taken(&calls[i], stack->size);
        if (getenv("VF_TEST_SHOW") != NULL) {
            printf("%-26s %7u bytes of %u\n", calls[i].name, (unsigned)bytes, (unsigned)stack->size);
        }
        if (bytes > stack->most) {
            fprintf(stderr, "%s: expected at most %u bytes of a stack of %u, got %u\n", calls[i].name,
                    (unsigned)stack->most, (unsigned)stack->size, (unsigned)bytes);
            failed = true;
        }
        if (calls[i].work == create_diarizer) {
            CHECK_STATUS(VF_OK, vf_gallery_create(diarizer, &gallery));
        }
    }
    return failed;
}

int main(int argc, char **argv)
{
    char path[4096];
    bool failed = false;
    CHECK(snprintf(path, sizeof path, "%s.json", argv[0]) < (int)sizeof path);
    gallery_file = path;
    files = argv + 1;
    file_count = argc - 1;
    audio = test_audio(SAMPLES, 3);
    voice[0] = 1.0f;
    options = test_options();
    for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) {
        failed = run_all(&stacks[i]) || failed;
    }
    vf_options_destroy(options);
    free(audio);
    CHECK(remove(path) == 0);
    return failed;
}
