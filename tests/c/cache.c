/* The folder of optimised models: made, filled, used, mended; the results are the same to the
 * bit. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "support.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLES 16000u
#define ROOM 65536u

typedef struct {
    size_t activity_n, embedding_n, frames;
    float activity[ROOM], embedding[ROOM];
} inference;

static char root_folder[] = "/tmp/voiceflow-XXXXXX";
static char folder[64];
static char file[512];

/* Warnings of the library and of ONNX Runtime. */
static int warnings;
static char last_warning[1024];

static void receive(void *user_data, int32_t level, const char *target, const char *message)
{
    (void)user_data;
    (void)target;
    CHECK(level <= VF_LOG_WARN);
    warnings++;
    (void)snprintf(last_warning, sizeof last_warning, "%s", message);
}

/* Finds the only file in the folder. */
static void find_file(void)
{
    DIR *entries = opendir(folder);
    CHECK(entries != NULL);
    int found = 0;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            (void)snprintf(file, sizeof file, "%s/%s", folder, entry->d_name);
            found++;
        }
    }
    CHECK(closedir(entries) == 0);
    CHECK(found == 1 && strstr(file, ".onnx.cache") != NULL);
}

static inference *infer(const char *cache_folder)
{
    vf_options *options = test_options();
    vf_session *session = NULL;
    if (cache_folder != NULL) {
        CHECK_STATUS(VF_OK, vf_options_set_cache_folder(options, cache_folder));
    }
    CHECK_STATUS(VF_OK, vf_session_create(options, NULL, &session));
    vf_options_destroy(options);
    float *audio = test_audio(SAMPLES, 11);
    inference *out = (inference *)allocate(sizeof *out);
    CHECK_STATUS(VF_OK, vf_session_infer(session, audio, 1, SAMPLES, NULL, out->activity, ROOM, &out->activity_n, out->embedding,
                                         ROOM, &out->embedding_n, &out->frames));
    free(audio);
    vf_session_destroy(session);
    return out;
}

/* The session with the folder gives what the one without gave. */
static void same(const inference *expected)
{
    inference *found = infer(folder);
    CHECK(found->activity_n == expected->activity_n && found->embedding_n == expected->embedding_n);
    CHECK(memcmp(found->activity, expected->activity, found->activity_n * sizeof(float)) == 0);
    CHECK(memcmp(found->embedding, expected->embedding, found->embedding_n * sizeof(float)) == 0);
    free(found);
    find_file();
}

static void filled_used_and_mended(const inference *expected)
{
    struct stat first, second;
    size_t size = 0, again_size = 0;
    same(expected);
    CHECK(stat(file, &first) == 0);
    unsigned char *written = read_file(file, &size);
    same(expected);
    CHECK(stat(file, &second) == 0);
    CHECK(first.st_ino == second.st_ino && first.st_mtime == second.st_mtime && warnings == 0);

    FILE *garbage = fopen(file, "wb");
    CHECK(garbage != NULL && fputs("garbage", garbage) >= 0 && fclose(garbage) == 0);
    same(expected);
    CHECK(warnings == 1 && strstr(last_warning, file) != NULL && strstr(last_warning, "damaged") != NULL);
    unsigned char *again = read_file(file, &again_size);
    CHECK(again_size == size && memcmp(again, written, size) == 0);
    same(expected);
    CHECK(warnings == 1);
    free(written);
    free(again);
}

static void no_folder(const char *place)
{
    vf_options *options = test_options();
    vf_session *session = NULL;
    vf_diarizer *diarizer = NULL;
    CHECK_STATUS(VF_OK, vf_options_set_cache_folder(options, place));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_session_create(options, NULL, &session));
    CHECK_TEXT("cache_folder: expected a folder, or where one can be made, got ");
    CHECK_TEXT(place);
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarizer_create(options, NULL, &diarizer));
    CHECK(session == NULL && diarizer == NULL);
    /* The same options serve with a folder. */
    CHECK_STATUS(VF_OK, vf_options_set_cache_folder(options, folder));
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &diarizer));
    vf_diarizer_destroy(diarizer);
    vf_options_destroy(options);
}

int main(void)
{
    CHECK(mkdtemp(root_folder) != NULL);
    (void)snprintf(folder, sizeof folder, "%s/made", root_folder);
    CHECK_STATUS(VF_OK, vf_set_log_callback(receive, NULL, VF_LOG_WARN));
    inference *expected = infer(NULL);
    filled_used_and_mended(expected);
    free(expected);
    no_folder(file);
    no_folder("/proc/none");
    CHECK(warnings == 1);
    CHECK(unlink(file) == 0 && rmdir(folder) == 0 && rmdir(root_folder) == 0);
    return 0;
}
