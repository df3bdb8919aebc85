// One live audio source. Part of voiceflow.hpp.
#ifndef VOICEFLOW_STREAM_HPP
#define VOICEFLOW_STREAM_HPP

#include <voiceflow/diarizer.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ratio>
#include <utility>
#include <vector>

namespace voiceflow {
inline namespace VOICEFLOW_STYLE {

/// One source of live audio over a diarizer, which may be destroyed before it. Its functions may be
/// called from any threads at once; pushes into one stream wait for each other, in the order in
/// which they came, and reading waits for no push.
class Stream : public detail::Handle<vf_stream, vf_stream_destroy> {
public:
#ifndef VOICEFLOW_NO_EXCEPTIONS
    /// See `create`.
    explicit Stream(const Diarizer &diarizer, std::uint32_t sample_rate, std::uint32_t channels = 1,
                    const Call &call = {})
        : Stream(create(diarizer, sample_rate, channels, call))
    {
    }
    /// See `create`.
    Stream(const Diarizer &diarizer, const Options &options, std::uint32_t sample_rate,
           std::uint32_t channels = 1, const Call &call = {})
        : Stream(create(diarizer, options, sample_rate, channels, call))
    {
    }
#endif

    /// A stream with default options.
    ///
    /// - `sample_rate`: in hertz, 1,000 to 768,000.
    /// - `channels`: 1 to 32; their mean is used.
    /// - `call`: the conditions of loading the model of streams, where the diarizer has one for
    ///   them.
    [[nodiscard]] static result<Stream> create(const Diarizer &diarizer, std::uint32_t sample_rate,
                                               std::uint32_t channels = 1, const Call &call = {})
    {
        return create_with(diarizer, nullptr, sample_rate, channels, call);
    }

    /// A stream with these options: latency, history, most speakers, least speech and silence, and
    /// clustering threshold. What else they say is the diarizer's.
    [[nodiscard]] static result<Stream> create(const Diarizer &diarizer, const Options &options,
                                               std::uint32_t sample_rate, std::uint32_t channels = 1,
                                               const Call &call = {})
    {
        return create_with(diarizer, &options, sample_rate, channels, call);
    }

    /// The time until what the stream says of a moment never changes.
    [[nodiscard]] result<Seconds> latency() const
    {
        double latency_ms = 0;
        const vf_status status = vf_stream_latency_ms(get(), &latency_ms);
        return detail::finish(status, Seconds(std::chrono::duration<double, std::milli>(latency_ms)));
    }

    /// Takes the next samples, which are read where they lie, and analyses the windows that they
    /// complete, on this thread.
    ///
    /// - `samples`: [frames, channels] values, the channels of a frame side by side: -1 to 1,
    ///   finite; any number.
    ///
    /// All samples are taken or none; after Status::cancelled, deadline, runtime and model they are
    /// taken, and the next push goes on with them. Fails among others with Status::audio, limit.
    VOICEFLOW_CHECKED result<void> push(span<const float> samples, const Call &call = {}) const
    {
        return push_by(vf_stream_push_f32, samples, call);
    }

    /// As above, with samples as 16-bit integers.
    VOICEFLOW_CHECKED result<void> push(span<const std::int16_t> samples, const Call &call = {}) const
    {
        return push_by(vf_stream_push_i16, samples, call);
    }

    /// Takes out up to `out.size()` segments that were not read yet, and returns their number:
    /// first the final ones, each once, in the order of their end; then those that are not final,
    /// which hold until `updates` gives another number.
    [[nodiscard]] result<std::size_t> read_into(span<Segment> out) const
    {
        std::size_t count = 0;
        const vf_status status = vf_stream_read(get(), out.data(), out.size(), &count);
        return detail::finish(status, count);
    }

    /// Takes out all segments that were not read yet, in the order of `read_into`. Those that are
    /// not final belong together, also while another thread pushes.
    [[nodiscard]] result<std::vector<Segment>> read() const
    {
        std::vector<Segment> segments;
        std::array<Segment, 64> some{};
        std::size_t count = 0;
        std::uint64_t now = 0;
        vf_status status = vf_stream_updates(get(), &now);
        while (status == VF_OK) {
            status = vf_stream_read(get(), some.data(), some.size(), &count);
            const std::uint64_t before = now;
            if (status == VF_OK) {
                status = vf_stream_updates(get(), &now);
            }
            const std::size_t earlier = segments.size();
            segments.insert(segments.end(), some.data(), some.data() + count);
            const bool last = count < some.size();
            if (now != before) {
                // A full page may be from before or after a push, and more from after it follows:
                // what still holds of it comes again with the next page.
                drop_provisional(segments, last ? earlier : segments.size());
            }
            if (last) {
                break;
            }
        }
        return detail::finish(status, std::move(segments));
    }

    /// How many times the provisional segments were replaced. Once the number has changed, segments
    /// read before that were not final hold no longer.
    [[nodiscard]] result<std::uint64_t> updates() const
    {
        std::uint64_t count = 0;
        const vf_status status = vf_stream_updates(get(), &count);
        return detail::finish(status, count);
    }

    /// Number of speakers so far.
    [[nodiscard]] result<std::size_t> speaker_count() const
    {
        std::size_t count = 0;
        const vf_status status = vf_stream_speaker_count(get(), &count);
        return detail::finish(status, count);
    }

    /// A speaker's voice as it is known by now: `embedding_dim` values, a vector of unit length.
    [[nodiscard]] result<std::vector<float>> speaker_embedding(std::int32_t speaker) const
    {
        std::vector<float> values;
        const auto outcome = detail::read_all(values, [&](float *out, std::size_t cap, std::size_t *n) {
            return vf_stream_speaker_embedding(get(), speaker, out, cap, n);
        });
        return detail::finish(outcome, std::move(values));
    }

    /// Ends the stream: all segments become final and can be read, and all of its audio is
    /// clustered anew as a whole. It takes no audio until it is reset. The progress of the call
    /// must not wait for a thread that pushes into this stream or resets it.
    [[nodiscard]] result<Diarization> finish(const Call &call = {}) const
    {
        return Diarization::under(call, [&](const vf_call *given, vf_diarization **out) {
            return vf_stream_finish(get(), given, out);
        });
    }

    /// Who each speaker of a finished stream is in the result of `finish`: a number of its
    /// speakers, -1 for nobody.
    [[nodiscard]] result<std::vector<std::int32_t>> final_speakers() const
    {
        std::vector<std::int32_t> speakers;
        const auto outcome =
            detail::read_all(speakers, [&](std::int32_t *out, std::size_t cap, std::size_t *n) {
                return vf_stream_final_speakers(get(), out, cap, n);
            });
        return detail::finish(outcome, std::move(speakers));
    }

    /// Forgets all audio: the stream is as new. Waits for the calls that came before.
    VOICEFLOW_CHECKED result<void> reset(const Call &call = {}) const
    {
        return detail::finish(detail::under(
            call, [&](const vf_call *given) { return detail::Outcome(vf_stream_reset(get(), given)); }));
    }

private:
    Stream(vf_stream *made, std::uint32_t channels) noexcept : Handle(made), channels_(channels) {}

    static result<Stream> create_with(const Diarizer &diarizer, const Options *options,
                                      std::uint32_t sample_rate, std::uint32_t channels, const Call &call)
    {
        const auto create = [&](const vf_options *chosen, const vf_call *given, vf_stream **out) {
            return vf_stream_create(diarizer.get(), chosen, sample_rate, channels, given, out);
        };
        return detail::create_with<vf_stream>(
            options, call, create, [&](vf_stream *made) { return Stream(made, channels); });
    }

    /// Drops those of the first `count` segments that are not final.
    static void drop_provisional(std::vector<Segment> &segments, std::size_t count)
    {
        const auto end = segments.begin() + static_cast<std::ptrdiff_t>(count);
        const auto provisional = [](const Segment &segment) { return !is_final(segment); };
        segments.erase(std::remove_if(segments.begin(), end, provisional), end);
    }

    template <class Function, class Sample>
    result<void> push_by(Function function, span<const Sample> samples, const Call &call) const
    {
        return detail::finish(detail::under(call, [&](const vf_call *given) {
            return detail::with_frames(
                samples.size(), channels_, "samples", "channels",
                [&](std::size_t frames) { return function(get(), samples.data(), frames, given); });
        }));
    }

    std::uint32_t channels_;
};

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
