/* The conditions of a call: layout, what is refused, and a load that a deadline or a switch
 * ends. */
#include "support.h"

#include <stddef.h>

#define ASSERT_NOW(name, condition) typedef char name[(condition) ? 1 : -1]
ASSERT_NOW(call_size_is_first, offsetof(vf_call, size) == 0);
ASSERT_NOW(call_cancel, offsetof(vf_call, cancel) == sizeof(size_t));
ASSERT_NOW(call_progress, offsetof(vf_call, progress) == sizeof(size_t) + sizeof(void *));
ASSERT_NOW(call_user_data, offsetof(vf_call, user_data) == sizeof(size_t) + 2 * sizeof(void *));
ASSERT_NOW(call_flags, offsetof(vf_call, flags) == sizeof(size_t) + 3 * sizeof(void *));
ASSERT_NOW(call_deadline, offsetof(vf_call, deadline_ms) == offsetof(vf_call, flags) + 8);
ASSERT_NOW(call_num_speakers, offsetof(vf_call, num_speakers) == offsetof(vf_call, flags) + 16);
ASSERT_NOW(call_min_speakers, offsetof(vf_call, min_speakers) == offsetof(vf_call, flags) + 24);
ASSERT_NOW(call_max_speakers, offsetof(vf_call, max_speakers) == offsetof(vf_call, flags) + 32);
ASSERT_NOW(call_channel, offsetof(vf_call, channel) == offsetof(vf_call, flags) + 40);
ASSERT_NOW(call_track, offsetof(vf_call, track) == offsetof(vf_call, flags) + 48);
ASSERT_NOW(call_size, sizeof(vf_call) == offsetof(vf_call, flags) + 56);

/* Counts the reports of a load. */
static void count(void *user_data, int32_t stage, float fraction)
{
    CHECK(stage == VF_STAGE_LOADING && fraction >= 0.0f && fraction <= 1.0f);
    *(int *)user_data += 1;
}

#define RATE 16000u
#define SAMPLES (8u * RATE)

static float *audio;

/* Speakers that the audio is found to have, and how many of their segments overlap. */
static size_t speakers(const vf_diarizer *diarizer, const vf_call *call, int *overlaps)
{
    vf_diarization *result = NULL;
    vf_segment segments[512];
    size_t n = 0, found = 0;
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, audio, SAMPLES, RATE, 1, call, &result));
    CHECK_STATUS(VF_OK, vf_diarization_segments(result, segments, 512, &n));
    CHECK_STATUS(VF_OK, vf_diarization_speaker_count(result, &found));
    *overlaps = 0;
    for (size_t i = 1; i < n; i++) {
        *overlaps += segments[i].start_s < segments[i - 1].end_s;
    }
    vf_diarization_destroy(result);
    return found;
}

/* What is asked of the channels of samples, and what the result says of them. */
static void channels(void)
{
    vf_diarization *result = NULL;
    vf_diarizer *diarizer = test_diarizer();
    vf_call call = new_call();
    float *mono = test_audio(SAMPLES, 3);
    float *frames = (float *)allocate(2u * SAMPLES * sizeof *frames);
    char text[128];
    int32_t code = 0;
    double time_s = -1.0;
    size_t n = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        frames[2 * i] = mono[i];
        frames[2 * i + 1] = -mono[i];
    }
#define PROCESS(status) \
    CHECK_STATUS(status, vf_diarizer_process_f32(diarizer, frames, SAMPLES, RATE, 2, &call, &result))
    PROCESS(VF_OK);
    CHECK_STATUS(VF_OK, vf_diarization_warning_count(result, &n));
    CHECK(n == 1);
    CHECK_STATUS(VF_E_BUFFER_TOO_SMALL, vf_diarization_warning(result, 0, &code, &time_s, text, 3, &n));
    CHECK_STATUS(VF_OK, vf_diarization_warning(result, 0, &code, &time_s, text, sizeof text, &n));
    CHECK(code == VF_WARNING_INVERTED_CHANNELS && time_s >= 0.0 && time_s < 1.0);
    CHECK(n == strlen(text) + 1 && strstr(text, "each other's inverse") != NULL);
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarization_warning(result, 1, &code, &time_s, text, sizeof text, &n));
    CHECK_TEXT("index: expected one of the 1 warnings, got 1");
    vf_diarization_destroy(result);

    call.flags = VF_CALL_CHANNEL;
    call.channel = 2;
    PROCESS(VF_OK);
    CHECK_STATUS(VF_OK, vf_diarization_warning_count(result, &n));
    CHECK(n == 0);
    vf_diarization_destroy(result);
    call.channel = 3;
    PROCESS(VF_E_AUDIO);
    CHECK_TEXT("channel: expected one of the 2 that there are, got number 3");
    call.channel = 0;
    PROCESS(VF_E_INVALID_ARGUMENT);
    CHECK_TEXT("call: channel: expected 1 to 32, got 0");
    call.flags = VF_CALL_SEPARATE_CHANNELS;
    PROCESS(VF_OK);
    CHECK_STATUS(VF_OK, vf_diarization_speaker_label(result, 0, text, sizeof text, &n));
    CHECK(strcmp(text, "CH1_SPEAKER_00") == 0);
    vf_diarization_destroy(result);
    call.flags = VF_CALL_TRACK;
    call.track = 2;
    PROCESS(VF_E_AUDIO);
    CHECK_TEXT("track: expected one of the 1 that there are, got number 2");
    call.track = 1;
    PROCESS(VF_OK);
    vf_diarization_destroy(result);
    call.track = 0;
    call.flags = VF_CALL_ALL_TRACKS;
    PROCESS(VF_OK);
    CHECK_STATUS(VF_OK, vf_diarization_speaker_label(result, 0, text, sizeof text, &n));
    CHECK(strcmp(text, "TRACK1_SPEAKER_00") == 0);
    vf_diarization_destroy(result);
