#include "shim.h"

#include "_cgo_export.h"

/* The layout of the conditions of a call, which only grows at its end. */
_Static_assert(sizeof(void *) != 8 ||
                   (sizeof(vf_call) >= 88 && offsetof(vf_call, size) == 0 && offsetof(vf_call, cancel) == 8 &&
                       offsetof(vf_call, progress) == 16 && offsetof(vf_call, user_data) == 24 &&
                       offsetof(vf_call, flags) == 32 && offsetof(vf_call, deadline_ms) == 40 &&
                       offsetof(vf_call, num_speakers) == 48 && offsetof(vf_call, min_speakers) == 56 &&
                       offsetof(vf_call, max_speakers) == 64 && offsetof(vf_call, channel) == 72 &&
                       offsetof(vf_call, track) == 80),
               "vf_call: expected the fields of ABI 1 in their places");

/* Calls of the library on this thread: more than one only where a Go callback calls back. */
static __thread int depth;
/* The conditions of the first of them, or NULL. */
static __thread vfgo_call *current;
/* The first fault of a Go callback during the calls of this thread. */
static __thread uintptr_t fault;

/* Keeps a fault of a callback for the call, which it ends. */
static void keep(uintptr_t found)
{
    if (found == 0) {
        return;
    }
    if (fault == 0) {
        fault = found;
    } else {
        goDropFault(found);
    }
    if (current != NULL) {
        vfgo_end(current);
    }
}

void vfgo_enter(vfgo_call *call)
{
    if (depth++ == 0) {
        current = call;
    }
}

vfgo_answer vfgo_leave(vf_status status)
{
    vfgo_answer answer = {status, NULL, fault};
    if (status != VF_OK && status != VF_E_BUFFER_TOO_SMALL) {
        size_t room = vf_last_error(NULL, 0) + 1;
        answer.text = malloc(room);
        if (answer.text != NULL) {
            vf_last_error(answer.text, room);
        }
    }
    if (--depth == 0) {
        current = NULL;
    }
    fault = 0;
    return answer;
}

int vfgo_inside(void)
{
    return depth > 0;
}

void vfgo_end(vfgo_call *call)
{
    call->ended = 1;
    vf_cancel_set(call->given.cancel);
}

void vfgo_progress(void *user_data, int32_t stage, float fraction)
{
    vfgo_call *call = user_data;
    if (fault == 0) {
        keep(goProgress(call, stage, fraction));
    }
}

int64_t vfgo_read(void *reader, uint8_t *out, size_t cap)
{
    uintptr_t found = 0;
    int64_t count = fault == 0 ? goRead((uintptr_t)reader, out, cap, &found) : -1;
    keep(found);
    return count;
}

int32_t vfgo_seek(void *reader, uint64_t position)
{
    uintptr_t found = 0;
    int64_t failed = fault == 0 ? goSeek((uintptr_t)reader, position, &found) : -1;
    keep(found);
    return (int32_t)failed;
}

void vfgo_log(void *unused, int32_t level, const char *target, const char *message)
{
    (void)unused;
    keep(goLog(level, (char *)target, (char *)message));
}
