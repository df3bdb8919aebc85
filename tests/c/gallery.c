/* Known voices. The gallery's file lies beside this program, whose name is the first argument. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "support.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define RATE 16000u

static size_t dim;
/* Who is enrolled when `voices` is done. */
static const char *const enrolled[3] = {"ada", "kim", "ben"};

/* A vector along one axis, or between two. */
static float *voice(size_t axis, size_t other)
{
    float *values = (float *)allocate(dim * sizeof *values);
    for (size_t i = 0; i < dim; i++) {
        values[i] = (i == axis ? 1.0f : 0.0f) + (i == other ? 0.5f : 0.0f);
    }
    return values;
}

static void check_names(const vf_gallery *gallery, const char *const *names, size_t count)
{
    char text[257];
    size_t n = 0;
    CHECK_STATUS(VF_OK, vf_gallery_count(gallery, &n));
    CHECK(n == count);
    for (int32_t i = 0; (size_t)i < count; i++) {
        CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_gallery_name(gallery, i, NULL, 0, &n));
        CHECK(n == strlen(names[i]) + 1);
        CHECK_STATUS(VF_OK, vf_gallery_name(gallery, i, text, sizeof text, &n));
        CHECK(strcmp(text, names[i]) == 0);
    }
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_name(gallery, (int32_t)count, text, sizeof text, &n));
    CHECK(n == 0);
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_name(gallery, -1, text, sizeof text, &n));
    CHECK_TEXT("index: ");
}

static void check_identity(const vf_gallery *gallery, const float *embedding, const char *name, float least)
{
    char text[257];
    float score = 5.0f, threshold = 5.0f;
    size_t n = 0;
    CHECK_STATUS(VF_OK, vf_gallery_threshold(gallery, &threshold));
    CHECK(threshold > 0.0f && threshold < 1.0f);
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL,
                 vf_gallery_identify(gallery, embedding, dim, threshold, NULL, 0, &n, &score));
    CHECK(n == strlen(name) + 1 && score >= least && score <= 1.0f);
    CHECK_STATUS(VF_OK,
                 vf_gallery_identify(gallery, embedding, dim, threshold, text, sizeof text, &n, &score));
    CHECK(strcmp(text, name) == 0 && score >= least);
}

static void voices(const vf_gallery *gallery)
{
    static const char *const names[3] = {"ada", "ben", "kim"};
    float *first = voice(0, dim), *second = voice(1, dim), *third = voice(2, dim), *between = voice(0, 1);
    float score = 5.0f;
    char text[257];
    size_t n = 0;
    check_names(gallery, names, 0);
    check_identity(gallery, first, "", -1.0f);
    CHECK_STATUS(VF_OK, vf_gallery_enroll_embedding(gallery, "ada", first, dim, 10.0));
    CHECK_STATUS(VF_OK, vf_gallery_enroll_embedding(gallery, "ben", second, dim, 10.0));
    CHECK_STATUS(VF_OK, vf_gallery_enroll_embedding(gallery, "kim", third, dim, 0.5));
    CHECK_STATUS(VF_OK, vf_gallery_enroll_embedding(gallery, "ada", between, dim, 1.0));
    check_names(gallery, names, 3);
    check_identity(gallery, first, "ada", 0.99f);
    check_identity(gallery, between, "ada", 0.85f);
    check_identity(gallery, second, "ben", 0.99f);
    CHECK_STATUS(VF_OK, vf_gallery_remove(gallery, "ben"));
    check_identity(gallery, second, "", 0.0f);
    CHECK_STATUS(VF_OK, vf_gallery_enroll_embedding(gallery, "ben", second, dim, 10.0));

    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_remove(gallery, "nobody"));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_enroll_embedding(gallery, "", first, dim, 1.0));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_enroll_embedding(gallery, "SPEAKER_00", first, dim, 1.0));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_enroll_embedding(gallery, "a\xff", first, dim, 1.0));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_enroll_embedding(gallery, "a", first, dim - 1, 1.0));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_enroll_embedding(gallery, "a", NULL, 0, 1.0));
    /* More values than there are, and than fit in memory. */
    for (unsigned bits = 20; bits < 8 * sizeof(size_t) - 3; bits++) {
        const size_t many = (size_t)1 << bits;
        CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_enroll_embedding(gallery, "a", first, many, 1.0));
        CHECK_TEXT("embedding: expected ");
        CHECK_STATUS(VF_E_INVALID_ARGUMENT,
                     vf_gallery_identify(gallery, first, many, 0.5f, text, sizeof text, &n, &score));
    }
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_enroll_embedding(gallery, "a", first, dim, 0.0));
    CHECK_STATUS(VF_E_LIMIT, vf_gallery_enroll_embedding(gallery, "a", first, SIZE_MAX, 1.0));
    first[0] = NAN;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_enroll_embedding(gallery, "a", first, dim, 1.0));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT,
                 vf_gallery_identify(gallery, first, dim, 0.5f, text, sizeof text, &n, &score));
    CHECK(n == 0 && score <= -1.0f);
    CHECK_STATUS(VF_E_INVALID_ARGUMENT,
                 vf_gallery_identify(gallery, second, dim, 1.5f, text, sizeof text, &n, &score));
    CHECK_TEXT("threshold: ");
    free(first);
    free(second);
    free(third);
    free(between);
}

