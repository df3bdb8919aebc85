/* Diarizes a recording, but for no longer than some milliseconds. Another thread could end it as
 * well, by the switch of the call (vf_cancel_set).
 *
 *     cc deadline.c $(pkg-config --cflags --libs voiceflow) -o deadline
 *     ./deadline meeting.wav 5
 */
#include <stdio.h>
#include <stdlib.h>
#include <voiceflow.h>

static int fail(const char *what)
{
    char text[1024];
    vf_last_error(text, sizeof text);
    fprintf(stderr, "%s: %s\n", what, text);
    return 1;
}

int main(int argc, char **argv)
{
    vf_call call = {.size = sizeof call};
    vf_diarizer *diarizer = NULL;
    vf_diarization *result = NULL;
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
    call.flags = VF_CALL_DEADLINE;
    call.deadline_ms = strtoul(argv[2], NULL, 10);
    status = vf_diarizer_process_file(diarizer, argv[1], &call, &result);
    if (status == VF_E_DEADLINE) {
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
