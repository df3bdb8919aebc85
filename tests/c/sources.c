/* Encoded audio in memory and from callbacks. The files of audio to process are the arguments. */
/* For mkdtemp. */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <stdint.h>
#include <unistd.h>

/* A file in memory, and what its callbacks do wrong. */
typedef struct {
    const unsigned char *bytes;
    size_t size, at;
    int reads;
    /* Which read fails, 0 for none. */
    int failing;
    int lies;
    vf_diarizer *calls_back;
} source_state;

static int64_t read_state(void *user_data, uint8_t *out, size_t cap)
{
    source_state *state = (source_state *)user_data;
    CHECK(out != NULL && cap > 0);
    if (++state->reads == state->failing) {
        return -42;
    }
    if (state->lies) {
        return (int64_t)cap + 1;
    }
    if (state->calls_back != NULL) {
        vf_diarization *result = NULL;
        CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarizer_process_file(state->calls_back, "a.wav", NULL, &result));
        CHECK_TEXT("called from inside a callback");
    }
    size_t count = state->size - state->at;
    count = count < cap ? count : cap;
    count = count < 4000 ? count : 4000;
    memcpy(out, state->bytes + state->at, count);
    state->at += count;
    return (int64_t)count;
}

static int32_t seek_state(void *user_data, uint64_t position)
{
    source_state *state = (source_state *)user_data;
    if (position > state->size) {
        return 7;
    }
    state->at = (size_t)position;
    return 0;
}

static int32_t never_seeks(void *user_data, uint64_t position)
{
    (void)user_data;
    (void)position;
    return 7;
}

static vf_source source_of(source_state *state, int seeks)
{
    vf_source source;
    memset(&source, 0, sizeof source);
    source.size = sizeof source;
    source.read = read_state;
    if (seeks) {
        source.seek = seek_state;
        source.length = state->size;
    }
    source.user_data = state;
    return source;
}

/* Both have the same segments. */
static void check_same(const vf_diarization *a, const vf_diarization *b)
{
    vf_segment left[1000], right[1000];
    size_t n = 0, m = 0;
    CHECK_STATUS(VF_OK, vf_diarization_segments(a, left, 1000, &n));
    CHECK_STATUS(VF_OK, vf_diarization_segments(b, right, 1000, &m));
    CHECK(n == m && memcmp(left, right, n * sizeof *left) == 0);
}

static void check_file(vf_diarizer *diarizer, const char *path)
{
    vf_diarization *expected = NULL, *result = NULL;
    source_state state;
    memset(&state, 0, sizeof state);
    CHECK_STATUS(VF_OK, vf_diarizer_process_file(diarizer, path, NULL, &expected));
    unsigned char *bytes = read_file(path, &state.size);
    state.bytes = bytes;

    CHECK_STATUS(VF_OK, vf_diarizer_process_encoded(diarizer, bytes, state.size, NULL, &result));
    check_same(expected, result);
    vf_diarization_destroy(result);
    for (int seeks = 0; seeks < 2; seeks++) {
        /* From wherever it is: it is moved to its beginning. */
        state.at = seeks ? state.size / 2 : 0;
        vf_source source = source_of(&state, seeks);
        CHECK_STATUS(VF_OK, vf_diarizer_process_source(diarizer, &source, NULL, &result));
        check_same(expected, result);
        vf_diarization_destroy(result);
    }
    vf_diarization_destroy(expected);
    free(bytes);
}

