#include "shim.h"

#include "_cgo_export.h"

/* The layout of the parameters of a call, which only grows at its end. */
_Static_assert(sizeof(vf_call) >= 32 && offsetof(vf_call, size) == 0 && offsetof(vf_call, cancel) == 8 &&
                   offsetof(vf_call, flags) == 16 && offsetof(vf_call, deadline_ms) == 24,
               "vf_call: expected the fields of ABI 1 in their places");

/* Calls of the library on this thread: more than one only where a Go callback calls back. */
static __thread int depth;
/* The first fault of a Go callback during the calls of this thread. */
static __thread uintptr_t fault;

static void keep(uintptr_t found)
{
    if (found != 0 && fault == 0) {
        fault = found;
    } else if (found != 0) {
        goDropFault(found);
    }
}

void vfgo_enter(void)
{
    depth++;
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
    depth--;
    fault = 0;
    return answer;
}

int vfgo_inside(void)
{
    return depth > 0;
}

void vfgo_control_cancel(vfgo_control *control)
{
    __atomic_store_n(&control->cancelled, 1, __ATOMIC_RELAXED);
}

int32_t vfgo_progress(void *user_data, int32_t stage, float fraction)
{
    vfgo_control *control = user_data;
    if (control->progress != 0 && fault == 0) {
        keep(goProgress(control->progress, stage, fraction));
    }
    return fault != 0 || __atomic_load_n(&control->cancelled, __ATOMIC_RELAXED);
}

void vfgo_log(void *unused, int32_t level, const char *target, const char *message)
{
    (void)unused;
    keep(goLog(level, (char *)target, (char *)message));
}
