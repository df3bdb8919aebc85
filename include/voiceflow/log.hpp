// The library's log records to a callable. Part of voiceflow.hpp.
#ifndef VOICEFLOW_LOG_HPP
#define VOICEFLOW_LOG_HPP

#include <voiceflow/result.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <type_traits>
#include <utility>

namespace voiceflow {

/// Severity of a log record.
enum class LogLevel : std::int32_t {
    error = VF_LOG_ERROR,
    warn = VF_LOG_WARN,
    info = VF_LOG_INFO,
    debug = VF_LOG_DEBUG,
    trace = VF_LOG_TRACE,
};

/// What files of all styles share.
namespace every_style {

/// The callable that gets the records. Who calls it holds it meanwhile, so that another may take
/// its place at any time.
class LogSink {
public:
    /// A callable, and what calls it, which throws nothing.
    struct Target {
        std::shared_ptr<void> callable;
        void (*forward)(void *callable, LogLevel level, std::string_view target,
                        std::string_view message) = nullptr;
    };

    /// The one of this program. It is never destroyed: threads of the library may log until the
    /// process ends.
    static LogSink &instance()
    {
        static auto &sink = *new LogSink;  // NOLINT(cppcoreguidelines-owning-memory)
        return sink;
    }

    /// Puts `target` in the place of the earlier one, and that into `target`; after a failure both
    /// stay. What is let go of is destroyed by the caller, outside the locks: its destructor may
    /// come back here.
    vf_status exchange(Target &target, LogLevel least)
    {
        // One change at a time: what the library calls and what is called here stay a pair.
        const std::scoped_lock change(change_);
        const bool none = target.forward == nullptr;
        swap(target);
        const vf_status status =
            vf_set_log_callback(none ? nullptr : &receive, this, static_cast<std::int32_t>(least));
        if (status != VF_OK) {
            swap(target);
        }
        return status;
    }

private:
    LogSink() = default;

    static void receive(void *user_data, std::int32_t level, const char *target, const char *message) noexcept
    {
        const Target current = static_cast<LogSink *>(user_data)->current();
        if (current.forward != nullptr) {
            current.forward(current.callable.get(), static_cast<LogLevel>(level), target, message);
        }
    }

    Target current()
    {
        const std::scoped_lock held(lock_);
        return target_;
    }

    void swap(Target &target)
    {
        const std::scoped_lock held(lock_);
        std::swap(target_, target);
    }

    std::mutex change_;
    std::mutex lock_;
    Target target_;
};

}  // namespace every_style

inline namespace VOICEFLOW_STYLE {
namespace detail {

/// Calls a kept callable. No caller of the host's could get what it throws.
template <class Kept>
void forward_log(void *kept, LogLevel level, std::string_view target, std::string_view message) noexcept
{
#ifndef VOICEFLOW_NO_EXCEPTIONS
    try {
        (*static_cast<Kept *>(kept))(level, target, message);
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
#else
    (*static_cast<Kept *>(kept))(level, target, message);
#endif
}

}  // namespace detail

/// Sends the library's log records to `callable`, in the place of an earlier one. Without one they
/// go nowhere.
///
/// - `callable`: void(LogLevel, std::string_view target, std::string_view message), kept until
///   another takes its place and its last call has returned. It is called on whatever thread has
///   something to say, on several at once, and must not use this interface. An exception that it
///   throws ends there. The texts are gone when it returns.
/// - `least`: the least grave level to send.
///
/// There is one callback in a process, whatever the style of the file that sets it. A plugin must
/// clear its callback before it is unloaded: what is called lies in it. Any thread, concurrently.
/// Fails with Status::invalid_argument.
template <class Callable>
VOICEFLOW_CHECKED result<void> set_log_callback(Callable &&callable, LogLevel least)
{
    using Kept = std::decay_t<Callable>;
    // Destroyed last: what the earlier callable does then changes neither the locks nor the error.
    every_style::LogSink::Target target{std::make_shared<Kept>(std::forward<Callable>(callable)),
                                        &detail::forward_log<Kept>};
    return detail::finish(every_style::LogSink::instance().exchange(target, least));
}

/// Sends the records nowhere any more, whatever the style of the file that set the callback. Any
/// thread, concurrently.
VOICEFLOW_CHECKED inline result<void> clear_log_callback()
{
    every_style::LogSink::Target target;
    return detail::finish(every_style::LogSink::instance().exchange(target, LogLevel::error));
}

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
