/* Every setter: its range, wrong values, NULL. Needs no model. */
#include "support.h"

#include <math.h>

#define REFUSED(call, text)                                                                                    \
    do {                                                                                                       \
        CHECK_STATUS(VF_E_INVALID_ARGUMENT, call);                                                             \
        CHECK_TEXT(text);                                                                                      \
    } while (0)

static void ranges(vf_options *o)
{
    REFUSED(vf_options_set_provider(o, 4, 0), "provider: expected 0 to 3, got 4");
    REFUSED(vf_options_set_provider(o, -1, 0), "got -1");
    REFUSED(vf_options_set_provider(o, INT32_MAX, 0), "provider");
    REFUSED(vf_options_set_provider(o, 0, 2), "policy: expected 0 or 1, got 2");
    REFUSED(vf_options_set_provider(o, 0, INT32_MIN), "policy");
    CHECK_STATUS(VF_OK, vf_options_set_provider(o, VF_PROVIDER_TENSORRT, VF_PROVIDER_REQUIRED));
    CHECK_STATUS(VF_OK, vf_options_set_provider(o, VF_PROVIDER_AUTO, VF_PROVIDER_PREFERRED));

    REFUSED(vf_options_set_device_id(o, -1), "device_id: expected 0 to 63, got -1");
    REFUSED(vf_options_set_device_id(o, 64), "got 64");
    CHECK_STATUS(VF_OK, vf_options_set_device_id(o, 63));

    REFUSED(vf_options_set_device_memory_limit(o, 1048575),
            "device_memory_limit: expected 0 or 1048576 to 1099511627776 bytes, got 1048575");
    REFUSED(vf_options_set_device_memory_limit(o, 1), "got 1");
    REFUSED(vf_options_set_device_memory_limit(o, 1099511627777u), "got 1099511627777");
    REFUSED(vf_options_set_device_memory_limit(o, UINT64_MAX), "device_memory_limit");
    CHECK_STATUS(VF_OK, vf_options_set_device_memory_limit(o, 1048576));
    CHECK_STATUS(VF_OK, vf_options_set_device_memory_limit(o, 1099511627776u));
    CHECK_STATUS(VF_OK, vf_options_set_device_memory_limit(o, 0));

    REFUSED(vf_options_set_telemetry(o, 2), "telemetry: expected 0 or 1, got 2");
    REFUSED(vf_options_set_telemetry(o, -1), "got -1");
    CHECK_STATUS(VF_OK, vf_options_set_telemetry(o, 1));
    CHECK_STATUS(VF_OK, vf_options_set_telemetry(o, 0));

    CHECK_STATUS(VF_OK, vf_options_set_threads(o, 0));
    CHECK_STATUS(VF_OK, vf_options_set_threads(o, 256));
    REFUSED(vf_options_set_threads(o, 257), "threads: expected 0 to 256, got 257");
    REFUSED(vf_options_set_threads(o, SIZE_MAX), "threads");

    REFUSED(vf_options_set_slots(o, 0), "slots: expected 1 to 64, got 0");
    CHECK_STATUS(VF_OK, vf_options_set_slots(o, 64));
    REFUSED(vf_options_set_slots(o, 65), "slots");

    REFUSED(vf_options_set_batch(o, 0), "batch: expected 1 to 1024, got 0");
    CHECK_STATUS(VF_OK, vf_options_set_batch(o, 1024));
    REFUSED(vf_options_set_batch(o, 1025), "batch");


    REFUSED(vf_options_set_num_speakers(o, 0), "got 0");
    REFUSED(vf_options_set_num_speakers(o, 101), "got 101");
    CHECK_STATUS(VF_OK, vf_options_set_num_speakers(o, 100));
    REFUSED(vf_options_set_speaker_range(o, 3, 2), "at most max_speakers (2), got 3");
    REFUSED(vf_options_set_speaker_range(o, 0, 0), "max_speakers");
    REFUSED(vf_options_set_speaker_range(o, 101, 100), "min_speakers");
    CHECK_STATUS(VF_OK, vf_options_set_speaker_range(o, 0, 1));
    REFUSED(vf_options_set_speaker_range(o, 1, SIZE_MAX), "max_speakers");
    CHECK_STATUS(VF_OK, vf_options_set_speaker_range(o, 2, 2));
}

