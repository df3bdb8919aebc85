// Callables as progress callbacks. Part of voiceflow.hpp.
#ifndef VOICEFLOW_PROGRESS_HPP
#define VOICEFLOW_PROGRESS_HPP

#include <voiceflow/error.hpp>

#include <cstdint>
#ifndef VOICEFLOW_NO_EXCEPTIONS
#include <exception>
#endif
#include <type_traits>

namespace voiceflow {

/// The stages told to a progress callback. A later library may have more.
enum class Stage : std::int32_t {
    /// Decoding, resampling and running the network over the windows.
    analysis = VF_STAGE_ANALYSIS,
    clustering = VF_STAGE_CLUSTERING,
    /// Putting the windows together into segments.
    reconstruction = VF_STAGE_RECONSTRUCTION,
};

/// What a progress callback wants of its call.
enum class Next : std::int32_t { go_on = 0, cancel = 1 };

inline namespace VOICEFLOW_STYLE {

/// In the place of a progress callback: none.
struct NoProgress {};

namespace detail {

/// For functions that take a progress callback in this place, and nothing else.
template <class Callable>
using IfProgress = std::enable_if_t<std::is_invocable_v<Callable &, Stage, float>>;

/// A callable for the time of one call. It is used where it lies, never copied, on the thread that makes the
/// call.
template <class Callable>
class ProgressCall {
public:
    explicit ProgressCall(Callable &callable) noexcept : callable_(callable) {}

    [[nodiscard]] static constexpr vf_progress_fn function() noexcept
    {
        if constexpr (std::is_same_v<std::remove_cv_t<Callable>, NoProgress>) {
            return nullptr;
        } else {
            return &ProgressCall::report;
        }
    }

    [[nodiscard]] void *user_data() noexcept { return this; }

    /// To be called after the C function: throws what the callable has thrown inside it.
    void rethrow() const
    {
#ifndef VOICEFLOW_NO_EXCEPTIONS
        if (thrown_) {
            std::rethrow_exception(thrown_);
        }
#endif
    }

private:
    static std::int32_t report(void *user_data, std::int32_t stage, float fraction) noexcept
    {
        auto &self = *static_cast<ProgressCall *>(user_data);
#ifndef VOICEFLOW_NO_EXCEPTIONS
        if (self.thrown_) {
            return static_cast<std::int32_t>(Next::cancel);
        }
        try {
            return static_cast<std::int32_t>(self.ask(static_cast<Stage>(stage), fraction));
        } catch (...) {
            // An exception must not pass through C.
            self.thrown_ = std::current_exception();
            return static_cast<std::int32_t>(Next::cancel);
        }
#else
        return static_cast<std::int32_t>(self.ask(static_cast<Stage>(stage), fraction));
#endif
    }

    Next ask(Stage stage, float fraction)
    {
        using Answer = std::invoke_result_t<Callable &, Stage, float>;
        static_assert(std::is_void_v<Answer> || std::is_same_v<Answer, Next>,
                      "a progress callback returns nothing, or a voiceflow::Next");
        if constexpr (std::is_void_v<Answer>) {
            callable_(stage, fraction);
            return Next::go_on;
        } else {
            return callable_(stage, fraction);
        }
    }

    Callable &callable_;
#ifndef VOICEFLOW_NO_EXCEPTIONS
    std::exception_ptr thrown_;
#endif
};

}  // namespace detail
}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
