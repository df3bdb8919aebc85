/* A diarizer of two public models: from files and from memory, what it says of itself, and what it
 * is refused for. The models have random weights. */
#include "support.h"

#include <math.h>

#define RATE 16000u
#define SAMPLES (2 * RATE)

static vf_options *pair_options(void)
{
    vf_options *options = test_options();
    CHECK_STATUS(VF_OK, vf_options_set_segmentation_model(options, setting("VF_TEST_SEGMENTATION")));
    CHECK_STATUS(VF_OK, vf_options_set_embedding_model(options, setting("VF_TEST_EMBEDDING")));
    return options;
}

static vf_diarizer *create(const vf_options *options)
{
    vf_diarizer *diarizer = NULL;
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &diarizer));
    return diarizer;
}

static void refused(const vf_options *options, vf_status status, const char *text)
{
    vf_diarizer *diarizer = (vf_diarizer *)(void *)&options;
    CHECK_STATUS(status, vf_diarizer_create(options, NULL, &diarizer));
    CHECK(diarizer == NULL);
    CHECK_TEXT(text);
}

/* The turns that the diarizer finds in the test's noise, which are some. */
static char *diarize(const vf_diarizer *diarizer, const float *audio, size_t dim)
{
    vf_diarization *result = NULL;
    size_t segments = 0, speakers = 0, n = 0;
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, SAMPLES, RATE, 1, NULL, &result));
    CHECK_STATUS(VF_OK, vf_diarization_segment_count(result, &segments));
    CHECK_STATUS(VF_OK, vf_diarization_speaker_count(result, &speakers));
    CHECK(segments > 0 && speakers > 0);

    float *voice = (float *)allocate(dim * sizeof *voice);
    CHECK_STATUS(VF_OK, vf_diarization_speaker_embedding(result, 0, voice, dim, &n));
    CHECK(n == dim && isfinite(voice[0]) && isfinite(voice[dim - 1]));
    free(voice);

    CHECK(vf_diarization_to_rttm(result, "noise", NULL, 0, &n) == VF_E_BUFFER_TOO_SMALL);
    char *rttm = (char *)allocate(n);
    CHECK_STATUS(VF_OK, vf_diarization_to_rttm(result, "noise", rttm, n, &n));
    vf_diarization_destroy(result);
    return rttm;
}

static size_t check_description(const vf_diarizer *diarizer)
{
    vf_model_info info;
    memset(&info, 0xff, sizeof info);
    info.size = sizeof info;
    CHECK_STATUS(VF_OK, vf_diarizer_describe(diarizer, &info));
    CHECK(info.size == sizeof info && info.sample_rate == RATE && info.provider == VF_PROVIDER_CPU);
    /* The sizes of the fixtures: windows of 10 s every 2.5 s, frames of 991 samples every 270. */
    CHECK(info.window_samples == 10 * RATE && info.hop_samples == 28000);
    CHECK(info.frame_step_samples == 270 && info.frame_offset_samples == 495);
    CHECK(info.max_speakers == 3 && info.embedding_dim == 16);
    info.size = 0;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarizer_describe(diarizer, &info));
    CHECK_TEXT("size");
    return 16;
}

static void check_names(const vf_diarizer *diarizer, const char *name)
{
    char text[128], again[128];
    size_t n = 0;
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarizer_model_name(diarizer, NULL, 0, &n));
    CHECK(n == strlen(name) + 1);
    memset(text, 'x', sizeof text);
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarizer_model_name(diarizer, text, n - 1, &n));
    CHECK(text[0] == 'x');
    CHECK_STATUS(VF_OK, vf_diarizer_model_name(diarizer, text, n, &n));
    CHECK(strcmp(text, name) == 0);
    /* Public models state no version. */
    CHECK_STATUS(VF_OK, vf_diarizer_model_version(diarizer, text, 1, &n));
    CHECK(n == 1 && text[0] == '\0');
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarizer_model_sha256(diarizer, text, 64, &n));
    CHECK_STATUS(VF_OK, vf_diarizer_model_sha256(diarizer, text, 65, &n));
    CHECK(n == 65 && strspn(text, "0123456789abcdef") == 64);
    CHECK_STATUS(VF_OK, vf_diarizer_model_sha256(diarizer, again, sizeof again, &n));
    CHECK(strcmp(text, again) == 0);
}