static void public_models(vf_options *o)
{
    REFUSED(vf_options_set_embedding_family(o, -1), "family: expected 0 to 3, got -1");
    REFUSED(vf_options_set_embedding_family(o, 4), "got 4");
    REFUSED(vf_options_set_embedding_family(o, INT32_MAX), "family");
    for (int32_t family = VF_EMBEDDING_FAMILY_NEMO; family >= VF_EMBEDDING_FAMILY_AUTO; family--) {
        CHECK_STATUS(VF_OK, vf_options_set_embedding_family(o, family));
    }
    REFUSED(vf_options_set_frontend(o, -1), "frontend: expected 0 or 1, got -1");
    REFUSED(vf_options_set_frontend(o, 2), "got 2");
    REFUSED(vf_options_set_frontend(o, INT32_MIN), "frontend");
    CHECK_STATUS(VF_OK, vf_options_set_frontend(o, VF_FRONTEND_SHERPA));
    CHECK_STATUS(VF_OK, vf_options_set_frontend(o, VF_FRONTEND_TRAINED));
    REFUSED(vf_options_set_clustering_method(o, -1), "method: expected 0 to 3, got -1");
    REFUSED(vf_options_set_clustering_method(o, 4), "got 4");
    REFUSED(vf_options_set_clustering_method(o, INT32_MAX), "method");
    for (int32_t method = VF_CLUSTERING_VBX; method >= VF_CLUSTERING_AUTO; method--) {
        CHECK_STATUS(VF_OK, vf_options_set_clustering_method(o, method));
    }

    REFUSED(vf_options_set_min_cluster_size(o, 0), "min_cluster_size: expected 1 to 1000, got 0");
    CHECK_STATUS(VF_OK, vf_options_set_min_cluster_size(o, 1));
    CHECK_STATUS(VF_OK, vf_options_set_min_cluster_size(o, 1000));
    REFUSED(vf_options_set_min_cluster_size(o, 1001), "got 1001");
    REFUSED(vf_options_set_min_cluster_size(o, SIZE_MAX), "min_cluster_size");

    REFUSED(vf_options_set_segmentation_receptive_field(o, 0, 0), "receptive_field_size: expected 1 to 160000, got 0");
    REFUSED(vf_options_set_segmentation_receptive_field(o, 160001, 1), "got 160001");
    REFUSED(vf_options_set_segmentation_receptive_field(o, SIZE_MAX, SIZE_MAX), "receptive_field_size");
    REFUSED(vf_options_set_segmentation_receptive_field(o, 991, 0), "receptive_field_step: expected 1 to 991, got 0");
    REFUSED(vf_options_set_segmentation_receptive_field(o, 991, 992), "got 992");
    REFUSED(vf_options_set_segmentation_receptive_field(o, 991, SIZE_MAX), "receptive_field_step");
    CHECK_STATUS(VF_OK, vf_options_set_segmentation_receptive_field(o, 1, 1));
    CHECK_STATUS(VF_OK, vf_options_set_segmentation_receptive_field(o, 160000, 160000));
    CHECK_STATUS(VF_OK, vf_options_set_segmentation_receptive_field(o, 991, 270));
}

static void real_numbers(vf_options *o)
{
    REFUSED(vf_options_set_hop_s(o, 0.0), "hop_s: expected 0.1 to 60");
    REFUSED(vf_options_set_hop_s(o, (double)NAN), "got NaN");
    REFUSED(vf_options_set_hop_s(o, -1.0), "hop_s");
    REFUSED(vf_options_set_hop_s(o, (double)INFINITY), "got inf");
    CHECK_STATUS(VF_OK, vf_options_set_hop_s(o, 0.1));

    /* Zero means zero. */
    CHECK_STATUS(VF_OK, vf_options_set_clustering_threshold(o, 0.0f));
    CHECK_STATUS(VF_OK, vf_options_set_clustering_threshold(o, 2.0f));
    REFUSED(vf_options_set_clustering_threshold(o, 2.1f), "clustering_threshold: expected 0 to 2, got 2.1");
    REFUSED(vf_options_set_clustering_threshold(o, NAN), "got NaN");

    CHECK_STATUS(VF_OK, vf_options_set_min_speech_s(o, 0.0));
    REFUSED(vf_options_set_min_speech_s(o, 60.5), "min_speech_s: expected 0 to 60, got 60.5");
    REFUSED(vf_options_set_min_speech_s(o, -(double)INFINITY), "min_speech_s");
    CHECK_STATUS(VF_OK, vf_options_set_min_silence_s(o, 60.0));
    REFUSED(vf_options_set_min_silence_s(o, -0.1), "min_silence_s: expected 0 to 60, got -0.1");
    REFUSED(vf_options_set_min_silence_s(o, (double)NAN), "min_silence_s");

    CHECK_STATUS(VF_OK, vf_options_set_latency_s(o, 0.5));
    CHECK_STATUS(VF_OK, vf_options_set_latency_s(o, 5.0));
    REFUSED(vf_options_set_latency_s(o, 0.49), "latency_s: expected 0.5 to 5, got 0.49");
    REFUSED(vf_options_set_latency_s(o, 0.0), "got 0");
    REFUSED(vf_options_set_latency_s(o, 5.1), "got 5.1");
    REFUSED(vf_options_set_latency_s(o, (double)NAN), "got NaN");
    CHECK_STATUS(VF_OK, vf_options_set_history_s(o, 0.0));
    CHECK_STATUS(VF_OK, vf_options_set_history_s(o, 86400.0));
    REFUSED(vf_options_set_history_s(o, -0.1), "history_s: expected 0 to 86400, got -0.1");
    REFUSED(vf_options_set_history_s(o, 86401.0), "got 86401");
    REFUSED(vf_options_set_history_s(o, (double)INFINITY), "history_s");
}

