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

/// How grave a log record is.
enum class LogLevel : std::int32_t {
    error = VF_LOG_ERROR,
    warn = VF_LOG_WARN,
    info = VF_LOG_INFO,
    debug = VF_LOG_DEBUG,
    trace = VF_LOG_TRACE,
};

inline namespace VOICEFLOW_STYLE {
namespace detail {

/// The callable that gets the records. Who calls it holds it meanwhile, so that another may take its place at
/// any time.
class LogSink {
public:
    using Forward = void (*)(void *callable, LogLevel level, std::string_view target,
                             std::string_view message);

    /// The one of this program. It is never destroyed: threads of the library may log until the process ends.
    static LogSink &instance()
    {
        static auto &sink = *new LogSink;  // NOLINT(cppcoreguidelines-owning-memory)
        return sink;
    }

    Outcome set(std::shared_ptr<void> callable, Forward forward, LogLevel least)
    {
        // One change at a time: what the library calls and what is called here stay a pair.
        const std::scoped_lock change(change_);
        Target previous = exchange({std::move(callable), forward});
        const vf_status status = forward == nullptr
                                     ? vf_set_log_callback(nullptr, nullptr, static_cast<std::int32_t>(least))
                                     : vf_set_log_callback(&receive, this, static_cast<std::int32_t>(least));
        if (status != VF_OK) {
            exchange(std::move(previous));
        }
        return status;
    }

private:
    struct Target {
        std::shared_ptr<void> callable;
        Forward forward = nullptr;
    };

    LogSink() = default;

    static void receive(void *user_data, std::int32_t level, const char *target, const char *message) noexcept
    {
        const Target current = static_cast<LogSink *>(user_data)->target();
        if (current.forward == nullptr) {
            return;
        }
#ifndef VOICEFLOW_NO_EXCEPTIONS
        try {
            current.forward(current.callable.get(), static_cast<LogLevel>(level), target, message);
        } catch (...) {  // NOLINT(bugprone-empty-catch): there is no caller of the host's that could be told.
        }
#else
        current.forward(current.callable.get(), static_cast<LogLevel>(level), target, message);
#endif
    }

    Target target()
    {
        const std::scoped_lock held(lock_);
        return target_;
    }

    Target exchange(Target next)
    {
        const std::scoped_lock held(lock_);
        std::swap(target_, next);
        return next;
    }

    std::mutex change_;
    std::mutex lock_;
    Target target_;
};

}  // namespace detail

/// Sends the library's log records to `callable`, in the place of an earlier one. Without one they go
/// nowhere.
///
/// - `callable`: void(LogLevel, std::string_view target, std::string_view message), kept until another takes
///   its place and its last call has returned. It is called on whatever thread has something to say, on
///   several at once, and must not use this interface. An exception that it throws ends there. The texts are
///   gone when it returns.
/// - `least`: the least grave level to send.
///
/// There is one callback in a process. Any thread, concurrently. Fails with Status::invalid_argument.
template <class Callable>
VOICEFLOW_CHECKED result<void> set_log_callback(Callable &&callable, LogLevel least)
{
    using Kept = std::decay_t<Callable>;
    const auto forward = [](void *kept, LogLevel level, std::string_view target, std::string_view message) {
        (*static_cast<Kept *>(kept))(level, target, message);
    };
    auto kept = std::make_shared<Kept>(std::forward<Callable>(callable));
    return detail::finish(detail::LogSink::instance().set(std::move(kept), forward, least));
}

/// Sends the records nowhere any more. Any thread, concurrently.
VOICEFLOW_CHECKED inline result<void> clear_log_callback()
{
    return detail::finish(detail::LogSink::instance().set(nullptr, nullptr, LogLevel::error));
}

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
