/* Runs the network directly on a batch of windows, and prints how much of each window each local
 * speaker talks: raw 16-bit samples, 16 kHz, mono, from standard input.
 *
 *     cc batch_infer.c $(pkg-config --cflags --libs voiceflow) -o batch_infer
 *     ffmpeg -i meeting.wav -f s16le -ac 1 -ar 16000 - | ./batch_infer [model.onnx]
 */
#include <stdio.h>
#include <stdlib.h>
#include <voiceflow.h>

#define BATCH 4

static int fail(const char *what)
{
    char text[1024];
    vf_last_error(text, sizeof text);
    fprintf(stderr, "%s: %s\n", what, text);
    return 1;
}

/* Fills the rows with what comes next; returns how many got any audio. The last one is padded with
 * silence. */
static size_t read_batch(float *audio, size_t samples)
{
    int16_t block[1024];
    size_t row = 0, filled = 0, count, i;
    for (i = 0; i < BATCH * samples; i++) {
        audio[i] = 0.0f;
    }
    while (row < BATCH) {
        const size_t wanted = samples - filled < 1024 ? samples - filled : 1024;
        if ((count = fread(block, sizeof block[0], wanted, stdin)) == 0) {
            return row + (filled > 0);
        }
        for (i = 0; i < count; i++) {
            audio[row * samples + filled + i] = (float)block[i] / 32768.0f;
        }
        filled += count;
        if (filled == samples) {
            filled = 0;
            row++;
        }
    }
    return row;
}

static void print_window(size_t number, const float *activity, size_t frames, size_t speakers)
{
    size_t frame, speaker;
    printf("window %2u:", (unsigned)number);
    for (speaker = 0; speaker < speakers; speaker++) {
        size_t active = 0;
        for (frame = 0; frame < frames; frame++) {
            active += activity[frame * speakers + speaker] > 0.5f;
        }
        printf(" %3u %%", (unsigned)(100 * active / frames));
    }
    printf("\n");
}

static int infer_all(const vf_session *session, const vf_model_info *info)
{
    const size_t samples = info->window_samples, speakers = info->max_speakers;
    size_t frames, rows, row, activity_n, embedding_n, windows = 0;
    float *audio, *activity, *embedding;
    int code = 0;

    if (vf_session_frames(session, samples, &frames) != VF_OK) {
        return fail("frames");
    }
    /* Made once, used for every batch. */
    audio = malloc(BATCH * samples * sizeof *audio);
    activity = malloc(BATCH * frames * speakers * sizeof *activity);
    embedding = malloc(BATCH * speakers * info->embedding_dim * sizeof *embedding);
    if (audio == NULL || activity == NULL || embedding == NULL) {
        fprintf(stderr, "no memory\n");
        code = 1;
    }
    while (code == 0 && (rows = read_batch(audio, samples)) > 0) {
        if (vf_session_infer(session, audio, rows, samples, NULL, activity, rows * frames * speakers, &activity_n, embedding,
                             rows * speakers * info->embedding_dim, &embedding_n, &frames) != VF_OK) {
            code = fail("infer");
        }
        for (row = 0; code == 0 && row < rows; row++) {
            print_window(windows++, activity + row * frames * speakers, frames, speakers);
        }
    }
    free(audio);
    free(activity);
    free(embedding);
    return code;
}

int main(int argc, char **argv)
{
    vf_options *options = NULL;
    vf_session *session = NULL;
    vf_model_info info;
    int code;

    info.size = sizeof info;
    if (vf_options_create(&options) != VF_OK || (argc > 1 && vf_options_set_model_path(options, argv[1]) != VF_OK)
        || vf_session_create(options, NULL, &session) != VF_OK || vf_session_describe(session, &info) != VF_OK) {
        code = fail("session");
    } else {
        code = infer_all(session, &info);
    }
    vf_session_destroy(session);
    vf_options_destroy(options);
    return code;
}
