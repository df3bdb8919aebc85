// A loaded model for whole recordings. Part of voiceflow.hpp.
#ifndef VOICEFLOW_DIARIZER_HPP
#define VOICEFLOW_DIARIZER_HPP

#include <voiceflow/call.hpp>
#include <voiceflow/diarization.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace voiceflow {
inline namespace VOICEFLOW_STYLE {

/// A loaded model with its options, for any number of recordings, from any number of threads at once.
///
/// The progress callback of a function is any callable of (Stage, float fraction) that returns nothing, or a
/// Next that may cancel the call. It is called on the thread that made the call, at least every 50 ms while
/// the call waits or its networks run, and must not use this interface. What it throws cancels the call and
/// is thrown on by it; with VOICEFLOW_NO_EXCEPTIONS it must not throw.
///
/// Functions that work on audio fail among others with Status::audio, runtime, cancelled, deadline, limit.
class Diarizer : public detail::Handle<vf_diarizer, vf_diarizer_destroy> {
public:
#ifndef VOICEFLOW_NO_EXCEPTIONS
    /// See `create`.
    Diarizer() : Diarizer(create()) {}
    /// See `create`.
    explicit Diarizer(const Options &options) : Diarizer(create(options)) {}
    /// See `create`.
    Diarizer(const Options &options, const Call &call) : Diarizer(create(options, call)) {}
#endif

    /// Loads the model in the library and makes it ready.
    [[nodiscard]] static result<Diarizer> create() { return create_with(nullptr, {}); }

    /// Loads the models that the options name. Fails among others with Status::model, not_found,
    /// runtime_not_found, provider.
    [[nodiscard]] static result<Diarizer> create(const Options &options) { return create_with(&options, {}); }

    /// As above, with a deadline or a switch for the load, which fails with Status::deadline or cancelled.
    [[nodiscard]] static result<Diarizer> create(const Options &options, const Call &call)
    {
        return create_with(&options, call);
    }

    /// Sizes of the model and the provider in use.
    [[nodiscard]] result<ModelInfo> describe() const { return detail::describe(get(), vf_diarizer_describe); }

    /// Of two public models, the names of their files without extension, joined by " + ".
    [[nodiscard]] result<std::string> model_name() const
    {
        return detail::text_of(get(), vf_diarizer_model_name);
    }

    /// Empty for two public models, which state none.
    [[nodiscard]] result<std::string> model_version() const
    {
        return detail::text_of(get(), vf_diarizer_model_version);
    }

    /// 64 lower-case hexadecimal digits.
    [[nodiscard]] result<std::string> model_sha256() const
    {
        return detail::text_of(get(), vf_diarizer_model_sha256);
    }

    /// Finds who spoke when in samples held in memory, which are read where they lie.
    ///
    /// - `samples`: [frames, channels] values, the channels of a frame side by side: -1 to 1, finite. None
    ///   give a result without segments.
    /// - `sample_rate`: in hertz, 1,000 to 768,000.
    /// - `channels`: 1 to 32; their mean is used.
    template <class Progress = NoProgress>
    [[nodiscard]] result<Diarization> process(span<const float> samples, std::uint32_t sample_rate,
                                              std::uint32_t channels = 1,
                                              Progress &&progress = Progress{}) const
    {
        return process_samples(vf_diarizer_process_f32, samples, sample_rate, channels, progress);
    }

    /// As above, with samples as 16-bit integers.
    template <class Progress = NoProgress>
    [[nodiscard]] result<Diarization> process(span<const std::int16_t> samples, std::uint32_t sample_rate,
                                              std::uint32_t channels = 1,
                                              Progress &&progress = Progress{}) const
    {
        return process_samples(vf_diarizer_process_i16, samples, sample_rate, channels, progress);
    }

    /// As above, with one channel.
    template <class Progress, class = detail::IfProgress<Progress>>
    [[nodiscard]] result<Diarization> process(span<const float> samples, std::uint32_t sample_rate,
                                              Progress &&progress) const
    {
        return process(samples, sample_rate, 1, progress);
    }

    /// As above, with one channel.
    template <class Progress, class = detail::IfProgress<Progress>>
    [[nodiscard]] result<Diarization> process(span<const std::int16_t> samples, std::uint32_t sample_rate,
                                              Progress &&progress) const
    {
        return process(samples, sample_rate, 1, progress);
    }

    /// Finds who spoke when in an audio file: WAV, FLAC, MP3, Ogg Vorbis, AAC or MP4, of any sample rate and
    /// channels.
    template <class Progress = NoProgress>
    [[nodiscard]] result<Diarization> process_file(const Text &path, Progress &&progress = Progress{}) const
    {
        return Diarization::follow(
            progress, [&](vf_progress_fn function, void *user_data, vf_diarization **out) {
                return path.with("path", [&](const char *text) {
                    return vf_diarizer_process_file(get(), text, function, user_data, out);
                });
            });
    }

private:
    explicit Diarizer(vf_diarizer *made) noexcept : Handle(made) {}

    static result<Diarizer> create_with(const Options *options, const Call &call)
    {
        vf_diarizer *made = nullptr;
        const auto outcome = detail::create_with(made, options, call, vf_diarizer_create);
        return detail::finish(outcome, Diarizer(made));
    }

    template <class Call, class Sample, class Progress>
    result<Diarization> process_samples(Call call, span<const Sample> samples, std::uint32_t sample_rate,
                                        std::uint32_t channels, Progress &progress) const
    {
        return Diarization::follow(
            progress, [&](vf_progress_fn function, void *user_data, vf_diarization **out) {
                return detail::with_frames(samples.size(), channels, "samples", "channels",
                                           [&](std::size_t frames) {
                                               return call(get(), samples.data(), frames, sample_rate,
                                                           channels, function, user_data, out);
                                           });
            });
    }
};

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
