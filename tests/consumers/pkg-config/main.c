/* Prints who spoke when in a recording, as RTTM, by the models of the bundle that is named. */
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
    vf_options *options = NULL;
    vf_diarizer *diarizer = NULL;
    vf_diarization *result = NULL;
    char *rttm = NULL;
    size_t size = 0;
    int code = 0;

    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: consumer AUDIO [BUNDLE]\n");
        return 2;
    }
    if (vf_options_create(&options) != VF_OK
        || (argc == 3 && vf_options_set_bundle(options, argv[2]) != VF_OK)
        || vf_diarizer_create(options, NULL, &diarizer) != VF_OK
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
    vf_options_destroy(options);
    return code;
}