typedef vf_status (*set_text)(vf_options *options, const char *text);
typedef vf_status (*set_bytes)(vf_options *options, const uint8_t *data, size_t size);

static void paths_of_models_and_folders(vf_options *o, const char *too_long)
{
    const set_text setters[5] = {vf_options_set_segmentation_model, vf_options_set_embedding_model,
                                 vf_options_set_plda, vf_options_set_cache_folder, vf_options_set_bundle};
    const char *const names[5] = {"path", "path", "folder", "folder", "bundle"};
    for (int i = 0; i < 5; i++) {
        char expected[64];
        (void)snprintf(expected, sizeof expected, "%s: must not be NULL", names[i]);
        CHECK_STATUS(VF_E_NULL, setters[i](o, NULL));
        CHECK_TEXT(expected);
        CHECK_STATUS(VF_E_NULL, setters[i](NULL, "a"));
        CHECK_TEXT("vf_options: must not be NULL");
        REFUSED(setters[i](o, ""), "empty");
        CHECK_STATUS(VF_E_LIMIT, setters[i](o, too_long));
        CHECK_TEXT(names[i]);
        /* Bytes of the system, UTF-8 or not. */
        CHECK_STATUS(VF_OK, setters[i](o, "/nowhere/\xff"));
        CHECK_STATUS(VF_OK, setters[i](o, "/nowhere"));
    }
}

static void bytes_of_public_models(vf_options *o)
{
    const set_bytes setters[2] = {vf_options_set_segmentation_model_memory, vf_options_set_embedding_model_memory};
    const uint8_t byte = 1;
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(VF_E_NULL, setters[i](NULL, &byte, 1));
        CHECK_TEXT("vf_options: must not be NULL");
        CHECK_STATUS(VF_E_NULL, setters[i](o, NULL, 4));
        CHECK_TEXT("data");
        REFUSED(setters[i](o, NULL, 0), "got 0 bytes");
        REFUSED(setters[i](o, &byte, 0), "got 0 bytes");
        CHECK_STATUS(VF_E_LIMIT, setters[i](o, &byte, SIZE_MAX));
        CHECK_STATUS(VF_E_LIMIT, setters[i](o, &byte, (size_t)INT32_MAX + 1));
        CHECK_STATUS(VF_OK, setters[i](o, &byte, 1));
    }
}

static void texts_and_bytes(vf_options *o)
{
    const unsigned char byte = 1;
    char *path = (char *)allocate(70000);
    memset(path, 'a', 70000);
    path[69999] = '\0';

    CHECK_STATUS(VF_E_NULL, vf_options_set_model_path(o, NULL));
    CHECK_TEXT("path: must not be NULL");
    REFUSED(vf_options_set_model_path(o, ""), "empty");
    CHECK_STATUS(VF_OK, vf_options_set_model_path(o, "ab\xff"));
    CHECK_STATUS(VF_E_LIMIT, vf_options_set_model_path(o, path));
    CHECK_STATUS(VF_E_LIMIT, vf_options_set_runtime_library(o, path));
    CHECK_STATUS(VF_E_NULL, vf_options_set_runtime_library(o, NULL));
    REFUSED(vf_options_set_runtime_library(o, ""), "empty");
    CHECK_STATUS(VF_OK, vf_options_set_runtime_library(o, "/nowhere/libonnxruntime.so"));
    paths_of_models_and_folders(o, path);
    /* Copied: the caller's text may change afterwards. */
    path[100] = '\0';
    CHECK_STATUS(VF_OK, vf_options_set_model_path(o, path));
    free(path);

    CHECK_STATUS(VF_E_NULL, vf_options_set_model_memory(o, NULL, 4));
    CHECK_TEXT("data");
    REFUSED(vf_options_set_model_memory(o, NULL, 0), "got 0 bytes");
    REFUSED(vf_options_set_model_memory(o, &byte, 0), "got 0 bytes");
    CHECK_STATUS(VF_E_LIMIT, vf_options_set_model_memory(o, &byte, SIZE_MAX));
    CHECK_STATUS(VF_E_LIMIT, vf_options_set_model_memory(o, &byte, (size_t)INT32_MAX + 1));
    CHECK_STATUS(VF_OK, vf_options_set_model_memory(o, &byte, 1));
    bytes_of_public_models(o);
}

