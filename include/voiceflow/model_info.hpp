// Sizes of a model and where it runs. Part of voiceflow.hpp.
#ifndef VOICEFLOW_MODEL_INFO_HPP
#define VOICEFLOW_MODEL_INFO_HPP

#include <voiceflow/options.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace voiceflow {

/// Sizes of a model, as in C; `provider_of` has where it runs.
using ModelInfo = vf_model_info;

/// A version of a model that is current or still in use, as in C; `is_current` says which.
using ModelVersion = vf_model_version;

/// Whether new calls and streams use this version.
[[nodiscard]] inline bool is_current(const ModelVersion &version) noexcept
{
    return (version.flags & std::uint32_t{VF_MODEL_VERSION_CURRENT}) != 0;
}

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

/// The versions that are in use.
template <class T>
result<std::vector<ModelVersion>> versions_of(const T *handle,
                                              vf_status (*call)(const T *, vf_model_version *, std::size_t,
                                                                std::size_t *))
{
    std::vector<ModelVersion> versions;
    const auto outcome =
        read_all(versions, [&](ModelVersion *out, std::size_t cap, std::size_t *n) {
            return call(handle, out, cap, n);
        });
    return finish(outcome, std::move(versions));
}

}  // namespace detail
}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
