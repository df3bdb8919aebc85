// A result: who spoke when in one recording. Part of voiceflow.hpp.
#ifndef VOICEFLOW_DIARIZATION_HPP
#define VOICEFLOW_DIARIZATION_HPP

#include <voiceflow/model_info.hpp>
#include <voiceflow/call.hpp>
#include <voiceflow/span.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace voiceflow {

/// A stretch of time in which one speaker talks, as in C: `start_s`, `end_s`, `speaker`,
/// `confidence`, `flags`.
using Segment = vf_segment;

static_assert(std::is_trivially_copyable_v<Segment> && std::is_standard_layout_v<Segment>);
static_assert(sizeof(Segment) == 32 && alignof(Segment) == 8);
static_assert(offsetof(Segment, start_s) == 0 && offsetof(Segment, end_s) == 8);
static_assert(offsetof(Segment, speaker) == 16 && offsetof(Segment, confidence) == 20);
static_assert(offsetof(Segment, flags) == 24 && offsetof(Segment, reserved) == 28);

/// Whether another speaker talks during some part of the segment.
[[nodiscard]] constexpr bool has_overlap(const Segment &segment) noexcept
{
    return (segment.flags & std::uint32_t{VF_SEGMENT_OVERLAP}) != 0;
}

/// Whether a segment never changes again, as those of a result never do.
[[nodiscard]] constexpr bool is_final(const Segment &segment) noexcept
{
    return (segment.flags & std::uint32_t{VF_SEGMENT_FINAL}) != 0;
}

/// What a warning of a result is about; later releases may have others.
enum class WarningCode : std::int32_t {
    skipped_bytes = VF_WARNING_SKIPPED_BYTES,
    lost_audio = VF_WARNING_LOST_AUDIO,
    ends_early = VF_WARNING_ENDS_EARLY,
    inverted_channels = VF_WARNING_INVERTED_CHANNELS,
    chosen_track = VF_WARNING_CHOSEN_TRACK,
    skipped_track = VF_WARNING_SKIPPED_TRACK,
    unfollowed_edit = VF_WARNING_UNFOLLOWED_EDIT,
};

/// Something about a recording with which its result should be read.
struct Warning {
    WarningCode code; ///< What it is about.
    Seconds time; ///< Where in the recording it is.
    std::string text; ///< What there is to say, in English.
};

/// Whether a text holds voice embeddings.
enum class Embeddings { omitted, included };

