/* Another model in the place of one that is in use: what changes, what stays, and what a failure
 * leaves as it was. */
#include "support.h"

#include <pthread.h>

#define RATE 16000u
#define SAMPLES (3u * RATE)
#define ROW 8000u
#define RELOADS 3

static vf_diarizer *diarizer;
static vf_session *session;
static float *audio;
static volatile int done;

static vf_options *pair_options(void)
{
    vf_options *options = test_options();
    CHECK_STATUS(VF_OK, vf_options_set_segmentation_model(options, setting("VF_TEST_SEGMENTATION")));
    CHECK_STATUS(VF_OK, vf_options_set_embedding_model(options, setting("VF_TEST_EMBEDDING")));
    return options;
}

static vf_options *broken_options(void)
{
    vf_options *options = test_options();
    CHECK_STATUS(VF_OK, vf_options_set_model_path(options, "/nowhere/model.onnx"));
    return options;
}

/* The versions in use; the current one is the first. */
static size_t versions(const vf_diarizer *of, vf_model_version *out, size_t cap)
{
    size_t n = 0;
    CHECK_STATUS(VF_OK, vf_diarizer_versions(of, out, cap, &n));
    CHECK(n >= 1 && out[0].flags == VF_MODEL_VERSION_CURRENT && out[0].reserved == 0);
    for (size_t index = 1; index < n; index++) {
        CHECK(out[index].flags == 0 && out[index].number < out[index - 1].number);
    }
    return n;
}

static void diarize(void)
{
    vf_diarization *result = NULL;
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, SAMPLES, RATE, 1, NULL, &result));
    vf_diarization_destroy(result);
}

static void exchanged(void)
{
    char before[65], after[65];
    size_t n = 0;
    vf_model_version found[4];
    vf_stream *stream = NULL;
    vf_diarization *result = NULL;
    vf_options *pair = pair_options();
    CHECK_STATUS(VF_OK, vf_diarizer_model_sha256(diarizer, before, sizeof before, &n));
    CHECK(versions(diarizer, found, 4) == 1 && found[0].number == 1 && strcmp(found[0].sha256, before) == 0);
    CHECK_STATUS(VF_OK, vf_stream_create(diarizer, NULL, RATE, 1, NULL, &stream));

    CHECK_STATUS(VF_OK, vf_diarizer_reload(diarizer, pair, NULL));
    CHECK_STATUS(VF_OK, vf_diarizer_model_sha256(diarizer, after, sizeof after, &n));
    CHECK(strcmp(before, after) != 0);
    /* The stream is on the version that it began with, which it keeps. */
    CHECK(versions(diarizer, found, 4) == 2);
    CHECK(found[0].number == 2 && found[0].streams == 0 && strcmp(found[0].sha256, after) == 0);
    CHECK(found[1].number == 1 && found[1].streams == 1 && strcmp(found[1].sha256, before) == 0);
    CHECK(vf_diarizer_versions(diarizer, found, 1, &n) == VF_E_BUFFER_TOO_SMALL && n == 2);
    CHECK_STATUS(VF_OK, vf_stream_push_f32(stream, audio, SAMPLES, NULL));
    diarize();
    CHECK_STATUS(VF_OK, vf_stream_finish(stream, NULL, &result));
    vf_diarization_destroy(result);
    vf_stream_destroy(stream);
    CHECK(versions(diarizer, found, 4) == 1);
    vf_options_destroy(pair);
}

static void failed_changes_nothing(void)
{
    vf_model_version before[4], after[4];
    vf_options *broken = broken_options(), *good = test_options();
    vf_cancel *cancel = new_cancel();
    vf_call call = new_call();
    size_t n = versions(diarizer, before, 4);
    CHECK_STATUS(VF_E_NOT_FOUND, vf_diarizer_reload(diarizer, broken, NULL));
    CHECK_TEXT("reload: load: /nowhere/model.onnx: no such file");
    CHECK_STATUS(VF_E_NOT_FOUND, vf_session_reload(session, broken, NULL));
    vf_cancel_set(cancel);
    call.cancel = cancel;
    CHECK_STATUS(VF_E_CANCELLED, vf_diarizer_reload(diarizer, good, &call));
    CHECK_TEXT("reload: ");
    call = new_call();
    call.flags = VF_CALL_DEADLINE;
    CHECK_STATUS(VF_E_DEADLINE, vf_diarizer_reload(diarizer, good, &call));
    call.flags = VF_CALL_EXCLUSIVE;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarizer_reload(diarizer, good, &call));
    CHECK(versions(diarizer, after, 4) == n && memcmp(before, after, n * sizeof *before) == 0);
    diarize();
    vf_cancel_destroy(cancel);
    vf_options_destroy(broken);
    vf_options_destroy(good);
}