typedef struct {
    const vf_gallery *gallery;
    const vf_cancel *cancel;
} enrolment;

static void on_progress(void *user_data, int32_t stage, float fraction)
{
    const enrolment *own = (const enrolment *)user_data;
    (void)stage;
    (void)fraction;
    size_t n = 0;
    CHECK(vf_gallery_count(own->gallery, &n) == VF_E_INVALID_ARGUMENT);
    CHECK(vf_cancel_set(own->cancel) == VF_OK);
}

static void recordings(const vf_gallery *gallery, const vf_diarizer *diarizer)
{
    float *audio = test_audio(12 * RATE, 5);
    size_t before = 0, after = 0;
    CHECK_STATUS(VF_OK, vf_gallery_count(gallery, &before));
    vf_cancel *cancel = new_cancel();
    enrolment own = {gallery, cancel};
    vf_call call = new_call();
    call.cancel = cancel;
    call.progress = on_progress;
    call.user_data = &own;
    CHECK_STATUS(VF_E_CANCELLED, vf_gallery_enroll_f32(gallery, diarizer, "zoe", audio, 12 * RATE, RATE, 1, &call, NULL));
    vf_cancel_destroy(cancel);
    call = new_call();
    call.flags = VF_CALL_NUM_SPEAKERS;
    call.num_speakers = 1;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT,
                 vf_gallery_enroll_f32(gallery, diarizer, "zoe", audio, 12 * RATE, RATE, 1, &call, NULL));
    CHECK_TEXT("call: num_speakers: expected none, as an enrolment has no use for it");
    CHECK_STATUS(VF_E_AUDIO, vf_gallery_enroll_f32(gallery, diarizer, "zoe", NULL, 0, RATE, 1, NULL, NULL));
    CHECK_TEXT("found no speech");
    vf_diarization *found = (vf_diarization *)audio;
    CHECK_STATUS(VF_E_AUDIO, vf_gallery_enroll_f32(gallery, diarizer, "zoe", audio, RATE, RATE, 1, NULL, &found));
    CHECK(found == NULL);
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_enroll_f32(gallery, diarizer, " ", audio, RATE, RATE, 1, NULL, NULL));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_enroll_f32(gallery, diarizer, "zoe", audio, RATE, RATE, 0, NULL, NULL));
    CHECK_STATUS(VF_E_NOT_FOUND, vf_gallery_enroll_file(gallery, diarizer, "zoe", "/nowhere/a.wav", NULL, NULL));
    CHECK_STATUS(VF_E_AUDIO, vf_gallery_enroll_file(gallery, diarizer, "zoe", setting("VF_TEST_MODEL"), NULL, NULL));
    CHECK_STATUS(VF_OK, vf_gallery_count(gallery, &after));
    CHECK(before == after);
    free(audio);
}

