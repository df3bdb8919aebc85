// The conditions of one call, and the switch that ends it. Part of voiceflow.hpp.
#ifndef VOICEFLOW_CALL_HPP
#define VOICEFLOW_CALL_HPP

#include <voiceflow/options.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <sstream>

namespace voiceflow {
inline namespace VOICEFLOW_STYLE {

/// A switch by which any thread ends the calls that were given it.
class Cancel : public detail::Handle<vf_cancel, vf_cancel_destroy> {
public:
#ifndef VOICEFLOW_NO_EXCEPTIONS
    /// A switch that is not set.
    Cancel() : Cancel(create()) {}
#endif

    /// A switch that is not set.
    [[nodiscard]] static result<Cancel> create()
    {
        vf_cancel *made = nullptr;
        const auto outcome = detail::create_checked(made, vf_cancel_create);
        return detail::finish(outcome, Cancel(made));
    }

    /// Sets the switch: calls with it end soon with Status::cancelled, later ones at once. It stays set. Any
    /// thread, concurrently.
    VOICEFLOW_CHECKED result<void> set() const { return detail::finish(vf_cancel_set(get())); }

private:
    explicit Cancel(vf_cancel *made) noexcept : Handle(made) {}
};

/// The conditions of one call that may take long; none by default.
struct Call {
    /// The call ends with Status::deadline so many milliseconds after its start, 0 or more.
    std::optional<std::chrono::milliseconds> deadline = std::nullopt;
    /// The call ends with Status::cancelled soon after this switch is set. It lives as long as the call.
    const Cancel *cancel = nullptr;
};

namespace detail {

/// Calls a create function with options, or with the defaults where there are none to be given, and with the
/// conditions of the call.
template <class T, class Create>
Outcome create_with(T *&handle, const Options *options, const Call &call, Create create)
{
    vf_call conditions{};
    conditions.size = sizeof conditions;
    if (call.deadline.has_value()) {
        if (call.deadline->count() < 0) {
            std::ostringstream text;
            text << "deadline: expected 0 ms or more, got " << call.deadline->count() << " ms";
            return {VF_E_INVALID_ARGUMENT, text.str()};
        }
        conditions.flags = VF_CALL_DEADLINE;
        conditions.deadline_ms = static_cast<std::uint64_t>(call.deadline->count());
    }
    if (call.cancel != nullptr) {
        if (!*call.cancel) {
            return {VF_E_NULL, "cancel: expected a switch, got one that was moved from"};
        }
        conditions.cancel = call.cancel->get();
    }
    return create_with(handle, options, [&](const vf_options *given, T **out) {
        return create(given, &conditions, out);
    });
}

}  // namespace detail
}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
