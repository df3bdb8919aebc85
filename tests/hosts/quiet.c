/* A host that loads a model, uses it, and lives on for argv[1] seconds. What the environment says
 * about telemetry is the same before and after. */
#define _POSIX_C_SOURCE 200809L
#include "../c/support.h"

#include <time.h>

#define SAMPLES 16000u

extern char **environ;

/* The text of the variable that switches telemetry off, with its name; NULL where there is none. */
static const char *switched_off(void)
{
    for (char **variable = environ; *variable != NULL; variable++) {
        if (strncmp(*variable, "ORT_DISABLE_TELEMETRY=", 22) == 0) {
            return *variable;
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const char *telemetry = getenv("VF_TEST_TELEMETRY");
    const char *before = switched_off();
    struct timespec pause = {argc > 1 ? atoi(argv[1]) : 0, 0};
    vf_options *options = test_options();
    vf_diarizer *diarizer = NULL, *other = NULL;
    vf_diarization *result = NULL;
    float *samples = (float *)allocate(SAMPLES * sizeof *samples);
    for (size_t i = 0; i < SAMPLES; i++) {
        samples[i] = (float)(i % 160) / 160.0f;
    }
    if (telemetry != NULL) {
        CHECK_STATUS(VF_OK, vf_options_set_telemetry(options, atoi(telemetry)));
    }
    CHECK_STATUS(VF_OK, vf_options_set_model_path(options, setting("VF_TEST_MODEL")));
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &diarizer));
    CHECK(switched_off() == before);
    CHECK_STATUS(VF_OK, vf_diarizer_process_f32(diarizer, samples, SAMPLES, 16000, 1, NULL, &result));

    /* The first session has decided for the process. */
    int on = telemetry != NULL && atoi(telemetry) == 1;
    CHECK_STATUS(VF_OK, vf_options_set_telemetry(options, !on));
    CHECK_STATUS(VF_E_INVALID_ARGUMENT, vf_diarizer_create(options, NULL, &other));
    CHECK_TEXT(on ? "telemetry: expected on" : "telemetry: expected off");
    CHECK_STATUS(VF_OK, vf_options_set_telemetry(options, on));
    CHECK_STATUS(VF_OK, vf_diarizer_create(options, NULL, &other));
    CHECK(switched_off() == before);

    (void)nanosleep(&pause, NULL);
    free(samples);
    vf_diarization_destroy(result);
    vf_diarizer_destroy(diarizer);
    vf_diarizer_destroy(other);
    vf_options_destroy(options);
    return 0;
}
