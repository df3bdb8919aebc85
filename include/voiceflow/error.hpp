// What goes wrong. Part of voiceflow.hpp.
#ifndef VOICEFLOW_ERROR_HPP
#define VOICEFLOW_ERROR_HPP

#include <voiceflow.h>
#include <voiceflow/style.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace voiceflow {

/// The kinds of failure, numbered as in C. A later library may give numbers that are not among
/// them.
enum class Status : std::int32_t {
    ok = VF_OK,
    /// A value is outside its documented range, or the call came from inside a callback.
    invalid_argument = VF_E_INVALID_ARGUMENT,
    /// The handle was moved from.
    null = VF_E_NULL,
    /// A span is too small for the answer.
    buffer_too_small = VF_E_BUFFER_TOO_SMALL,
    not_found = VF_E_NOT_FOUND,
    io = VF_E_IO,
    /// No audio that can be decoded, or with NaN or infinity in it.
    audio = VF_E_AUDIO,
    model = VF_E_MODEL,
    runtime_not_found = VF_E_RUNTIME_NOT_FOUND,
    runtime_version = VF_E_RUNTIME_VERSION,
    runtime = VF_E_RUNTIME,
    provider = VF_E_PROVIDER,
    cancelled = VF_E_CANCELLED,
    deadline = VF_E_DEADLINE,
    limit = VF_E_LIMIT,
    /// A fault inside the library: destroy the handles of the call.
    panic = VF_E_PANIC,
    /// The handle was in use during an earlier `panic`.
    poisoned = VF_E_POISONED,
    annotation = VF_E_ANNOTATION,
    /// The model was loaded before this process was forked.
    forked = VF_E_FORKED,
    gallery = VF_E_GALLERY,
    ending = VF_E_ENDING,
};

/// The meaning of a status in a few words of English; static text. Any thread, also inside a
/// callback.
[[nodiscard]] inline const char *to_string(Status status) noexcept
{
    return vf_status_str(static_cast<vf_status>(status));
}

/// Version of the library, such as "0.1.0"; static text. Any thread, also inside a callback.
[[nodiscard]] inline const char *version() noexcept
{
    return vf_version();
}

/// Version of the library as major * 65536 + minor * 256 + patch. Any thread, also inside a
/// callback.
[[nodiscard]] inline std::uint32_t version_number() noexcept
{
    return vf_version_number();
}

inline namespace VOICEFLOW_ERROR_STYLE {

/// What went wrong: thrown, or held by an `expected`. `what()` is the library's own text.
class Error : public std::runtime_error {
public:
    /// An error of this kind, with its text.
    Error(Status status, const std::string &text) : std::runtime_error(text), status_(status) {}

    /// The kind of failure.
    [[nodiscard]] Status status() const noexcept { return status_; }

private:
    Status status_;
};

#ifndef VOICEFLOW_NO_EXCEPTIONS

/// The call was ended by its `Cancel`, or by its `std::stop_token`.
class Cancelled : public Error {
public:
    using Error::Error;
};

/// The call was ended by its deadline.
class DeadlinePassed : public Error {
public:
    using Error::Error;
};

#endif

}  // namespace VOICEFLOW_ERROR_STYLE
}  // namespace voiceflow

#endif
