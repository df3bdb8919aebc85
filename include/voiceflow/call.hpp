// The conditions of one call, and the switch that ends it. Part of voiceflow.hpp.
#ifndef VOICEFLOW_CALL_HPP
#define VOICEFLOW_CALL_HPP

#include <voiceflow/options.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#ifndef VOICEFLOW_NO_EXCEPTIONS
#include <exception>
#endif
#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace voiceflow {

/// The stages of a call, as its progress reports them. A later library may have more.
enum class Stage : std::int32_t {
    /// Waiting for a free run slot, or for another call of a stream.
    waiting = VF_STAGE_WAITING,
    /// Decoding, resampling and running the network over the windows.
    analysis = VF_STAGE_ANALYSIS,
    clustering = VF_STAGE_CLUSTERING,
    /// Putting the windows together into segments.
    reconstruction = VF_STAGE_RECONSTRUCTION,
    /// Loading a model.
    loading = VF_STAGE_LOADING,
};

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

    /// A switch that is set with this one, and can be set alone. It may outlive this one.
    [[nodiscard]] result<Cancel> child() const
    {
        vf_cancel *made = nullptr;
        const vf_status status = vf_cancel_create_child(get(), &made);
        return detail::finish(status, Cancel(made));
    }

    /// Sets the switch: calls with it end soon with Status::cancelled, later ones at once. It stays
    /// set. Any thread, concurrently, also from inside a callback.
    VOICEFLOW_CHECKED result<void> set() const { return detail::finish(vf_cancel_set(get())); }

private:
    explicit Cancel(vf_cancel *made) noexcept : Handle(made) {}
};

/// The conditions of one call that may take long; none by default. What the call at hand has no use
/// for is refused with Status::invalid_argument: numbers of speakers and `exclusive` are for the
/// results of recordings and of streams, channels and tracks for recordings.
struct Call {
    /// The call ends with Status::deadline so long after its start. Rounded to milliseconds, at
    /// least 1; but 0 expires at once, and less is refused.
    std::optional<Seconds> deadline = std::nullopt;
    /// The call ends with Status::cancelled soon after this switch is set. It lives as long as the
    /// call.
    const Cancel *cancel = nullptr;
#ifdef __cpp_lib_jthread
    /// The call ends with Status::cancelled soon after a stop is requested.
    std::stop_token stop = {};
#endif
    /// Gets how much of a stage is done, 0 to 1, on the thread of the call: at least every 50 ms
    /// while the call waits or networks run on other threads for it. It must not use this
    /// interface, except to set a Cancel. What it throws ends the call and is thrown on by it; with
    /// VOICEFLOW_NO_EXCEPTIONS it must not throw.
    std::function<void(Stage, float)> progress = {};
    /// Exactly so many speakers, 1 to 100, in place of the options' number.
    std::optional<std::size_t> num_speakers = std::nullopt;
    /// At least so many speakers, 0 to 100, in place of the options' number.
    std::optional<std::size_t> min_speakers = std::nullopt;
    /// At most so many speakers, 1 to 100, in place of the options' number.
    std::optional<std::size_t> max_speakers = std::nullopt;
    /// No two segments of the result overlap: where several speakers talk, the most active has the
    /// time.
    bool exclusive = false;
    /// The channel that is used, 1 to 32, in place of the mean of all; 1 is the left one.
    std::optional<std::size_t> channel = std::nullopt;
    /// Each channel is diarized by itself, for recordings with a party on each: no two have a
    /// speaker in common, and labels are "CH1_SPEAKER_00", "CH2_SPEAKER_00", and so on. Not with
    /// `channel`.
    bool separate_channels = false;
    /// The audio track that is used, 1 to 32, in place of the one that has the speech.
    std::optional<std::size_t> track = std::nullopt;
    /// Each audio track is diarized by itself: labels are "TRACK1_SPEAKER_00" and so on. Not with
    /// `track`.
    bool all_tracks = false;
};

namespace detail {

/// A `Call` as C has it, for the time of one call.
class Conditions {
public:
    explicit Conditions(const Call &call) : call_(call), problem_(prepare()) {}
    Conditions(const Conditions &) = delete;
    Conditions &operator=(const Conditions &) = delete;
    Conditions(Conditions &&) = delete;
    Conditions &operator=(Conditions &&) = delete;
    ~Conditions() = default;

    /// Does `work` with the conditions, unless they cannot be what is meant.
    template <class Work>
    [[nodiscard]] Outcome run(Work work)
    {
        if (problem_.failed()) {
            return problem_;
        }
#ifdef __cpp_lib_jthread
        const std::stop_callback on_stop(call_.stop, Setter{own_.get()});
#endif
        return work(&conditions_);
    }

    /// To be called after `run`, once its results are owned: throws what the progress has thrown.
    void rethrow() const
    {
#ifndef VOICEFLOW_NO_EXCEPTIONS
        if (thrown_) {
            std::rethrow_exception(thrown_);
        }
#endif
    }

private:
    struct Destroyer {
        void operator()(vf_cancel *cancel) const noexcept { vf_cancel_destroy(cancel); }
    };

    struct Setter {
        vf_cancel *cancel;
        void operator()() const noexcept
        {
            if (cancel != nullptr) {
                vf_cancel_set(cancel);
            }
        }
    };