inline namespace VOICEFLOW_STYLE {

/// Who spoke when in one recording. It never changes, and needs nothing of what made it. Any
/// thread, concurrently.
///
/// A `speaker` that is not 0 to the speaker count less 1 fails with Status::invalid_argument.
class Diarization : public detail::Handle<vf_diarization, vf_diarization_destroy> {
public:
    /// A result of its parts, such as one that was kept in a file: segments by start, then end,
    /// then speaker, and the embeddings of `n_speakers` speakers one after another, as many values
    /// each as the model's embeddings have, or none. Labels and speaking times are made anew.
    [[nodiscard]] static result<Diarization> create(Seconds duration, span<const Segment> segments,
                                                    span<const float> embeddings, std::size_t n_speakers)
    {
        vf_diarization *made = nullptr;
        const auto outcome = detail::create_checked(made, [&](vf_diarization **out) {
            return detail::with_frames(
                embeddings.size(), n_speakers, "embeddings", "speakers", [&](std::size_t dim) -> detail::Outcome {
                    return vf_diarization_create(duration.count(), segments.data(), segments.size(),
                                                 embeddings.data(), n_speakers, dim, out);
                });
        });
        return detail::finish(outcome, Diarization(made));
    }

    /// Length of the recording.
    [[nodiscard]] result<Seconds> duration() const
    {
        double seconds = 0;
        const vf_status status = vf_diarization_duration(get(), &seconds);
        return detail::finish(status, Seconds(seconds));
    }

    /// Number of segments.
    [[nodiscard]] result<std::size_t> segment_count() const
    {
        std::size_t count = 0;
        const vf_status status = vf_diarization_segment_count(get(), &count);
        return detail::finish(status, count);
    }

    /// All segments, by start, then end, then speaker.
    [[nodiscard]] result<std::vector<Segment>> segments() const
    {
        std::vector<Segment> segments;
        const auto outcome = detail::read_all(segments, [&](Segment *out, std::size_t cap, std::size_t *n) {
            return vf_diarization_segments(get(), out, cap, n);
        });
        return detail::finish(outcome, std::move(segments));
    }

    /// Number of speakers, at most 100; 0 for a recording without speech.
    [[nodiscard]] result<std::size_t> speaker_count() const
    {
        std::size_t count = 0;
        const vf_status status = vf_diarization_speaker_count(get(), &count);
        return detail::finish(status, count);
    }

    /// "SPEAKER_00", "SPEAKER_01", and so on, in the order of first appearance.
    [[nodiscard]] result<std::string> speaker_label(std::int32_t speaker) const
    {
        std::string label;
        const auto outcome = detail::read_text(label, [&](char *out, std::size_t cap, std::size_t *n) {
            return vf_diarization_speaker_label(get(), speaker, out, cap, n);
        });
        return detail::finish(outcome, std::move(label));
    }

    /// A speaker's total speaking time.
    [[nodiscard]] result<Seconds> speaker_speech(std::int32_t speaker) const
    {
        double seconds = 0;
        const vf_status status = vf_diarization_speaker_speech(get(), speaker, &seconds);
        return detail::finish(status, Seconds(seconds));
    }

    /// A speaker's voice: the model's `embedding_dim` values, a vector of unit length.
    [[nodiscard]] result<std::vector<float>> speaker_embedding(std::int32_t speaker) const
    {
        std::vector<float> values;
        const auto outcome = detail::read_all(values, [&](float *out, std::size_t cap, std::size_t *n) {
            return vf_diarization_speaker_embedding(get(), speaker, out, cap, n);
        });
        return detail::finish(outcome, std::move(values));
    }

    /// Number of warnings, at most 100.
    [[nodiscard]] result<std::size_t> warning_count() const
    {
        std::size_t count = 0;
        const vf_status status = vf_diarization_warning_count(get(), &count);
        return detail::finish(status, count);
    }

    /// What was skipped in the recording, what is missing, or what was chosen. An `index` that is
    /// not 0 to the warning count less 1 fails with Status::invalid_argument.
    [[nodiscard]] result<Warning> warning(std::size_t index) const
    {
        std::int32_t code = 0;
        double seconds = 0;
        std::string text;
        const auto outcome = detail::read_text(text, [&](char *out, std::size_t cap, std::size_t *n) {
            return vf_diarization_warning(get(), index, &code, &seconds, out, cap, n);
        });
        Warning warning{static_cast<WarningCode>(code), Seconds(seconds), std::move(text)};
        return detail::finish(outcome, std::move(warning));
    }

    /// The result as RTTM, one line for each segment; white space in the recording's name becomes
    /// "_".
    [[nodiscard]] result<std::string> to_rttm(const Text &recording) const
    {
        return write(recording, vf_diarization_to_rttm);
    }

    /// The result as JSON: the recording, its speakers, and the segments. `Embeddings::included`
    /// adds the speakers' embeddings, which are biometric data.
    [[nodiscard]] result<std::string> to_json(const Text &recording,
                                              Embeddings embeddings = Embeddings::omitted) const
    {
        const auto call = [embeddings](const vf_diarization *diarization, const char *name, char *out,
                                       std::size_t cap, std::size_t *n) {
            return vf_diarization_to_json(diarization, name, embeddings == Embeddings::included ? 1 : 0, out,
                                          cap, n);
        };
        return write(recording, call);
    }

    /// The result as SubRip subtitles, one cue with the speaker's label for each segment.
    [[nodiscard]] result<std::string> to_srt() const { return detail::text_of(get(), vf_diarization_to_srt); }

    /// WebVTT subtitles, one cue for each segment, with the speaker's label as its voice and its
    /// text.
    [[nodiscard]] result<std::string> to_vtt() const { return detail::text_of(get(), vf_diarization_to_vtt); }

private:
    friend class Diarizer;
    friend class Gallery;
    friend class Stream;
    explicit Diarization(vf_diarization *made) noexcept : Handle(made) {}

    /// The result of a call under its conditions.
    template <class Work>
    static result<Diarization> under(const Call &call, Work work)
    {
        vf_diarization *made = nullptr;
        detail::Conditions conditions(call);
        const detail::Outcome outcome =
            conditions.run([&](const vf_call *given) { return work(given, &made); });
        Diarization diarization(made);
        conditions.rethrow();
        return detail::finish(outcome, std::move(diarization));
    }

    template <class Write>
    [[nodiscard]] result<std::string> write(const Text &recording, Write call) const
    {
        std::string text;
        const auto outcome = recording.with("recording", [&](const char *name) {
            return detail::read_text(text, [&](char *out, std::size_t cap, std::size_t *n) {
                return call(get(), name, out, cap, n);
            });
        });
        return detail::finish(outcome, std::move(text));
    }
};

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
