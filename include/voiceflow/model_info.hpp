// Sizes of a model and where it runs. Part of voiceflow.hpp.
#ifndef VOICEFLOW_MODEL_INFO_HPP
#define VOICEFLOW_MODEL_INFO_HPP

#include <voiceflow/options.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace voiceflow {

/// Sizes of a model, as in C; `provider_of` has where it runs.
using ModelInfo = vf_model_info;

/// The provider in use, never `automatic`.
[[nodiscard]] inline Provider provider_of(const ModelInfo &info) noexcept
{
    return static_cast<Provider>(info.provider);
}

inline namespace VOICEFLOW_STYLE {
namespace detail {

template <class T>
result<ModelInfo> describe(const T *handle, vf_status (*call)(const T *, vf_model_info *))
{
    ModelInfo info{};
    info.size = sizeof info;
    const vf_status status = call(handle, &info);
    return finish(status, info);
}

/// A text that a handle has.
template <class T>
result<std::string> text_of(const T *handle, vf_status (*call)(const T *, char *, std::size_t, std::size_t *))
{
    std::string text;
    const auto outcome = read_text(
        text, [&](char *out, std::size_t cap, std::size_t *n) { return call(handle, out, cap, n); });
    return finish(outcome, std::move(text));
}

}  // namespace detail
}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