/* Each speaker of a result enrolled is known again, as somebody else each. */
static void results(const vf_diarizer *diarizer)
{
    float *audio = test_audio(12 * RATE, 5), *embedding = (float *)allocate(dim * sizeof *embedding);
    vf_diarization *result = NULL;
    vf_gallery *gallery = NULL;
    int32_t found[100];
    float scores[100];
    size_t speakers = 0, n = 0;
    CHECK_STATUS(VF_OK, vf_gallery_create(diarizer, &gallery));
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, 12 * RATE, RATE, 1, NULL, &result));
    CHECK_STATUS(VF_OK, vf_diarization_speaker_count(result, &speakers));
    CHECK(speakers > 0);
    CHECK_STATUS(VF_OK, vf_gallery_identify_diarization(gallery, result, 0.5f, found, scores, 100, &n));
    CHECK(n == speakers && found[0] == -1 && scores[0] <= -1.0f);
    for (int32_t i = 0; (size_t)i < speakers; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "speaker %d", (int)i);
        CHECK_STATUS(VF_OK, vf_diarization_speaker_embedding(result, i, embedding, dim, &n));
        CHECK_STATUS(VF_OK, vf_gallery_enroll_embedding(gallery, name, embedding, dim, 1.0));
    }
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL,
                 vf_gallery_identify_diarization(gallery, result, 0.5f, found, scores, speakers - 1, &n));
    CHECK(n == speakers && found[0] == -1);
    CHECK_STATUS(VF_OK, vf_gallery_identify_diarization(gallery, result, 0.5f, found, scores, 100, &n));
    for (size_t i = 0; i < speakers; i++) {
        CHECK(found[i] >= 0 && (size_t)found[i] < speakers && scores[i] > 0.5f && scores[i] <= 1.0f);
        for (size_t k = 0; k < i; k++) {
            CHECK(found[i] != found[k]);
        }
    }
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_gallery_identify_diarization(gallery, result, NAN, found, scores, 100, &n));
    CHECK(n == 0);
    vf_gallery_destroy(gallery);
    vf_diarization_destroy(result);
    free(audio);
    free(embedding);
}

/* The gallery of another model, here of a pair. */
static void other_model(const vf_gallery *gallery, const char *path)
{
    const float x[4] = {0};
    vf_options *options = test_options();
    vf_diarizer *pair = NULL;
    vf_gallery *loaded = NULL;
    CHECK_STATUS(VF_OK, vf_options_set_segmentation_model(options, setting("VF_TEST_SEGMENTATION")));
    CHECK_STATUS(VF_OK, vf_options_set_embedding_model(options, setting("VF_TEST_WHOLE_EMBEDDING")));
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &pair));
    vf_options_destroy(options);
    CHECK_STATUS(VF_E_GALLERY, vf_gallery_load(pair, path, &loaded));
    CHECK(loaded == NULL);
    CHECK_TEXT("model: expected that of the gallery");
    CHECK_STATUS(VF_E_GALLERY, vf_gallery_enroll_f32(gallery, pair, "zoe", x, 4, RATE, 1, NULL, NULL));
    CHECK_STATUS(VF_E_GALLERY, vf_gallery_enroll_file(gallery, pair, "zoe", "/nowhere/a.wav", NULL, NULL));
    vf_diarizer_destroy(pair);
}

static int mode_of(const char *path)
{
    struct stat found;
    CHECK(lstat(path, &found) == 0);
    return (int)found.st_mode;
}

/* What is saved through a link lies where the link leads, and what is no file stays what it is. */
static void nodes(const vf_gallery *gallery, const vf_diarizer *diarizer, const char *program)
{
    char path[4096], link[4096], pipe[4096];
    vf_gallery *loaded = NULL;
    CHECK(snprintf(path, sizeof path, "%s.target.json", program) < (int)sizeof path);
    CHECK(snprintf(link, sizeof link, "%s.link.json", program) < (int)sizeof link);
    CHECK(snprintf(pipe, sizeof pipe, "%s.pipe", program) < (int)sizeof pipe);
    (void)remove(link), (void)remove(pipe);
    CHECK(symlink(path, link) == 0);
    CHECK_STATUS(VF_OK, vf_gallery_save(gallery, link));
    CHECK(S_ISLNK(mode_of(link)));
    CHECK(mode_of(path) == (S_IFREG | 0600));
    CHECK(chmod(path, 0640) == 0);
    CHECK_STATUS(VF_OK, vf_gallery_save(gallery, link));
    CHECK(mode_of(path) == (S_IFREG | 0640));
    CHECK_STATUS(VF_OK, vf_gallery_load(diarizer, link, &loaded));
    check_names(loaded, enrolled, 3);
    vf_gallery_destroy(loaded);
    CHECK(mkfifo(pipe, 0600) == 0);
    CHECK_STATUS(VF_E_IO, vf_gallery_save(gallery, pipe));
    CHECK_TEXT("expected a regular file, found a pipe");
    CHECK_STATUS(VF_E_GALLERY, vf_gallery_load(diarizer, pipe, &loaded));
    CHECK(S_ISFIFO(mode_of(pipe)));
    CHECK_STATUS(VF_E_GALLERY, vf_gallery_load(diarizer, "/dev/zero", &loaded));
    CHECK_TEXT("expected a regular file, found a device");
    CHECK(remove(pipe) == 0 && remove(link) == 0 && remove(path) == 0);
}

