// See styles.cpp.
#define VOICEFLOW_NO_EXCEPTIONS
#include "support.hpp"

#include <string>

// NOLINTBEGIN(misc-use-internal-linkage): styles.cpp calls them.
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

void expected_style_clears_the_log()
{
    CHECK(voiceflow::clear_log_callback());
}
// NOLINTEND(misc-use-internal-linkage)
