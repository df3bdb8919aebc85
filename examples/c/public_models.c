/* Prints who spoke when in a recording, with two public models in place of the library's own.
 *
 *     cc public_models.c $(pkg-config --cflags --libs voiceflow) -o public_models
 *     ./public_models meeting.wav segmentation.onnx embedding.onnx
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

static int print_models(const vf_diarizer *diarizer)
{
    vf_model_info info;
    char name[256];
    size_t length;
    info.size = sizeof info;
    if (vf_diarizer_describe(diarizer, &info) != VF_OK ||
        vf_diarizer_model_name(diarizer, name, sizeof name, &length) != VF_OK) {
        return fail("models");
    }
    fprintf(stderr, "%s: windows of %.1f s, at most %u speakers in each, voices of %u numbers\n", name,
            (double)info.window_samples / info.sample_rate, (unsigned)info.max_speakers, (unsigned)info.embedding_dim);
    return 0;
}

static int print_rttm(const vf_diarization *result)
{
    size_t size;
    char *text;
    /* Without a buffer the call says how large it has to be. */
    if (vf_diarization_to_rttm(result, "audio", NULL, 0, &size) != VF_E_BUFFER_TOO_SMALL) {
        return fail("rttm");
    }
    text = malloc(size);
    if (text == NULL || vf_diarization_to_rttm(result, "audio", text, size, &size) != VF_OK) {
        free(text);
        return fail("rttm");
    }
    fputs(text, stdout);
    free(text);
    return 0;
}

int main(int argc, char **argv)
{
    vf_options *options = NULL;
    vf_diarizer *diarizer = NULL;
    vf_diarization *result = NULL;
    int code;

    if (argc != 4) {
        fprintf(stderr, "usage: %s AUDIO SEGMENTATION EMBEDDING\n", argv[0]);
        return 2;
    }
    if (vf_options_create(&options) != VF_OK) {
        code = fail("options");
    } else if (vf_options_set_segmentation_model(options, argv[2]) != VF_OK) {
        code = fail(argv[2]);
    } else if (vf_options_set_embedding_model(options, argv[3]) != VF_OK) {
        code = fail(argv[3]);
    } else if (vf_diarizer_create(options, NULL, &diarizer) != VF_OK) {
        code = fail("models");
    } else if (print_models(diarizer) != 0) {
        code = 1;
    } else if (vf_diarizer_process_file(diarizer, argv[1], NULL, &result) != VF_OK) {
        code = fail(argv[1]);
    } else {
        code = print_rttm(result);
    }
    vf_diarization_destroy(result);
    vf_diarizer_destroy(diarizer);
    vf_options_destroy(options);
    return code;
}