/* A limit of the process stands for a disk that is full. */
static void full_disk(const vf_gallery *gallery, const vf_diarizer *diarizer, const char *program)
{
    char path[4096];
    struct rlimit before, low;
    vf_gallery *loaded = NULL;
    CHECK(snprintf(path, sizeof path, "%s.full.json", program) < (int)sizeof path);
    CHECK_STATUS(VF_OK, vf_gallery_save(gallery, path));
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && getrlimit(RLIMIT_FSIZE, &before) == 0);
    low = before;
    low.rlim_cur = 100;
    CHECK(setrlimit(RLIMIT_FSIZE, &low) == 0);
    CHECK_STATUS(VF_E_IO, vf_gallery_save(gallery, path));
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK_STATUS(VF_OK, vf_gallery_load(diarizer, path, &loaded));
    check_names(loaded, enrolled, 3);
    vf_gallery_destroy(loaded);
    CHECK(remove(path) == 0);
}

static void files(const vf_gallery *gallery, const vf_diarizer *diarizer, const char *program)
{
    char path[4096];
    vf_gallery *loaded = NULL;
    CHECK(snprintf(path, sizeof path, "%s.json", program) < (int)sizeof path);
    CHECK_STATUS(VF_OK, vf_gallery_save(gallery, path));
    CHECK_STATUS(VF_OK, vf_gallery_save(gallery, path));
    CHECK_STATUS(VF_OK, vf_gallery_load(diarizer, path, &loaded));
    check_names(loaded, enrolled, 3);
    other_model(loaded, path);
    vf_gallery_destroy(loaded);
    CHECK_STATUS(VF_E_NOT_FOUND, vf_gallery_load(diarizer, "/nowhere/g.json", &loaded));
    CHECK(loaded == NULL);
    CHECK_STATUS(VF_E_NOT_FOUND, vf_gallery_save(gallery, "/nowhere/g.json"));
    CHECK_STATUS(VF_E_GALLERY, vf_gallery_load(diarizer, setting("VF_TEST_MODEL"), &loaded));
    CHECK_TEXT("expected a gallery as JSON");
    CHECK_STATUS(VF_E_GALLERY, vf_gallery_load(diarizer, "/", &loaded));
    CHECK_STATUS(VF_E_NOT_FOUND, vf_gallery_load(diarizer, "a\xff", &loaded));
    CHECK(remove(path) == 0);
    nodes(gallery, diarizer, program);
    full_disk(gallery, diarizer, program);
}

int main(int argc, char **argv)
{
    vf_model_info info;
    vf_diarizer *diarizer = test_diarizer();
    vf_gallery *gallery = NULL;
    CHECK(argc > 0);
    info.size = sizeof info;
    CHECK_STATUS(VF_OK, vf_diarizer_describe(diarizer, &info));
    dim = info.embedding_dim;
    CHECK_STATUS(VF_OK, vf_gallery_create(diarizer, &gallery));
    voices(gallery);
    recordings(gallery, diarizer);
    results(diarizer);
    files(gallery, diarizer, argv[0]);
    /* A gallery needs nothing of the diarizer that it was made with. */
    vf_diarizer_destroy(diarizer);
    check_names(gallery, enrolled, 3);
    vf_gallery_destroy(gallery);
    return 0;
}
