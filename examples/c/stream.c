/* Prints who speaks, live: raw 16-bit samples, 16 kHz, mono, from standard input.
 *
 *     cc stream.c $(pkg-config --cflags --libs voiceflow) -o stream
 *     arecord -q -f S16_LE -r 16000 -c 1 | ./stream [model.onnx]
 */
#include <stdio.h>
#include <voiceflow.h>

static int fail(const char *what)
{
    char text[1024];
    vf_last_error(text, sizeof text);
    fprintf(stderr, "%s: %s\n", what, text);
    return 1;
}

/* Segments that never change again; those that may still change are left out. */
static void print_final(const vf_stream *stream)
{
    vf_segment s;
    size_t n;
    while (vf_stream_read(stream, &s, 1, &n) == VF_OK && n == 1) {
        if (s.flags & VF_SEGMENT_FINAL) {
            printf("%8.2f %8.2f  speaker %d\n", s.start_s, s.end_s, (int)s.speaker);
        }
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    vf_options *options = NULL;
    vf_diarizer *diarizer = NULL;
    vf_stream *stream = NULL;
    vf_diarization *result = NULL;
    int16_t samples[1600];
    size_t count;
    int code = 0;

    if (vf_options_create(&options) != VF_OK || (argc > 1 && vf_options_set_model_path(options, argv[1]) != VF_OK)
        || vf_diarizer_create(options, NULL, &diarizer) != VF_OK
        || vf_stream_create(diarizer, options, 16000, 1, NULL, &stream) != VF_OK) {
        code = fail("stream");
    }
    while (code == 0 && (count = fread(samples, sizeof samples[0], 1600, stdin)) > 0) {
        code = vf_stream_push_i16(stream, samples, count, NULL) == VF_OK ? 0 : fail("audio");
        print_final(stream);
    }
    if (code == 0) {
        code = vf_stream_finish(stream, NULL, &result) == VF_OK ? 0 : fail("end");
        print_final(stream);
    }
    vf_diarization_destroy(result);
    vf_stream_destroy(stream);
    vf_diarizer_destroy(diarizer);
    vf_options_destroy(options);
    return code;
}
