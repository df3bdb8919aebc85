// See styles.cpp.
#define VOICEFLOW_NO_EXCEPTIONS
#include "support.hpp"

#include <string>

// NOLINTNEXTLINE(misc-use-internal-linkage): styles.cpp calls it.
std::string expected_style(const char *path)
{
    auto options = voiceflow::Options::create();
    CHECK(options.has_value());
    const auto set = options->set_model_path(path);
    if (!set) {
        return set.error().what();
    }
    const auto diarizer = voiceflow::Diarizer::create(*options);
    return diarizer ? "" : diarizer.error().what();
}