static void null_options(void)
{
    const unsigned char byte = 1;
    CHECK_STATUS(VF_E_NULL, vf_options_set_model_path(NULL, "a"));
    CHECK_TEXT("vf_options: must not be NULL");
    CHECK_STATUS(VF_E_NULL, vf_options_set_model_memory(NULL, &byte, 1));
    CHECK_STATUS(VF_E_NULL, vf_options_set_runtime_library(NULL, "a"));
    CHECK_STATUS(VF_E_NULL, vf_options_set_provider(NULL, 0, 0));
    CHECK_STATUS(VF_E_NULL, vf_options_set_device_id(NULL, 0));
    CHECK_STATUS(VF_E_NULL, vf_options_set_device_memory_limit(NULL, 0));
    CHECK_STATUS(VF_E_NULL, vf_options_set_telemetry(NULL, 0));
    CHECK_STATUS(VF_E_NULL, vf_options_set_threads(NULL, 1));
    CHECK_STATUS(VF_E_NULL, vf_options_set_slots(NULL, 1));
    CHECK_STATUS(VF_E_NULL, vf_options_set_batch(NULL, 1));
    CHECK_STATUS(VF_E_NULL, vf_options_set_num_speakers(NULL, 1));
    CHECK_STATUS(VF_E_NULL, vf_options_set_speaker_range(NULL, 1, 1));
    CHECK_STATUS(VF_E_NULL, vf_options_set_hop_s(NULL, 1.0));
    CHECK_STATUS(VF_E_NULL, vf_options_set_clustering_threshold(NULL, 1.0f));
    CHECK_STATUS(VF_E_NULL, vf_options_set_min_speech_s(NULL, 1.0));
    CHECK_STATUS(VF_E_NULL, vf_options_set_min_silence_s(NULL, 1.0));
    CHECK_STATUS(VF_E_NULL, vf_options_set_latency_s(NULL, 1.0));
    CHECK_STATUS(VF_E_NULL, vf_options_set_history_s(NULL, 1.0));
    CHECK_STATUS(VF_E_NULL, vf_options_set_segmentation_receptive_field(NULL, 991, 270));
    CHECK_STATUS(VF_E_NULL, vf_options_set_embedding_family(NULL, 0));
    CHECK_STATUS(VF_E_NULL, vf_options_set_frontend(NULL, 0));
    CHECK_STATUS(VF_E_NULL, vf_options_set_clustering_method(NULL, 0));
    CHECK_STATUS(VF_E_NULL, vf_options_set_min_cluster_size(NULL, 1));
    CHECK_STATUS(VF_E_NULL, vf_options_create(NULL));
}

static void wrong_handles(vf_options *o)
{
    /* Another type, and a pointer that leads to no handle at all. */
    double segment[8] = {1.0};
    vf_session *session = (vf_session *)(void *)o;
    vf_model_info info;
    info.size = sizeof info;
    REFUSED(vf_session_describe(session, &info), "vf_session: not a live vf_session handle");
    vf_session_destroy(session);
    REFUSED(vf_options_set_threads((vf_options *)(void *)segment, 1), "not a live vf_options handle");
    REFUSED(vf_options_set_threads((vf_options *)(void *)((char *)o + 1), 1), "not a live vf_options handle");
    CHECK_STATUS(VF_OK, vf_options_set_threads(o, 1));
}

int main(void)
{
    vf_options *options = NULL;
    CHECK_STATUS(VF_OK, vf_options_create(&options));
    CHECK(options != NULL);
    ranges(options);
    public_models(options);
    real_numbers(options);
    texts_and_bytes(options);
    null_options();
    wrong_handles(options);
    vf_options_destroy(options);
    return 0;
}
