/* The reference that each face is measured against, see README.md. One at a time in a process. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opens the model with ONNX Runtime's C functions, and ends the program with a message where that
 * fails. */
void reference_open(const char *runtime, const char *model, size_t rounds);

/* The audio of every call, and its number of samples. */
const float *reference_audio(void);
size_t reference_samples(void);

/* Runs the network directly, and measures that. 0 when all rounds are done. */
int reference_next(void);

/* Takes the time of the face's call that followed. */
void reference_record(uint64_t nanoseconds);

/* Takes the number of allocations on a heap that malloc does not know, for each call. */
void reference_own_allocations(double allocations);

/* Prints all times as JSON. */
void reference_report(void);

#ifdef __cplusplus
}
#endif

#endif
