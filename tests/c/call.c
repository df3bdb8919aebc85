/* The conditions of a call: layout, what is refused, and a load that a deadline or a switch ends. */
#include "support.h"

#include <stddef.h>

#define ASSERT_NOW(name, condition) typedef char name[(condition) ? 1 : -1]
ASSERT_NOW(call_size_is_first, offsetof(vf_call, size) == 0);
ASSERT_NOW(call_cancel, offsetof(vf_call, cancel) == sizeof(size_t));
ASSERT_NOW(call_flags, offsetof(vf_call, flags) == sizeof(size_t) + sizeof(void *));
ASSERT_NOW(call_deadline, offsetof(vf_call, deadline_ms) == offsetof(vf_call, flags) + 8);
ASSERT_NOW(call_size, sizeof(vf_call) == offsetof(vf_call, deadline_ms) + 8);

static vf_call none(void)
{
    vf_call call;
    memset(&call, 0, sizeof call);
    call.size = sizeof call;
    return call;
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
    vf_call call = none();
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
    vf_call call = none();
    load(options, NULL);
    load(options, &call);
    sizes(options);

    call.flags = VF_CALL_DEADLINE;
    refuse(options, &call, VF_E_DEADLINE, "deadline of 0 ms passed while loading a model");
    call.deadline_ms = 60000;
    load(options, &call);
    call.deadline_ms = UINT64_MAX;
    load(options, &call);
    call.flags = 0;
    call.deadline_ms = 1;
    refuse(options, &call, VF_E_INVALID_ARGUMENT, "expected 0 without the flag VF_CALL_DEADLINE, got 1");
    call.flags = 1u << 7;
    refuse(options, &call, VF_E_INVALID_ARGUMENT, "call: flags: expected");

    vf_cancel *cancel = NULL;
    CHECK_STATUS(VF_OK, vf_cancel_create(&cancel));
    call = none();
    call.cancel = cancel;
    load(options, &call);
    CHECK_STATUS(VF_OK, vf_cancel_set(cancel));
    refuse(options, &call, VF_E_CANCELLED, "cancelled while loading a model");
    call.cancel = (const vf_cancel *)(void *)options;
    refuse(options, &call, VF_E_INVALID_ARGUMENT, "vf_cancel: not a live vf_cancel handle");
    vf_cancel_destroy(cancel);
    load(options, NULL);
    vf_options_destroy(options);
    return 0;
}