/* A result with voices of another space is not compared. */
static void galleries(void)
{
    char space[129];
    size_t n = 0;
    int32_t index[8];
    float scores[8], threshold = 0;
    vf_gallery *gallery = NULL;
    vf_diarization *own = NULL, *other = NULL;
    vf_options *good = NULL, *pair = pair_options();
    CHECK_STATUS(VF_OK, vf_options_create(&good));
    CHECK_STATUS(VF_OK, vf_options_set_bundle(good, "fast-cnn"));
    CHECK_STATUS(VF_OK, vf_options_set_threads(good, 1));
    CHECK_STATUS(VF_OK, vf_diarizer_reload(diarizer, good, NULL));
    CHECK_STATUS(VF_OK, vf_diarizer_voice_space(diarizer, space, sizeof space, &n));
    CHECK(strcmp(space, "fast-cnn-1") == 0);
    CHECK_STATUS(VF_OK, vf_gallery_create(diarizer, &gallery));
    CHECK_STATUS(VF_OK, vf_gallery_threshold(gallery, &threshold));
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, SAMPLES, RATE, 1, NULL, &own));
    CHECK_STATUS(VF_OK, vf_diarizer_reload(diarizer, pair, NULL));
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, SAMPLES, RATE, 1, NULL, &other));
    CHECK_STATUS(VF_OK, vf_gallery_identify_diarization(gallery, own, threshold, index, scores, 8, &n));
    CHECK_STATUS(VF_E_GALLERY, vf_gallery_identify_diarization(gallery, other, threshold, index, scores, 8, &n));
    CHECK_TEXT("voice space: expected that of the gallery, \"fast-cnn-1\"");
    CHECK_STATUS(VF_OK, vf_diarizer_reload(diarizer, good, NULL));
    vf_diarization_destroy(own);
    vf_diarization_destroy(other);
    vf_gallery_destroy(gallery);
    vf_options_destroy(good);
    vf_options_destroy(pair);
}

static void *infer(void *unused)
{
    float activity[4096], embedding[16 * 512];
    size_t activity_n = 0, embedding_n = 0, frames = 0;
    (void)unused;
    while (!done) {
        CHECK_STATUS(VF_OK, vf_session_infer(session, audio, 1, ROW, NULL, activity, 4096, &activity_n, embedding,
                                             16 * 512, &embedding_n, &frames));
        diarize();
    }
    return NULL;
}

static void *reload(void *failures)
{
    vf_options *good = test_options();
    for (int round = 0; round < RELOADS; round++) {
        if (vf_diarizer_reload(diarizer, good, NULL) != VF_OK || vf_session_reload(session, good, NULL) != VF_OK) {
            ++*(int *)failures;
        }
    }
    vf_options_destroy(good);
    return NULL;
}

/* Two threads reload at once, others use what is reloaded. */
static void under_way(void)
{
    pthread_t users[2], reloaders[2];
    int failures[2] = {0, 0};
    vf_model_version found[4];
    size_t n = 0;
    uint64_t number;
    (void)versions(diarizer, found, 4);
    number = found[0].number;
    for (int index = 0; index < 2; index++) {
        CHECK(pthread_create(&users[index], NULL, infer, NULL) == 0);
        CHECK(pthread_create(&reloaders[index], NULL, reload, &failures[index]) == 0);
    }
    for (int index = 0; index < 2; index++) {
        CHECK(pthread_join(reloaders[index], NULL) == 0);
    }
    done = 1;
    for (int index = 0; index < 2; index++) {
        CHECK(pthread_join(users[index], NULL) == 0);
    }
    CHECK(failures[0] == 0 && failures[1] == 0);
    CHECK(versions(diarizer, found, 4) == 1 && found[0].number == number + 2 * RELOADS && found[0].calls == 0);
    CHECK_STATUS(VF_OK, vf_session_versions(session, found, 4, &n));
    CHECK(n == 1 && found[0].number == 1 + 2 * RELOADS);
}

int main(void)
{
    vf_options *options = test_options();
    audio = test_audio(SAMPLES, 1);
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &diarizer));
    CHECK_STATUS(VF_OK, vf_session_create(options, NULL, &session));
    vf_options_destroy(options);
    exchanged();
    failed_changes_nothing();
    galleries();
    under_way();
    vf_diarizer_destroy(diarizer);
    vf_session_destroy(session);
    free(audio);
    return 0;
}
