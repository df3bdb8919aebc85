/* Diarizes a recording, but for no longer than some milliseconds: the progress callback looks at the clock and cancels.
 * A limit that is the same for every call is an option, vf_options_set_deadline_ms.
 *
 *     cc deadline.c $(pkg-config --cflags --libs voiceflow) -o deadline
 *     ./deadline meeting.wav 5
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <voiceflow.h>

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

static int32_t on_progress(void *user_data, int32_t stage, float fraction)
{
    (void)stage;
    (void)fraction;
    return now_ms() > *(const double *)user_data;
}

static int fail(const char *what)
{
    char text[1024];
    vf_last_error(text, sizeof text);
    fprintf(stderr, "%s: %s\n", what, text);
    return 1;
}

int main(int argc, char **argv)
{
    vf_diarizer *diarizer = NULL;
    vf_diarization *result = NULL;
    double start, deadline;
    vf_status status;
    size_t segments;
    int code = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: %s AUDIO MILLISECONDS\n", argv[0]);
        return 2;
    }
    if (vf_diarizer_create(NULL, NULL, &diarizer) != VF_OK) {
        return fail("model");
    }
    start = now_ms();
    deadline = start + strtod(argv[2], NULL);
    status = vf_diarizer_process_file(diarizer, argv[1], on_progress, &deadline, &result);
    if (status == VF_E_CANCELLED) {
        printf("not done within %s ms\n", argv[2]);
    } else if (status != VF_OK || vf_diarization_segment_count(result, &segments) != VF_OK) {
        code = fail("diarize");
    } else {
        printf("%u segments\n", (unsigned)segments);
    }
    vf_diarization_destroy(result);
    vf_diarizer_destroy(diarizer);
    return code;
}