    Outcome prepare()
    {
        conditions_.size = sizeof conditions_;
        if (call_.deadline.has_value()) {
            const double seconds = call_.deadline->count();
            if (!(seconds >= 0.0)) {
                std::ostringstream text;
                text << "deadline: expected 0 s or more, got " << seconds << " s";
                return {VF_E_INVALID_ARGUMENT, text.str()};
            }
            conditions_.flags |= VF_CALL_DEADLINE;
            conditions_.deadline_ms = milliseconds(seconds);
        }
        number(call_.num_speakers, VF_CALL_NUM_SPEAKERS, conditions_.num_speakers);
        number(call_.min_speakers, VF_CALL_MIN_SPEAKERS, conditions_.min_speakers);
        number(call_.max_speakers, VF_CALL_MAX_SPEAKERS, conditions_.max_speakers);
        number(call_.channel, VF_CALL_CHANNEL, conditions_.channel);
        number(call_.track, VF_CALL_TRACK, conditions_.track);
        flag(call_.exclusive, VF_CALL_EXCLUSIVE);
        flag(call_.separate_channels, VF_CALL_SEPARATE_CHANNELS);
        flag(call_.all_tracks, VF_CALL_ALL_TRACKS);
        if (call_.progress) {
            conditions_.progress = report;
            conditions_.user_data = this;
        }
        if (call_.cancel != nullptr) {
            if (!*call_.cancel) {
                return {VF_E_NULL, "cancel: expected a switch, got one that was moved from"};
            }
            conditions_.cancel = call_.cancel->get();
        }
        return needs_own_switch() ? make_own_switch() : Outcome(VF_OK);
    }

    /// A little time is not none, and what C cannot count is its longest.
    static std::uint64_t milliseconds(double seconds)
    {
        constexpr auto longest = std::numeric_limits<std::uint64_t>::max();
        const double rounded = seconds > 0.0 ? std::max(std::round(seconds * 1000.0), 1.0) : 0.0;
        return rounded < static_cast<double>(longest) ? static_cast<std::uint64_t>(rounded) : longest;
    }

    void flag(bool asked, vf_call_flag flag)
    {
        if (asked) {
            conditions_.flags |= flag;
        }
    }

    void number(const std::optional<std::size_t> &asked, vf_call_flag flag, std::uint64_t &value)
    {
        if (asked.has_value()) {
            conditions_.flags |= flag;
            value = *asked;
        }
    }

    /// Whether something ends the call that must not end the others of the caller's switch.
    [[nodiscard]] bool needs_own_switch() const
    {
#ifdef __cpp_lib_jthread
        if (call_.stop.stop_possible()) {
            return true;
        }
#endif
#ifndef VOICEFLOW_NO_EXCEPTIONS
        return static_cast<bool>(call_.progress);
#else
        return false;
#endif
    }

    Outcome make_own_switch()
    {
        vf_cancel *made = nullptr;
        const vf_status status = conditions_.cancel == nullptr
                                     ? vf_cancel_create(&made)
                                     : vf_cancel_create_child(conditions_.cancel, &made);
        own_.reset(made);
        conditions_.cancel = made;
        return status;
    }

    static void report(void *user_data, std::int32_t stage, float fraction) noexcept
    {
#ifndef VOICEFLOW_NO_EXCEPTIONS
        auto &self = *static_cast<Conditions *>(user_data);
        if (self.thrown_) {
            return;
        }
        try {
            self.call_.progress(static_cast<Stage>(stage), fraction);
        } catch (...) {
            // An exception must not pass through C.
            self.thrown_ = std::current_exception();
            Setter{self.own_.get()}();
        }
#else
        static_cast<const Conditions *>(user_data)->call_.progress(static_cast<Stage>(stage), fraction);
#endif
    }

    const Call &call_;
    vf_call conditions_{};
    std::unique_ptr<vf_cancel, Destroyer> own_;
#ifndef VOICEFLOW_NO_EXCEPTIONS
    std::exception_ptr thrown_;
#endif
    /// Why the call is not made.
    Outcome problem_;
};

/// Makes one call under its conditions.
template <class Work>
Outcome under(const Call &call, Work work)
{
    Conditions conditions(call);
    const Outcome outcome = conditions.run(work);
    conditions.rethrow();
    return outcome;
}

/// Puts what options ask for in the place of what a handle has.
template <class T>
result<void> reload_with(const T *handle, const Options &options, const Call &call,
                         vf_status (*reload)(const T *, const vf_options *, const vf_call *))
{
    if (!options) {
        return finish({VF_E_NULL, "options: expected options, got some that were moved from"});
    }
    return finish(under(
        call, [&](const vf_call *given) { return Outcome(reload(handle, options.get(), given)); }));
}

/// Calls a create function with options, or with the defaults where there are none to be given, and
/// with the conditions of the call; `own` makes an object of the handle, which then is owned
/// whatever is thrown.
template <class T, class Create, class Own>
auto create_with(const Options *options, const Call &call, Create create, Own own)
{
    T *handle = nullptr;
    Conditions conditions(call);
    const Outcome outcome = conditions.run([&](const vf_call *given) {
        return create_with(
            handle, options, [&](const vf_options *chosen, T **out) { return create(chosen, given, out); });
    });
    auto made = own(handle);
    conditions.rethrow();
    return finish(outcome, std::move(made));
}

}  // namespace detail
}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
