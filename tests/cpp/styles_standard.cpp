// See styles.cpp: throws as it does, compiled for another standard.
#include "support.hpp"

#include <typeinfo>

// NOLINTBEGIN(misc-use-internal-linkage): styles.cpp calls them.
/// Throws, unless there is such a model; then gives the number of frames of one window.
std::size_t other_standard(const char *path)
{
    const voiceflow::Session session(voiceflow::Options().set_model_path(path));
    const std::vector<float> audio(session.describe().window_samples);
    return session.infer(audio, 1).shape.frames;
}

/// Whether the spans are those of the standard library here.
bool other_standard_has_span()
{
#ifdef __cpp_lib_span
    return true;
#else
    return false;
#endif
}

const std::type_info &other_standard_session()
{
    return typeid(voiceflow::Session);
}
// NOLINTEND(misc-use-internal-linkage)