static void check_faults(vf_diarizer *diarizer, const char *path)
{
    vf_diarization *result = NULL;
    source_state state;
    memset(&state, 0, sizeof state);
    unsigned char *bytes = read_file(path, &state.size);
    state.bytes = bytes;

    CHECK_STATUS(VF_E_AUDIO, vf_diarizer_process_encoded(diarizer, NULL, 0, NULL, &result));
    CHECK_TEXT("bytes: expected ");
    CHECK_TEXT("got an empty file (0 bytes)");
    CHECK_STATUS(VF_E_AUDIO, vf_diarizer_process_encoded(diarizer, (const uint8_t *)"hello", 5, NULL, &result));
    CHECK_TEXT("got a text file");

    vf_source source = source_of(&state, 0);
    source.read = NULL;
    CHECK_STATUS(VF_E_NULL, vf_diarizer_process_source(diarizer, &source, NULL, &result));
    CHECK_TEXT("source: read: must not be NULL");
    source = source_of(&state, 0);
    source.length = 9;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarizer_process_source(diarizer, &source, NULL, &result));
    CHECK_TEXT("source: length: expected 0 without seek, got 9");
    source.size = 4;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarizer_process_source(diarizer, &source, NULL, &result));
    CHECK_TEXT("source: expected the field size to be ");

    for (int seeks = 0; seeks < 2; seeks++) {
        state.reads = 0;
        state.at = 0;
        state.failing = 2;
        source = source_of(&state, seeks);
        CHECK_STATUS(VF_E_IO, vf_diarizer_process_source(diarizer, &source, NULL, &result));
        CHECK_TEXT("source: its read failed: it returned -42");
        CHECK(result == NULL);
        state.failing = 0;
        state.lies = 1;
        state.at = 0;
        CHECK_STATUS(VF_E_IO, vf_diarizer_process_source(diarizer, &source, NULL, &result));
        CHECK_TEXT("bytes from a read, got ");
        state.lies = 0;
    }
    source = source_of(&state, 1);
    source.seek = never_seeks;
    CHECK_STATUS(VF_E_IO, vf_diarizer_process_source(diarizer, &source, NULL, &result));
    CHECK_TEXT("source: its seek failed: it returned 7");

    /* Its callbacks may not call the library, and the call goes on. */
    state.at = 0;
    state.calls_back = diarizer;
    source = source_of(&state, 0);
    CHECK_STATUS(VF_OK, vf_diarizer_process_source(diarizer, &source, NULL, &result));
    vf_diarization_destroy(result);
    state.calls_back = NULL;

    /* Conditions hold while it is read. */
    vf_call call = new_call();
    vf_cancel *cancel = new_cancel();
    CHECK_STATUS(VF_OK, vf_cancel_set(cancel));
    call.cancel = cancel;
    state.at = 0;
    state.reads = 0;
    source = source_of(&state, 0);
    CHECK_STATUS(VF_E_CANCELLED, vf_diarizer_process_source(diarizer, &source, &call, &result));
    CHECK(state.reads == 0);
    CHECK_STATUS(VF_E_CANCELLED, vf_diarizer_process_encoded(diarizer, bytes, state.size, &call, &result));
    vf_cancel_destroy(cancel);
    free(bytes);
}

static void check_enrolling(vf_diarizer *diarizer)
{
    const uint8_t nothing[4] = {0};
    vf_gallery *gallery = NULL;
    source_state state;
    memset(&state, 0, sizeof state);
    state.bytes = nothing;
    state.size = sizeof nothing;
    CHECK_STATUS(VF_OK, vf_gallery_create(diarizer, &gallery));
    CHECK_STATUS(VF_E_AUDIO, vf_gallery_enroll_encoded(gallery, diarizer, "ada", nothing, 4, NULL, NULL));
    CHECK_TEXT("bytes: expected ");
    vf_source source = source_of(&state, 0);
    CHECK_STATUS(VF_E_AUDIO, vf_gallery_enroll_source(gallery, diarizer, "ada", &source, NULL, NULL));
    CHECK_TEXT("source: expected ");
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_enroll_source(gallery, diarizer, "", &source, NULL, NULL));
    vf_gallery_destroy(gallery);
}

/* Paths are the bytes of the system. */
static void check_path(vf_diarizer *diarizer, const char *path)
{
    char folder[] = "/tmp/voiceflow-XXXXXX", name[64];
    vf_diarization *expected = NULL, *result = NULL;
    vf_gallery *gallery = NULL;
    size_t size = 0;
    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(name, sizeof name, "%s/caf\xe9.wav", folder);
    unsigned char *bytes = read_file(path, &size);
    FILE *file = fopen(name, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
    CHECK_STATUS(VF_OK, vf_diarizer_process_file(diarizer, path, NULL, &expected));
    CHECK_STATUS(VF_OK, vf_diarizer_process_file(diarizer, name, NULL, &result));
    check_same(expected, result);
    vf_diarization_destroy(result);
    CHECK(remove(name) == 0);
    CHECK_STATUS(VF_E_NOT_FOUND, vf_diarizer_process_file(diarizer, name, NULL, &result));
    CHECK_STATUS(VF_OK, vf_gallery_create(diarizer, &gallery));
    CHECK_STATUS(VF_OK, vf_gallery_save(gallery, name));
    vf_gallery_destroy(gallery);
    CHECK_STATUS(VF_OK, vf_gallery_load(diarizer, name, &gallery));
    vf_gallery_destroy(gallery);
    CHECK(remove(name) == 0 && rmdir(folder) == 0);
    vf_diarization_destroy(expected);
    free(bytes);
}

int main(int argc, char **argv)
{
    CHECK(argc > 1);
    vf_diarizer *diarizer = test_diarizer();
    for (int i = 1; i < argc; i++) {
        check_file(diarizer, argv[i]);
    }
    check_faults(diarizer, argv[1]);
    check_enrolling(diarizer);
    check_path(diarizer, argv[1]);
    vf_diarizer_destroy(diarizer);
    return 0;
}
