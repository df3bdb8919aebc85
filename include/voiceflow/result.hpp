// How functions that can fail answer, in either style. Part of voiceflow.hpp.
#ifndef VOICEFLOW_RESULT_HPP
#define VOICEFLOW_RESULT_HPP

#include <voiceflow/error.hpp>
#ifdef VOICEFLOW_NO_EXCEPTIONS
#include <voiceflow/expected.hpp>
#endif

#include <cstddef>
#include <string>
#include <utility>

/// Stands before functions that have nothing to give but success: where it is not thrown, a failure
/// must be looked at.
#ifdef VOICEFLOW_NO_EXCEPTIONS
#define VOICEFLOW_CHECKED [[nodiscard]]
#else
#define VOICEFLOW_CHECKED
#endif

namespace voiceflow {
inline namespace VOICEFLOW_STYLE {

/// What a function that can fail returns: `T` itself, and then failures are thrown as `Error`; or,
/// with VOICEFLOW_NO_EXCEPTIONS, an `expected<T>`.
#ifdef VOICEFLOW_NO_EXCEPTIONS
template <class T>
using result = expected<T>;
#else
template <class T>
using result = T;
#endif

namespace detail {

/// How a call ended, with the text of a failure that the library was not asked about.
class Outcome {
public:
    // NOLINTNEXTLINE(misc-explicit-constructor): what the C functions return.
    Outcome(vf_status status) noexcept : status_(status) {}
    Outcome(vf_status status, std::string text) noexcept : status_(status), text_(std::move(text)) {}

    [[nodiscard]] bool failed() const noexcept { return status_ != VF_OK; }
    [[nodiscard]] Status status() const noexcept { return static_cast<Status>(status_); }

    /// The text of the failure; to be asked for before the thread's next call.
    [[nodiscard]] std::string text() const
    {
        if (!text_.empty()) {
            return text_;
        }
        std::string text(vf_last_error(nullptr, 0) + 1, '\0');
        vf_last_error(text.data(), text.size());
        text.pop_back();
        return text;
    }

private:
    vf_status status_;
    std::string text_;
};

#ifdef VOICEFLOW_NO_EXCEPTIONS

template <class T>
result<T> finish(const Outcome &outcome, T value)
{
    if (outcome.failed()) {
        return unexpected(Error(outcome.status(), outcome.text()));
    }
    return value;
}

inline result<void> finish(const Outcome &outcome)
{
    if (outcome.failed()) {
        return unexpected(Error(outcome.status(), outcome.text()));
    }
    return {};
}

#else

inline result<void> finish(const Outcome &outcome)
{
    if (!outcome.failed()) {
        return;
    }
    switch (outcome.status()) {
    case Status::cancelled:
        throw Cancelled(outcome.status(), outcome.text());
    case Status::deadline:
        throw DeadlinePassed(outcome.status(), outcome.text());
    default:
        throw Error(outcome.status(), outcome.text());
    }
}

template <class T>
result<T> finish(const Outcome &outcome, T value)
{
    finish(outcome);
    return value;
}

#endif

/// Asked before a handle is made: whether the library is one that this header describes.
inline Outcome check_abi()
{
    const std::uint32_t found = vf_abi_version();
    if (found == VF_ABI_VERSION) {
        return VF_OK;
    }
    return {VF_E_INVALID_ARGUMENT, "libvoiceflow: expected ABI " + std::to_string(VF_ABI_VERSION) +
                                       ", which voiceflow.hpp was made for, got ABI " +
                                       std::to_string(found)};
}

/// The number of frames in `size` values of `channels` channels, for a call with that number.
template <class Call>
Outcome with_frames(std::size_t size, std::size_t channels, const char *what, const char *unit, Call call)
{
    // None is refused by the library, with its own words.
    const std::size_t divisor = channels == 0 ? 1 : channels;
    if (size % divisor != 0) {
        return {VF_E_INVALID_ARGUMENT, std::string(what) + ": expected a multiple of the " +
                                           std::to_string(channels) + " " + unit + ", got " +
                                           std::to_string(size) + " values"};
    }
    return call(size / divisor);
}

/// Fills a vector or a string by a C function that gives the room it needs; what changes meanwhile
/// is asked again.
template <class Container, class Call>
Outcome read_all(Container &container, Call call)
{
    std::size_t needed = 0;
    vf_status status = call(container.data(), container.size(), &needed);
    while (status == VF_E_BUFFER_TOO_SMALL) {
        container.resize(needed);
        status = call(container.data(), container.size(), &needed);
    }
    container.resize(status == VF_OK ? needed : 0);
    return status;
}

/// As `read_all`, for a text, whose ending zero byte is left out.
template <class Call>
Outcome read_text(std::string &text, Call call)
{
    const Outcome outcome = read_all(text, call);
    if (!text.empty()) {
        text.pop_back();
    }
    return outcome;
}

}  // namespace detail
}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
