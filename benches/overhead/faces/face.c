/* The C interface: ./face RUNTIME MODEL ROUNDS */
#define _POSIX_C_SOURCE 200809L
#include "../reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <voiceflow.h>

static void require(vf_status status)
{
    if (status != VF_OK) {
        char text[1024];
        vf_last_error(text, sizeof text);
        fprintf(stderr, "%s\n", text);
        exit(1);
    }
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
    vf_options *options;
    vf_session *session;
    vf_model_info info = {.size = sizeof info};
    size_t frames, activity_n, embedding_n;

    if (argc != 4) {
        fprintf(stderr, "usage: %s RUNTIME MODEL ROUNDS\n", argv[0]);
        return 2;
    }
    reference_open(argv[1], argv[2], strtoul(argv[3], NULL, 10));
    require(vf_options_create(&options));
    require(vf_options_set_runtime_library(options, argv[1]));
    require(vf_options_set_model_path(options, argv[2]));
    require(vf_options_set_threads(options, 1));
    require(vf_session_create(options, NULL, &session));
    require(vf_session_describe(session, &info));

    const float *audio = reference_audio();
    const size_t samples = reference_samples();
    require(vf_session_frames(session, samples, &frames));
    const size_t activity_cap = frames * info.max_speakers;
    const size_t embedding_cap = (size_t)info.max_speakers * info.embedding_dim;
    float *activity = malloc(activity_cap * sizeof *activity);
    float *embedding = malloc(embedding_cap * sizeof *embedding);
    while (reference_next()) {
        const uint64_t start = now_ns();
        const vf_status status = vf_session_infer(session, audio, 1, samples, NULL, activity, activity_cap, &activity_n,
                                                  embedding, embedding_cap, &embedding_n, &frames);
        reference_record(now_ns() - start);
        require(status);
    }
    reference_report();
    free(activity);
    free(embedding);
    vf_session_destroy(session);
    vf_options_destroy(options);
    return 0;
}