static void a_joint_model_has_its_own_names(void)
{
    char text[128], expected[128];
    size_t n = 0;
    vf_diarizer *diarizer = test_diarizer();
    vf_session *session = test_session();
    CHECK_STATUS(VF_OK, vf_session_model_name(session, expected, sizeof expected, &n));
    CHECK_STATUS(VF_OK, vf_diarizer_model_name(diarizer, text, sizeof text, &n));
    CHECK(strcmp(text, expected) == 0);
    CHECK_STATUS(VF_OK, vf_session_model_version(session, expected, sizeof expected, &n));
    CHECK_STATUS(VF_OK, vf_diarizer_model_version(diarizer, text, sizeof text, &n));
    CHECK(strcmp(text, expected) == 0 && n > 1);
    CHECK_STATUS(VF_OK, vf_session_model_sha256(session, expected, sizeof expected, &n));
    CHECK_STATUS(VF_OK, vf_diarizer_model_sha256(diarizer, text, sizeof text, &n));
    CHECK(strcmp(text, expected) == 0 && n == 65);
    vf_session_destroy(session);
    vf_diarizer_destroy(diarizer);
}

/* From files, then from memory that is overwritten once it was set: the same result. */
static void files_and_memory(const float *audio)
{
    vf_options *options = pair_options();
    vf_diarizer *diarizer = create(options);
    const size_t dim = check_description(diarizer);
    check_names(diarizer, "segmentation + campplus");
    char *from_files = diarize(diarizer, audio, dim);
    vf_diarizer_destroy(diarizer);

    size_t size = 0;
    unsigned char *bytes = read_file(setting("VF_TEST_SEGMENTATION"), &size);
    CHECK_STATUS(VF_OK, vf_options_set_segmentation_model_memory(options, bytes, size));
    memset(bytes, 0, size);
    free(bytes);
    bytes = read_file(setting("VF_TEST_EMBEDDING"), &size);
    CHECK_STATUS(VF_OK, vf_options_set_embedding_model_memory(options, bytes, size));
    memset(bytes, 0, size);
    free(bytes);
    diarizer = create(options);
    vf_options_destroy(options);
    CHECK(check_description(diarizer) == dim);
    check_names(diarizer, "model in memory + model in memory");
    char *from_memory = diarize(diarizer, audio, dim);
    CHECK(strcmp(from_files, from_memory) == 0);
    vf_diarizer_destroy(diarizer);
    free(from_files);
    free(from_memory);
}

static void options_are_heard(const float *audio)
{
    vf_options *options = pair_options();
    CHECK_STATUS(VF_OK, vf_options_set_embedding_family(options, VF_EMBEDDING_FAMILY_3D_SPEAKER));
    CHECK_STATUS(VF_OK, vf_options_set_frontend(options, VF_FRONTEND_SHERPA));
    CHECK_STATUS(VF_OK, vf_options_set_segmentation_receptive_field(options, 991, 270));
    CHECK_STATUS(VF_OK, vf_options_set_clustering_method(options, VF_CLUSTERING_CENTROID));
    CHECK_STATUS(VF_OK, vf_options_set_min_cluster_size(options, 1));
    CHECK_STATUS(VF_OK, vf_options_set_clustering_threshold(options, 0.7f));
    vf_diarizer *diarizer = create(options);
    free(diarize(diarizer, audio, 16));
    vf_diarizer_destroy(diarizer);
    vf_options_destroy(options);
}

