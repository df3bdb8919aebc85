/* The log callback: records reach it, it cannot call back in, and it can be taken away. */
#include "support.h"

typedef struct {
    int records;
    int refused;
} journal;

static void receive(void *user_data, int32_t level, const char *target, const char *message)
{
    journal *j = (journal *)user_data;
    j->records++;
    CHECK(level >= VF_LOG_ERROR && level <= VF_LOG_TRACE);
    CHECK(strlen(target) > 0 && message != NULL);
    CHECK(strchr(message, '\n') == NULL || level > 0);
    /* Calling back is refused; nothing locks up. */
    vf_options *options = NULL;
    CHECK(vf_options_create(&options) == VF_E_INVALID_ARGUMENT && options == NULL);
    CHECK(vf_set_log_callback(NULL, NULL, 0) == VF_E_INVALID_ARGUMENT);
    j->refused++;
    CHECK(strlen(vf_version()) > 0);
}

int main(void)
{
    journal seen = {0, 0};
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_set_log_callback(receive, &seen, 0));
    CHECK_TEXT("min_level: expected 1 to 5, got 0");
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_set_log_callback(receive, &seen, 6));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_set_log_callback(receive, &seen, -1));
    CHECK_STATUS(VF_OK, vf_set_log_callback(NULL, NULL, 77));

    CHECK_STATUS(VF_OK, vf_set_log_callback(receive, &seen, VF_LOG_TRACE));
    vf_session *session = test_session();
    vf_session_destroy(session);
    CHECK(seen.records > 0 && seen.refused == seen.records);

    CHECK_STATUS(VF_OK, vf_set_log_callback(receive, &seen, VF_LOG_ERROR));
    CHECK_STATUS(VF_OK, vf_set_log_callback(NULL, NULL, 0));
    const int before = seen.records;
    session = test_session();
    vf_session_destroy(session);
    CHECK(seen.records == before);
    return 0;
}
