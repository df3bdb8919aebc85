/*
 * Hours of use in little time: handles made and destroyed, files diarized, a stream that goes on and on. Neither memory
 * nor descriptors nor threads become more.
 *
 *     soak HANDLES FILES STREAM_MINUTES [AUDIO ...]
 *
 * Each kind of work is done in ten equal parts. What the first three set up is not counted; over the others the slopes
 * are taken, and printed for each part of the work.
 */
#define _GNU_SOURCE
#include "../c/support.h"

#include <dirent.h>
#include <malloc.h>
#include <unistd.h>

enum { RATE = 16000, PARTS = 10, SKIPPED = 3, HISTORY_S = 60 };

/* Bytes in use that may come from how the last part was cut off: the network's own tables, a window
 * more or fewer. */
#define ALLOWED_BYTES (64.0 * 1024.0)
/* Resident memory is counted in pages, and the allocator keeps some that it may use again. */
#define ALLOWED_RESIDENT (4.0 * 1024.0 * 1024.0)

/* What a process holds. */
struct held {
    double bytes, resident, descriptors, threads;
};

static size_t entries(const char *folder)
{
    DIR *open = opendir(folder);
    CHECK(open != NULL);
    size_t count = 0;
    while (readdir(open) != NULL) {
        count++;
    }
    CHECK(closedir(open) == 0);
    return count;
}

static struct held held(void)
{
    const struct mallinfo2 info = mallinfo2();
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long size = 0, pages = 0;
    CHECK(file != NULL);
    CHECK(fscanf(file, "%lu %lu", &size, &pages) == 2);
    CHECK(fclose(file) == 0);
    const struct held now = {(double)(info.uordblks + info.hblkhd), (double)pages * (double)sysconf(_SC_PAGESIZE),
                             (double)entries("/proc/self/fd"), (double)entries("/proc/self/task")};
    return now;
}

/* Growth from the first to the last value of the straight line that fits them best. */
static double growth(const double *values, size_t count)
{
    double mean = 0.0, middle = (double)(count - 1) / 2.0, above = 0.0, below = 0.0;
    for (size_t i = 0; i < count; i++) {
        mean += values[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        above += ((double)i - middle) * (values[i] - mean);
        below += ((double)i - middle) * ((double)i - middle);
    }
    return above / below * (double)(count - 1);
}

/* A part of the work: the `part`-th of PARTS of `amount`. */
typedef void (*work_fn)(size_t part, size_t amount);

static void check_growth(const char *name, work_fn work, size_t amount)
{
    double bytes[PARTS], resident[PARTS], descriptors[PARTS], threads[PARTS];
    for (size_t part = 0; part < PARTS; part++) {
        work(part, amount / PARTS);
        (void)malloc_trim(0);
        const struct held now = held();
        bytes[part] = now.bytes;
        resident[part] = now.resident;
        descriptors[part] = now.descriptors;
        threads[part] = now.threads;
    }
    const size_t counted = PARTS - SKIPPED;
    const double grown = growth(bytes + SKIPPED, counted), pages = growth(resident + SKIPPED, counted);
    const double files = growth(descriptors + SKIPPED, counted), tasks = growth(threads + SKIPPED, counted);
    printf("%s, %zu: over the last %zu: memory in use %+.1f KiB, resident %+.1f KiB, descriptors %+.1f, threads %+.1f\n",
           name, amount, amount / PARTS * counted, grown / 1024.0, pages / 1024.0, files, tasks);
    (void)fflush(stdout);
    CHECK(grown < ALLOWED_BYTES);
    CHECK(pages < ALLOWED_RESIDENT);
    CHECK(files <= 0.0);
    CHECK(tasks <= 0.0);
}

static vf_diarizer *diarizer;
static vf_stream *stream;
static vf_stream *kept;
static float *audio;
static size_t audio_samples;
static char **files;
static size_t file_count;

static void options_and_switches(size_t part, size_t amount)
{
    (void)part;
    for (size_t i = 0; i < amount; i++) {
        vf_options *options = test_options();
        vf_cancel *cancel = NULL;
        CHECK_STATUS(VF_OK, vf_cancel_create(&cancel));
        vf_cancel_destroy(cancel);
        vf_options_destroy(options);
    }
}

static void sessions(size_t part, size_t amount)
{
    static float activity[1000], embedding[100];
    size_t n, m, frames;
    (void)part;
    for (size_t i = 0; i < amount; i++) {
        vf_session *session = test_session();
        CHECK_STATUS(VF_OK, vf_session_infer(session, audio, 1, RATE, NULL, activity, 1000, &n, embedding, 100, &m, &frames));
        vf_session_destroy(session);
    }
}

static void diarizers(size_t part, size_t amount)
{
    (void)part;
    for (size_t i = 0; i < amount; i++) {
        vf_diarizer_destroy(test_diarizer());
    }
}

static void results(size_t part, size_t amount)
{
    static char text[1 << 20];
    size_t n = 0;
    (void)part;
    for (size_t i = 0; i < amount; i++) {
        vf_diarization *result = NULL;
        CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, RATE, RATE, 1, NULL, &result));
        CHECK_STATUS(VF_OK, vf_diarization_to_json(result, "recording", 1, text, sizeof text, &n));
        vf_diarization_destroy(result);
    }
}

