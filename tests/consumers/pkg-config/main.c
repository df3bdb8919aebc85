/* Prints who spoke when in a recording, as RTTM. */
#include <stdio.h>
#include <stdlib.h>
#include <voiceflow.h>

static int fail(void)
{
    char text[1024];
    vf_last_error(text, sizeof text);
    fprintf(stderr, "%s\n", text);
    return 1;
}

int main(int argc, char **argv)
{
    vf_diarizer *diarizer = NULL;
    vf_diarization *result = NULL;
    char *rttm = NULL;
    size_t size = 0;
    int code = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: consumer AUDIO\n");
        return 2;
    }
    if (vf_diarizer_create(NULL, NULL, &diarizer) != VF_OK
        || vf_diarizer_process_file(diarizer, argv[1], NULL, &result) != VF_OK
        || vf_diarization_to_rttm(result, "recording", NULL, 0, &size) != VF_E_BUFFER_TOO_SMALL) {
        code = fail();
    } else if ((rttm = malloc(size)) == NULL) {
        code = 1;
    } else if (vf_diarization_to_rttm(result, "recording", rttm, size, &size) != VF_OK) {
        code = fail();
    } else {
        fputs(rttm, stdout);
    }
    free(rttm);
    vf_diarization_destroy(result);
    vf_diarizer_destroy(diarizer);
    return code;
}
