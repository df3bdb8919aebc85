/* Sends the library's log records to the program's own logger, here one that writes lines to a
 * file.
 *
 *     cc own_logger.c $(pkg-config --cflags --libs voiceflow) -o own_logger
 *     ./own_logger meeting.wav program.log
 */
#include <stdio.h>
#include <time.h>
#include <voiceflow.h>

/* Called on any thread, on several at once: stdio locks the file for each call. */
static void on_record(void *user_data, int32_t level, const char *target, const char *message)
{
    static const char *const names[] = {"?", "error", "warn", "info", "debug", "trace"};
    fprintf((FILE *)user_data, "%ld %s %s: %s\n", (long)time(NULL),
            names[level >= VF_LOG_ERROR && level <= VF_LOG_TRACE ? level : 0], target, message);
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
    FILE *file;
    size_t speakers;
    int code = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: %s AUDIO LOG\n", argv[0]);
        return 2;
    }
    if ((file = fopen(argv[2], "a")) == NULL) {
        perror(argv[2]);
        return 1;
    }
    if (vf_set_log_callback(on_record, file, VF_LOG_DEBUG) != VF_OK) {
        code = fail("log");
    } else if (vf_diarizer_create(NULL, NULL, &diarizer) != VF_OK) {
        code = fail("model");
    } else if (vf_diarizer_process_file(diarizer, argv[1], NULL, &result) != VF_OK
               || vf_diarization_speaker_count(result, &speakers) != VF_OK) {
        code = fail("diarize");
    } else {
        printf("%u speakers\n", (unsigned)speakers);
    }
    vf_diarization_destroy(result);
    vf_diarizer_destroy(diarizer);
    /* The file is closed when nothing can be written to it any more. */
    vf_set_log_callback(NULL, NULL, VF_LOG_ERROR);
    fclose(file);
    return code;
}
