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

/// One source of live audio over a diarizer, which may be destroyed before it. Its functions may be called
/// from any threads at once; pushes into one stream wait for each other, reading waits for no push.
class Stream : public detail::Handle<vf_stream, vf_stream_destroy> {
public:
#ifndef VOICEFLOW_NO_EXCEPTIONS
    /// See `create`.
    Stream(const Diarizer &diarizer, std::uint32_t sample_rate, std::uint32_t channels = 1)
        : Stream(create(diarizer, sample_rate, channels))
    {
    }
    /// See `create`.
    Stream(const Diarizer &diarizer, const Options &options, std::uint32_t sample_rate,
           std::uint32_t channels = 1)
        : Stream(create(diarizer, options, sample_rate, channels))
    {
    }
#endif

    /// A stream with default options.
    ///
    /// - `sample_rate`: in hertz, 1,000 to 768,000.
    /// - `channels`: 1 to 32; their mean is used.
    [[nodiscard]] static result<Stream> create(const Diarizer &diarizer, std::uint32_t sample_rate,
                                               std::uint32_t channels = 1)
    {
        return create_with(diarizer, nullptr, sample_rate, channels);
    }

    /// A stream with these options: latency, history, most speakers, least speech and silence, clustering
    /// threshold and deadline of each call. What else they say is the diarizer's.
    [[nodiscard]] static result<Stream> create(const Diarizer &diarizer, const Options &options,
                                               std::uint32_t sample_rate, std::uint32_t channels = 1)
    {
        return create_with(diarizer, &options, sample_rate, channels);
    }

    /// The time until what the stream says of a moment never changes.
    [[nodiscard]] result<Seconds> latency() const
    {
        double latency_ms = 0;
        const vf_status status = vf_stream_latency_ms(get(), &latency_ms);
        return detail::finish(status, Seconds(std::chrono::duration<double, std::milli>(latency_ms)));
    }

    /// Takes the next samples, which are read where they lie, and analyses the windows that they complete, on
    /// this thread.
    ///
    /// - `samples`: [frames, channels] values, the channels of a frame side by side: -1 to 1, finite; any
    ///   number.
    ///
    /// All samples are taken or none; after Status::cancelled, deadline, runtime and model they are taken,
    /// and the next push goes on with them. Fails among others with Status::audio, limit.
    VOICEFLOW_CHECKED result<void> push(span<const float> samples) const
    {
        return push_by(vf_stream_push_f32, samples);
    }

    /// As above, with samples as 16-bit integers.
    VOICEFLOW_CHECKED result<void> push(span<const std::int16_t> samples) const
    {
        return push_by(vf_stream_push_i16, samples);
    }

    /// Takes out up to `out.size()` segments that were not read yet, and returns their number: first the
    /// final ones, each once, in the order of their end; then those that are not final, which hold until
    /// `updates` gives another number.
    [[nodiscard]] result<std::size_t> read_into(span<Segment> out) const
    {
        std::size_t count = 0;
        const vf_status status = vf_stream_read(get(), out.data(), out.size(), &count);
        return detail::finish(status, count);
    }

    /// Takes out all segments that were not read yet, in the order of `read_into`. Those that are not final
    /// are of one telling, also while another thread pushes.
    [[nodiscard]] result<std::vector<Segment>> read() const
    {
        std::vector<Segment> segments;
        std::array<Segment, 64> some{};
        std::size_t count = 0;
        std::uint64_t told = 0;
        vf_status status = vf_stream_updates(get(), &told);
        while (status == VF_OK) {
            status = vf_stream_read(get(), some.data(), some.size(), &count);
            const std::uint64_t before = told;
            if (status == VF_OK) {
                status = vf_stream_updates(get(), &told);
            }
            const std::size_t earlier = segments.size();
            segments.insert(segments.end(), some.data(), some.data() + count);
            const bool last = count < some.size();
            if (told != before) {
                // A full page may be of either telling, and more of the new one follows: what still holds of
                // it is told again by the next one.
                drop_provisional(segments, last ? earlier : segments.size());
            }
            if (last) {
                break;
            }
        }
        return detail::finish(status, std::move(segments));
    }

    /// How many times the provisional segments were replaced. Once the number has changed, segments read before that were
    /// not final hold no longer.
    [[nodiscard]] result<std::uint64_t> updates() const
    {
        std::uint64_t count = 0;
        const vf_status status = vf_stream_updates(get(), &count);
        return detail::finish(status, count);
    }

    /// Number of speakers heard so far.
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

    /// Ends the stream: all segments become final and can be read, and what was heard is clustered anew as a
    /// whole. It takes no audio until it is reset. The progress callback, see Diarizer, must not wait for a
    /// thread that pushes into this stream or resets it.
    template <class Progress = NoProgress>
    [[nodiscard]] result<Diarization> finish(Progress &&progress = Progress{}) const
    {
        return Diarization::follow(progress,
                                   [&](vf_progress_fn function, void *user_data, vf_diarization **out) {
                                       return vf_stream_finish(get(), function, user_data, out);
                                   });
    }

    /// Who each speaker of a finished stream is in the result of `finish`: a number of its speakers, -1 for
    /// nobody.
    [[nodiscard]] result<std::vector<std::int32_t>> final_speakers() const
    {
        std::vector<std::int32_t> speakers;
        const auto outcome =
            detail::read_all(speakers, [&](std::int32_t *out, std::size_t cap, std::size_t *n) {
                return vf_stream_final_speakers(get(), out, cap, n);
            });
        return detail::finish(outcome, std::move(speakers));
    }

    /// Cancels pushes and finishes in progress: they soon end with Status::cancelled. Later calls are not
    /// concerned.
    VOICEFLOW_CHECKED result<void> cancel() const { return detail::finish(vf_stream_cancel(get())); }

    /// Forgets all that was heard: the stream is as new.
    VOICEFLOW_CHECKED result<void> reset() const { return detail::finish(vf_stream_reset(get())); }

private:
    Stream(vf_stream *made, std::uint32_t channels) noexcept : Handle(made), channels_(channels) {}

    static result<Stream> create_with(const Diarizer &diarizer, const Options *options,
                                      std::uint32_t sample_rate, std::uint32_t channels)
    {
        vf_stream *made = nullptr;
        const auto outcome =
            detail::create_with(made, options, [&](const vf_options *chosen, vf_stream **out) {
                return vf_stream_create(diarizer.get(), chosen, sample_rate, channels, out);
            });
        return detail::finish(outcome, Stream(made, channels));
    }

    /// Drops those of the first `count` segments that are not final.
    static void drop_provisional(std::vector<Segment> &segments, std::size_t count)
    {
        const auto end = segments.begin() + static_cast<std::ptrdiff_t>(count);
        const auto provisional = [](const Segment &segment) { return !is_final(segment); };
        segments.erase(std::remove_if(segments.begin(), end, provisional), end);
    }

    template <class Call, class Sample>
    result<void> push_by(Call call, span<const Sample> samples) const
    {
        return detail::finish(
            detail::with_frames(samples.size(), channels_, "samples", "channels",
                                [&](std::size_t frames) { return call(get(), samples.data(), frames); }));
    }

    std::uint32_t channels_;
};

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
