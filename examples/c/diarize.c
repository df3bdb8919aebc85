/* Prints who spoke when in a recording.
 *
 *     cc diarize.c $(pkg-config --cflags --libs voiceflow) -o diarize
 *     ./diarize meeting.wav [model.onnx]
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

static int print_turns(const vf_diarization *result)
{
    vf_segment *segments;
    size_t count, i;
    if (vf_diarization_segment_count(result, &count) != VF_OK) {
        return fail("segments");
    }
    segments = malloc((count + 1) * sizeof *segments);
    if (segments == NULL || vf_diarization_segments(result, segments, count, &count) != VF_OK) {
        free(segments);
        return fail("segments");
    }
    for (i = 0; i < count; i++) {
        printf("%8.2f %8.2f  speaker %d%s\n", segments[i].start_s, segments[i].end_s, (int)segments[i].speaker,
               segments[i].flags & VF_SEGMENT_OVERLAP ? "  (overlap)" : "");
    }
    free(segments);
    return 0;
}

int main(int argc, char **argv)
{
    vf_options *options = NULL;
    vf_diarizer *diarizer = NULL;
    vf_diarization *result = NULL;
    int code;

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s AUDIO [MODEL]\n", argv[0]);
        return 2;
    }
    if (vf_options_create(&options) != VF_OK) {
        code = fail("options");
    } else if (argc == 3 && vf_options_set_model_path(options, argv[2]) != VF_OK) {
        code = fail(argv[2]);
    } else if (vf_diarizer_create(options, NULL, &diarizer) != VF_OK) {
        code = fail("model");
    } else if (vf_diarizer_process_file(diarizer, argv[1], NULL, &result) != VF_OK) {
        code = fail("diarize");
    } else {
        code = print_turns(result);
    }
    vf_diarization_destroy(result);
    vf_diarizer_destroy(diarizer);
    vf_options_destroy(options);
    return code;
}
