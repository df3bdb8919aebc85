/* What the C tests share. C99, C11, C23 and C++17. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <voiceflow.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                       \
    do {                                                                                                       \
        if (!(condition)) {                                                                                    \
            fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition);                           \
            exit(1);                                                                                           \
        }                                                                                                      \
    } while (0)

/* The call must return this status; its error text is shown when it does not, and must be there if
 * it fails. */
#define CHECK_STATUS(expected, call)                                                                           \
    do {                                                                                                       \
        vf_status status_ = (call);                                                                            \
        char text_[1024];                                                                                      \
        size_t length_ = vf_last_error(text_, sizeof text_);                                                   \
        if (status_ != (expected)) {                                                                           \
            fprintf(stderr, "%s:%d: %s: expected %s, got %d (%s): %s\n", __FILE__, __LINE__, #call, #expected, \
                    (int)status_, vf_status_str(status_), text_);                                              \
            exit(1);                                                                                           \
        }                                                                                                      \
        CHECK((length_ > 0) == (status_ != VF_OK));                                                            \
    } while (0)

/* The error text of this thread must contain this. */
#define CHECK_TEXT(part)                                                                                       \
    do {                                                                                                       \
        char text_[4096];                                                                                      \
        (void)vf_last_error(text_, sizeof text_);                                                              \
        if (strstr(text_, (part)) == NULL) {                                                                   \
            fprintf(stderr, "%s:%d: expected \"%s\" in \"%s\"\n", __FILE__, __LINE__, (part), text_);          \
            exit(1);                                                                                           \
        }                                                                                                      \
    } while (0)

/* A value that the test program gives in the environment. */
static inline const char *setting(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "%s is not set: run this through cargo test --test c_api c_abi\n", name);
        exit(1);
    }
    return value;
}

static inline void *allocate(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);
    CHECK(memory != NULL);
    return memory;
}

/* A call that asks for nothing yet. */
static inline vf_call new_call(void)
{
    vf_call call;
    memset(&call, 0, sizeof call);
    call.size = sizeof call;
    return call;
}

static inline vf_cancel *new_cancel(void)
{
    vf_cancel *cancel = NULL;
    CHECK_STATUS(VF_OK, vf_cancel_create(&cancel));
    return cancel;
}

/* Options with the model of the tests, run on the processor by one thread. */
static inline vf_options *test_options(void)
{
    vf_options *options = NULL;
    CHECK_STATUS(VF_OK, vf_options_create(&options));
    CHECK_STATUS(VF_OK, vf_options_set_model_path(options, setting("VF_TEST_MODEL")));
    CHECK_STATUS(VF_OK, vf_options_set_provider(options, VF_PROVIDER_CPU, VF_PROVIDER_REQUIRED));
    CHECK_STATUS(VF_OK, vf_options_set_threads(options, 1));
    return options;
}

static inline vf_session *test_session(void)
{
    vf_options *options = test_options();
    vf_session *session = NULL;
    CHECK_STATUS(VF_OK, vf_session_create(options, NULL, &session));
    vf_options_destroy(options);
    return session;
}

static inline vf_diarizer *test_diarizer(void)
{
    vf_options *options = test_options();
    vf_diarizer *diarizer = NULL;
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &diarizer));
    vf_options_destroy(options);
    return diarizer;
}

/* The same noise for the same seed, bursts of it between pauses. */
static inline float *test_audio(size_t samples, unsigned seed)
{
    float *audio = (float *)allocate(samples * sizeof *audio);
    uint32_t state = seed * 2654435761u + 1u;
    for (size_t i = 0; i < samples; i++) {
        state = state * 1664525u + 1013904223u;
        const float noise = (float)(state >> 8) / 16777216.0f - 0.5f;
        const float loudness = (i / 12000u) % 3u == 2u ? 0.0f : 0.2f + 0.3f * (float)((i / 36000u) % 2u);
        audio[i] = loudness * noise;
    }
    return audio;
}

/* The whole of a file. */
static inline unsigned char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    const long end = ftell(file);
    CHECK(end >= 0 && fseek(file, 0, SEEK_SET) == 0);
    *size = (size_t)end;
    unsigned char *bytes = (unsigned char *)allocate(*size);
    CHECK(fread(bytes, 1, *size, file) == *size);
    CHECK(fclose(file) == 0);
    return bytes;
}

#endif