static void streams(size_t part, size_t amount)
{
    (void)part;
    for (size_t i = 0; i < amount; i++) {
        vf_diarization *result = NULL;
        vf_stream *own = NULL;
        CHECK_STATUS(VF_OK, vf_stream_create(diarizer, NULL, RATE, 1, NULL, &own));
        CHECK_STATUS(VF_OK, vf_stream_push_f32(own, audio, RATE, NULL));
        if (i % 2 == 0) {
            CHECK_STATUS(VF_OK, vf_stream_finish(own, NULL, &result));
            vf_diarization_destroy(result);
        }
        vf_stream_destroy(own);
    }
}

static void galleries(size_t part, size_t amount)
{
    vf_model_info info = {.size = sizeof info};
    CHECK_STATUS(VF_OK, vf_diarizer_describe(diarizer, &info));
    float *voice = (float *)allocate(info.embedding_dim * sizeof *voice);
    (void)part;
    for (size_t i = 0; i < info.embedding_dim; i++) {
        voice[i] = 1.0f;
    }
    for (size_t i = 0; i < amount; i++) {
        vf_gallery *gallery = NULL;
        CHECK_STATUS(VF_OK, vf_gallery_create(diarizer, &gallery));
        CHECK_STATUS(VF_OK, vf_gallery_enroll_embedding(gallery, "ada", voice, info.embedding_dim, 3.0));
        vf_gallery_destroy(gallery);
    }
    free(voice);
}

/* Files of every format in turn, those that are none among them. */
static void process_files(size_t part, size_t amount)
{
    for (size_t i = 0; i < amount; i++) {
        vf_diarization *result = NULL;
        const char *path = files[(part * amount + i) % file_count];
        const vf_status status = vf_diarizer_process_file(diarizer, path, NULL, &result);
        CHECK(status == VF_OK || status == VF_E_AUDIO);
        CHECK((result != NULL) == (status == VF_OK));
        vf_diarization_destroy(result);
    }
}

static void push_minutes(vf_stream *into, size_t minutes)
{
    vf_segment segment[256];
    size_t n = 0;
    for (size_t second = 0; second < minutes * 60; second++) {
        const size_t at = second % (audio_samples / RATE) * RATE;
        CHECK_STATUS(VF_OK, vf_stream_push_f32(into, audio + at, RATE, NULL));
        CHECK_STATUS(VF_OK, vf_stream_read(into, segment, 256, &n));
    }
}

static void live(size_t part, size_t amount)
{
    (void)part;
    push_minutes(stream, amount);
}

/* A stream that keeps its history takes no more than the header says: MIB_AN_HOUR. */
static void check_history(size_t minutes)
{
    enum { MIB_AN_HOUR = 15 };
    /* Until then it fills the memory of its clustering. */
    push_minutes(kept, 12);
    const double before = held().bytes;
    push_minutes(kept, minutes);
    const double hourly = (held().bytes - before) / 1048576.0 * 60.0 / (double)minutes;
    printf("a stream with its history, %zu minutes: %.1f MiB an hour\n", minutes, hourly);
    CHECK(hourly > 0.0 && hourly < (double)MIB_AN_HOUR);
}

static vf_stream *make_stream(const vf_diarizer *over, double history_s)
{
    vf_options *options = test_options();
    vf_stream *made = NULL;
    CHECK_STATUS(VF_OK, vf_options_set_history_s(options, history_s));
    CHECK_STATUS(VF_OK, vf_stream_create(over, options, RATE, 1, NULL, &made));
    vf_options_destroy(options);
    return made;
}

int main(int argc, char **argv)
{
    CHECK(argc > 4);
    const size_t handles = strtoul(argv[1], NULL, 10), recordings = strtoul(argv[2], NULL, 10);
    const size_t minutes = strtoul(argv[3], NULL, 10);
    files = argv + 4;
    file_count = (size_t)(argc - 4);
    audio_samples = (size_t)60 * RATE;
    audio = test_audio(audio_samples, 11);
    diarizer = test_diarizer();
    check_growth("options and switches", options_and_switches, handles);
    check_growth("sessions", sessions, handles);
    check_growth("diarizers", diarizers, handles);
    check_growth("results", results, handles);
    check_growth("streams", streams, handles);
    check_growth("galleries", galleries, handles);
    check_growth("files", process_files, recordings);
    stream = make_stream(diarizer, HISTORY_S);
    check_growth("minutes of a stream", live, minutes);
    vf_stream_destroy(stream);

    /* The figure of the header is that of the model compiled in. */
    if (strcmp(setting("VF_TEST_EMBEDDED"), "1") == 0) {
        vf_options *options = NULL;
        vf_diarizer *shipped = NULL;
        CHECK_STATUS(VF_OK, vf_options_create(&options));
        CHECK_STATUS(VF_OK, vf_options_set_threads(options, 1));
        CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &shipped));
        vf_options_destroy(options);
        kept = make_stream(shipped, 7200.0);
        check_history(minutes / 10 < 3 ? 3 : minutes / 10);
        vf_stream_destroy(kept);
        vf_diarizer_destroy(shipped);
    }
    vf_diarizer_destroy(diarizer);
    free(audio);
    return 0;
}