#undef PROCESS
    vf_diarizer_destroy(diarizer);
    free(frames);
    free(mono);
}

/* One diarizer, and other numbers of speakers with each call. */
static void results(void)
{
    int overlaps = 0;
    vf_diarization *result = NULL;
    vf_diarizer *diarizer = test_diarizer();
    vf_call call = new_call();
    audio = test_audio(SAMPLES, 3);
    const size_t usual = speakers(diarizer, NULL, &overlaps);
    CHECK(usual > 0);
    call.flags = VF_CALL_NUM_SPEAKERS;
    for (call.num_speakers = 1; call.num_speakers < 5; call.num_speakers++) {
        CHECK(speakers(diarizer, &call, &overlaps) == call.num_speakers);
    }
    call.num_speakers = 4;
    call.flags |= VF_CALL_EXCLUSIVE;
    CHECK(speakers(diarizer, &call, &overlaps) == 4 && overlaps == 0);
    call = new_call();
    call.flags = VF_CALL_MIN_SPEAKERS | VF_CALL_MAX_SPEAKERS;
    call.min_speakers = 2;
    call.max_speakers = 2;
    CHECK(speakers(diarizer, &call, &overlaps) == 2);
    CHECK(speakers(diarizer, NULL, &overlaps) == usual);
    call.min_speakers = 3;
#define REFUSED(text) \
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarizer_process_f32(diarizer, NULL, 0, 16000, 1, &call, &result)); \
    CHECK_TEXT(text)
    REFUSED("call: min_speakers: expected at most max_speakers (2), got 3");
    call.flags = VF_CALL_NUM_SPEAKERS;
    REFUSED("call: min_speakers: expected 0 without the flag VF_CALL_MIN_SPEAKERS, got 3");
    call = new_call();
    call.flags = VF_CALL_NUM_SPEAKERS;
    call.num_speakers = UINT64_MAX;
    REFUSED("call: num_speakers: expected 1 to 100, got 18446744073709551615");
#undef REFUSED
    vf_diarizer_destroy(diarizer);
    free(audio);
}

static void refuse(vf_options *options, const vf_call *call, vf_status expected, const char *text)
{
    vf_session *session = (vf_session *)(void *)options;
    CHECK_STATUS(expected, vf_session_create(options, call, &session));
    CHECK_TEXT(text);
    CHECK(session == NULL);
    vf_diarizer *diarizer = (vf_diarizer *)(void *)options;
    CHECK_STATUS(expected, vf_diarizer_create(options, call, &diarizer));
    CHECK_TEXT(text);
    CHECK(diarizer == NULL);
}

static void load(vf_options *options, const vf_call *call)
{
    vf_session *session = NULL;
    CHECK_STATUS(VF_OK, vf_session_create(options, call, &session));
    vf_session_destroy(session);
    vf_diarizer *diarizer = NULL;
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, call, &diarizer));
    vf_diarizer_destroy(diarizer);
}

static void sizes(vf_options *options)
{
    struct {
        vf_call known;
        uint64_t added[2];
    } newer;
    memset(&newer, 0, sizeof newer);
    newer.known.size = sizeof newer;
    load(options, &newer.known);
    newer.added[1] = 1;
    refuse(options, &newer.known, VF_E_INVALID_ARGUMENT, "of a later release");
    /* Without the fields behind its size, whatever lies there. */
    vf_call call = new_call();
    call.size = sizeof call.size;
    call.flags = 77;
    load(options, &call);
    call.size = sizeof call.size - 1;
    refuse(options, &call, VF_E_INVALID_ARGUMENT, "call: expected the field size to be");
    call.size = 1u << 20;
    refuse(options, &call, VF_E_INVALID_ARGUMENT, "call: expected the field size to be");
}

int main(void)
{
    vf_options *options = test_options();
    vf_call call = new_call();
    load(options, NULL);
    load(options, &call);
    sizes(options);

    call.flags = VF_CALL_DEADLINE;
    refuse(options, &call, VF_E_DEADLINE, "deadline of 0 ms passed while loading a model");
    call.deadline_ms = 600000;
    load(options, &call);
    call.deadline_ms = UINT64_MAX;
    load(options, &call);
    call.flags = 0;
    call.deadline_ms = 1;
    refuse(options, &call, VF_E_INVALID_ARGUMENT, "expected 0 without the flag VF_CALL_DEADLINE, got 1");
    call.flags = 1u << 9;
    call.deadline_ms = 0;
    refuse(options, &call, VF_E_INVALID_ARGUMENT, "call: flags: expected");

    vf_cancel *cancel = new_cancel();
    int reports = 0;
    call = new_call();
    call.cancel = cancel;
    call.progress = count;
    call.user_data = &reports;
    load(options, &call);
    CHECK(reports >= 4);
    call.flags = VF_CALL_MAX_SPEAKERS;
    call.max_speakers = 2;
    refuse(options, &call, VF_E_INVALID_ARGUMENT, "call: max_speakers: expected none, as loading a model has no use for it");
    call.flags = call.max_speakers = 0;
    CHECK_STATUS(VF_OK, vf_cancel_set(cancel));
    refuse(options, &call, VF_E_CANCELLED, "cancelled while loading a model");
    call.cancel = (const vf_cancel *)(void *)options;
    refuse(options, &call, VF_E_INVALID_ARGUMENT, "vf_cancel: not a live vf_cancel handle");
    vf_cancel_destroy(cancel);
    load(options, NULL);
    vf_options_destroy(options);
    results();
    channels();
    return 0;
}
