/* Enrolls speakers by recordings of them, and names them in another recording.
 *
 *     cc identify.c $(pkg-config --cflags --libs voiceflow) -o identify
 *     ./identify meeting.wav ada=ada.wav bob=bob.wav
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <voiceflow.h>

static int fail(const char *what)
{
    char text[1024];
    vf_last_error(text, sizeof text);
    fprintf(stderr, "%s: %s\n", what, text);
    return 1;
}

/* `argument` is NAME=FILE. */
static int enroll(const vf_gallery *gallery, const vf_diarizer *diarizer, const char *argument)
{
    char name[257];
    const char *equals = strchr(argument, '=');
    if (equals == NULL || (size_t)(equals - argument) >= sizeof name) {
        fprintf(stderr, "%s: expected NAME=FILE\n", argument);
        return 2;
    }
    memcpy(name, argument, (size_t)(equals - argument));
    name[equals - argument] = '\0';
    return vf_gallery_enroll_file(gallery, diarizer, name, equals + 1, NULL, NULL) == VF_OK ? 0 : fail(argument);
}

static int print_names(const vf_gallery *gallery, const vf_diarization *result)
{
    /* A result has at most 100 speakers, a name at most 256 bytes. */
    int32_t voices[100];
    float scores[100], threshold;
    char label[32], name[257];
    size_t speakers, n;
    int32_t speaker;
    if (vf_gallery_threshold(gallery, &threshold) != VF_OK
        || vf_gallery_identify_diarization(gallery, result, threshold, voices, scores, 100, &speakers) != VF_OK) {
        return fail("identify");
    }
    for (speaker = 0; speaker < (int32_t)speakers; speaker++) {
        if (vf_diarization_speaker_label(result, speaker, label, sizeof label, &n) != VF_OK
            || (voices[speaker] >= 0 && vf_gallery_name(gallery, voices[speaker], name, sizeof name, &n) != VF_OK)) {
            return fail("identify");
        }
        printf("%s is %s (similarity %.2f)\n", label, voices[speaker] < 0 ? "a stranger" : name, scores[speaker]);
    }
    return 0;
}

int main(int argc, char **argv)
{
    vf_diarizer *diarizer = NULL;
    vf_gallery *gallery = NULL;
    vf_diarization *result = NULL;
    int code = 0, i;

    if (argc < 3) {
        fprintf(stderr, "usage: %s AUDIO NAME=AUDIO...\n", argv[0]);
        return 2;
    }
    if (vf_diarizer_create(NULL, NULL, &diarizer) != VF_OK || vf_gallery_create(diarizer, &gallery) != VF_OK) {
        code = fail("model");
    }
    for (i = 2; code == 0 && i < argc; i++) {
        code = enroll(gallery, diarizer, argv[i]);
    }
    if (code == 0) {
        code = vf_diarizer_process_file(diarizer, argv[1], NULL, &result) == VF_OK ? print_names(gallery, result)
                                                                                         : fail("diarize");
    }
    vf_diarization_destroy(result);
    vf_gallery_destroy(gallery);
    vf_diarizer_destroy(diarizer);
    return code;
}
