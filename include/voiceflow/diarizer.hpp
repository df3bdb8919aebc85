// A loaded model for whole recordings. Part of voiceflow.hpp.
#ifndef VOICEFLOW_DIARIZER_HPP
#define VOICEFLOW_DIARIZER_HPP

#include <voiceflow/call.hpp>
#include <voiceflow/diarization.hpp>
#include <voiceflow/source.hpp>

#include <cstddef>
#include <cstdint>
#include <istream>
#include <string>
#include <utility>
#include <vector>

namespace voiceflow {
inline namespace VOICEFLOW_STYLE {

/// A loaded model with its options, for any number of recordings, from any number of threads at
/// once.
///
/// Functions that work on audio fail among others with Status::audio, runtime, cancelled, deadline,
/// limit.
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

    /// As above, under the conditions of a call.
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

    /// The name of the voice space: models that state the same have voices that can be compared,
    /// and galleries that are exchangeable. Empty where the model states none.
    [[nodiscard]] result<std::string> voice_space() const
    {
        return detail::text_of(get(), vf_diarizer_voice_space);
    }

    /// Puts another model, or other options, in the place of those of this diarizer while it is in
    /// use, see `vf_diarizer_reload`: calls and streams under way end on the version that they
    /// began with. A failure changes nothing.
    VOICEFLOW_CHECKED result<void> reload(const Options &options, const Call &call = {}) const
    {
        return detail::reload_with(get(), options, call, vf_diarizer_reload);
    }

    /// The versions of the model that are in use, the current one first.
    [[nodiscard]] result<std::vector<ModelVersion>> versions() const
    {
        return detail::versions_of(get(), vf_diarizer_versions);
    }

    /// Finds who spoke when in samples held in memory, which are read where they lie.
    ///
    /// - `samples`: [frames, channels] values, the channels of a frame side by side: -1 to 1,
    ///   finite. None give a result without segments.
    /// - `sample_rate`: in hertz, 1,000 to 768,000.
    /// - `channels`: 1 to 32; their mean is used.
    [[nodiscard]] result<Diarization> process(span<const float> samples, std::uint32_t sample_rate,
                                              std::uint32_t channels = 1, const Call &call = {}) const
    {
        return process_samples(vf_diarizer_process_f32, samples, sample_rate, channels, call);
    }

    /// As above, with samples as 16-bit integers.
    [[nodiscard]] result<Diarization> process(span<const std::int16_t> samples, std::uint32_t sample_rate,
                                              std::uint32_t channels = 1, const Call &call = {}) const
    {
        return process_samples(vf_diarizer_process_i16, samples, sample_rate, channels, call);
    }

    /// As above, with one channel.
    [[nodiscard]] result<Diarization> process(span<const float> samples, std::uint32_t sample_rate,
                                              const Call &call) const
    {
        return process(samples, sample_rate, 1, call);
    }

    /// As above, with one channel.
    [[nodiscard]] result<Diarization> process(span<const std::int16_t> samples, std::uint32_t sample_rate,
                                              const Call &call) const
    {
        return process(samples, sample_rate, 1, call);
    }

    /// Finds who spoke when in an audio file: WAV, FLAC, MP3, AAC, Opus, Vorbis and the others of
    /// docs/AUDIO.md, of any sample rate and channels.
    [[nodiscard]] result<Diarization> process_file(const Text &path, const Call &call = {}) const
    {
        return Diarization::under(call, [&](const vf_call *given, vf_diarization **out) {
            return path.with("path", [&](const char *text) {
                return vf_diarizer_process_file(get(), text, given, out);
            });
        });
    }

    /// Finds who spoke when in the content of an audio file that is held in memory, of any format
    /// that `process_file` takes.
    [[nodiscard]] result<Diarization> process_encoded(span<const std::uint8_t> bytes,
                                                      const Call &call = {}) const
    {
        return Diarization::under(call, [&](const vf_call *given, vf_diarization **out) {
            return vf_diarizer_process_encoded(get(), bytes.data(), bytes.size(), given, out);
        });
    }

    /// Finds who spoke when in encoded audio that a stream holds behind its position, of any format
    /// that `process_file` takes: a file opened with `std::ios::binary`, a pipe, a string.
    ///
    /// A stream that cannot seek is read to its end first, see `vf_source`. Switch and deadline of
    /// the call are looked at between reads. What the stream throws is thrown when the call has
    /// ended.
    [[nodiscard]] result<Diarization> process_stream(std::istream &stream, const Call &call = {}) const
    {
        detail::StreamSource source(stream);
        return Diarization::under(call, [&](const vf_call *given, vf_diarization **out) {
            const vf_status status = vf_diarizer_process_source(get(), source.get(), given, out);
            // There is no result then.
            source.rethrow();
            return status;
        });
    }

private:
    explicit Diarizer(vf_diarizer *made) noexcept : Handle(made) {}

    static result<Diarizer> create_with(const Options *options, const Call &call)
    {
        return detail::create_with<vf_diarizer>(options, call, vf_diarizer_create,
                                                [](vf_diarizer *made) { return Diarizer(made); });
    }

    template <class Function, class Sample>
    result<Diarization> process_samples(Function function, span<const Sample> samples,
                                        std::uint32_t sample_rate, std::uint32_t channels,
                                        const Call &call) const
    {
        return Diarization::under(call, [&](const vf_call *given, vf_diarization **out) {
            return detail::with_frames(samples.size(), channels, "samples", "channels",
                                       [&](std::size_t frames) {
                                           return function(get(), samples.data(), frames, sample_rate,
                                                           channels, given, out);
                                       });
        });
    }
};

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