static void half_a_pair(void)
{
    vf_options *options = test_options();
    CHECK_STATUS(VF_OK, vf_options_set_segmentation_model(options, setting("VF_TEST_SEGMENTATION")));
    refused(options, VF_E_INVALID_ARGUMENT, "embedding_model: expected a model beside the segmentation model");
    vf_options_destroy(options);

    options = test_options();
    CHECK_STATUS(VF_OK, vf_options_set_embedding_model(options, setting("VF_TEST_EMBEDDING")));
    refused(options, VF_E_INVALID_ARGUMENT, "segmentation_model: expected a model beside the embedding model");
    vf_options_destroy(options);
}

static void a_session_runs_no_pair(void)
{
    vf_options *options = pair_options();
    vf_session *session = (vf_session *)(void *)options;
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_session_create(options, NULL, &session));
    CHECK(session == NULL);
    CHECK_TEXT("segmentation_model: expected not to be set for a session, which runs one joint model");
    vf_options_destroy(options);
}

static void a_bundle_is_its_models(void)
{
    vf_options *options = test_options();
    CHECK_STATUS(VF_OK, vf_options_set_bundle(options, setting("VF_TEST_BUNDLE")));
    refused(options, VF_E_INVALID_ARGUMENT, "bundle: expected no model beside it, got one: the joint model");
    vf_options_destroy(options);

    CHECK_STATUS(VF_OK, vf_options_create(&options));
    CHECK_STATUS(VF_OK, vf_options_set_bundle(options, "nowhere"));
    refused(options, VF_E_INVALID_ARGUMENT, "bundle nowhere: expected a folder with model.onnx");
    CHECK_STATUS(VF_OK, vf_options_set_bundle(options, setting("VF_TEST_BUNDLE")));
    vf_session *session = NULL;
    CHECK_STATUS(VF_OK, vf_session_create(options, NULL, &session));
    vf_session_destroy(session);
    vf_diarizer *diarizer = NULL;
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &diarizer));
    vf_diarizer_destroy(diarizer);
    vf_options_destroy(options);
}

static void bad_models(void)
{
    const uint8_t garbage[16] = {1, 2, 3};
    vf_options *options = pair_options();
    CHECK_STATUS(VF_OK, vf_options_set_embedding_model(options, "/nowhere/embedding.onnx"));
    refused(options, VF_E_NOT_FOUND, "/nowhere/embedding.onnx: no such file");
    CHECK_STATUS(VF_OK, vf_options_set_embedding_model_memory(options, garbage, sizeof garbage));
    refused(options, VF_E_MODEL, "model in memory: not a valid ONNX model");
    CHECK_STATUS(VF_OK, vf_options_set_embedding_model(options, setting("VF_TEST_SEGMENTATION")));
    refused(options, VF_E_MODEL, "expected a speaker embedding network");
    CHECK_STATUS(VF_OK, vf_options_set_segmentation_model(options, setting("VF_TEST_EMBEDDING")));
    refused(options, VF_E_MODEL, "expected a segmentation network");
    CHECK_STATUS(VF_OK, vf_options_set_segmentation_model_memory(options, garbage, 1));
    refused(options, VF_E_MODEL, "model in memory: not a valid ONNX model");
    vf_options_destroy(options);

    options = pair_options();
    CHECK_STATUS(VF_OK, vf_options_set_embedding_family(options, VF_EMBEDDING_FAMILY_NEMO));
    refused(options, VF_E_MODEL, "expected a speaker embedding network of the family nemo");
    vf_options_destroy(options);

    options = test_options();
    CHECK_STATUS(VF_OK, vf_options_set_clustering_method(options, VF_CLUSTERING_VBX));
    refused(options, VF_E_INVALID_ARGUMENT, "plda: expected the folder of a PLDA");
    CHECK_STATUS(VF_OK, vf_options_set_plda(options, "/nowhere"));
    refused(options, VF_E_NOT_FOUND, "/nowhere/xvec_transform.npz: no such file");
    vf_options_destroy(options);
}

int main(void)
{
    float *audio = test_audio(SAMPLES, 7);
    a_joint_model_has_its_own_names();
    files_and_memory(audio);
    options_are_heard(audio);
    half_a_pair();
    a_session_runs_no_pair();
    a_bundle_is_its_models();
    bad_models();
    free(audio);
    return 0;
}
