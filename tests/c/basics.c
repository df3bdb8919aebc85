/* Versions, status numbers, error texts, the layout of structs. Needs no model. */
#include "support.h"

/* Fails to compile where a size or place is another. _Static_assert is not in C99. */
#define ASSERT_NOW(name, condition) typedef char name[(condition) ? 1 : -1]

ASSERT_NOW(segment_size, sizeof(vf_segment) == 32);
ASSERT_NOW(segment_start, offsetof(vf_segment, start_s) == 0);
ASSERT_NOW(segment_end, offsetof(vf_segment, end_s) == 8);
ASSERT_NOW(segment_speaker, offsetof(vf_segment, speaker) == 16);
ASSERT_NOW(segment_confidence, offsetof(vf_segment, confidence) == 20);
ASSERT_NOW(segment_flags, offsetof(vf_segment, flags) == 24);
ASSERT_NOW(segment_reserved, offsetof(vf_segment, reserved) == 28);
ASSERT_NOW(info_size_is_first, offsetof(vf_model_info, size) == 0);
ASSERT_NOW(status_is_32_bits, sizeof(vf_status) == 4);
ASSERT_NOW(statuses, VF_OK == 0 && VF_E_INVALID_ARGUMENT == -1 && VF_E_NULL == -2 && VF_E_BUFFER_TOO_SMALL == -3 &&
                         VF_E_NOT_FOUND == -4 && VF_E_IO == -5 && VF_E_AUDIO == -6 && VF_E_MODEL == -7 &&
                         VF_E_RUNTIME_NOT_FOUND == -8 && VF_E_RUNTIME_VERSION == -9 && VF_E_RUNTIME == -10 &&
                         VF_E_PROVIDER == -11 && VF_E_CANCELLED == -12 && VF_E_DEADLINE == -13 &&
                         VF_E_LIMIT == -14 && VF_E_PANIC == -15 && VF_E_POISONED == -16 && VF_E_ANNOTATION == -17 &&
                         VF_E_FORKED == -18 && VF_E_GALLERY == -19);
ASSERT_NOW(overlap_flag, VF_SEGMENT_OVERLAP == 1);

static void versions(void)
{
    unsigned major = 0, minor = 0, patch = 0;
    CHECK(vf_abi_version() == VF_ABI_VERSION);
    CHECK(sscanf(vf_version(), "%u.%u.%u", &major, &minor, &patch) == 3);
    CHECK(vf_version_number() == major * 65536u + minor * 256u + patch);
}

static void status_texts(void)
{
    for (vf_status status = 0; status >= VF_E_ENDING; status--) {
        CHECK(strlen(vf_status_str(status)) > 0);
        CHECK(strcmp(vf_status_str(status), "unknown status") != 0);
        CHECK(strcmp(vf_status_str(status), vf_status_str(status - 1)) != 0);
    }
    CHECK(strcmp(vf_status_str(1), "unknown status") == 0);
    /* Far from any number in use: this program has to pass with a library that has more. */
    CHECK(strcmp(vf_status_str(-1000), "unknown status") == 0);
    CHECK(strcmp(vf_status_str(INT32_MIN), "unknown status") == 0);
}

static void error_texts(void)
{
    char text[64];
    vf_options *options = NULL;
    CHECK(vf_last_error(text, sizeof text) == 0 && text[0] == '\0');

    CHECK_STATUS(VF_E_NULL, vf_options_create(NULL));
    CHECK_TEXT("out: must not be NULL");

    /* Asked for its length, cut, kept by calls that return no status, and cleared by the next one
     * that does. */
    const size_t length = strlen("out: must not be NULL");
    CHECK(vf_last_error(NULL, 0) == length);
    CHECK(vf_last_error(NULL, 99) == length);
    memset(text, 'x', sizeof text);
    CHECK(vf_last_error(text, 0) == length && text[0] == 'x');
    CHECK(vf_last_error(text, 4) == length && strcmp(text, "out") == 0 && text[4] == 'x');
    CHECK(vf_last_error(text, 1) == length && text[0] == '\0');
    vf_options_destroy(NULL);
    (void)vf_version();
    (void)vf_status_str(0);
    CHECK(vf_last_error(NULL, 0) == length);
    CHECK_STATUS(VF_OK, vf_options_create(&options));
    CHECK(vf_last_error(NULL, 0) == 0);
    vf_options_destroy(options);
}

static void destroy_nothing(void)
{
    vf_options_destroy(NULL);
    vf_session_destroy(NULL);
    vf_diarizer_destroy(NULL);
    vf_diarization_destroy(NULL);
}

int main(void)
{
    error_texts();
    versions();
    status_texts();
    destroy_nothing();
    return 0;
}
