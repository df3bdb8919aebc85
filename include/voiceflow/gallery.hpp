// Known voices. Part of voiceflow.hpp.
#ifndef VOICEFLOW_GALLERY_HPP
#define VOICEFLOW_GALLERY_HPP

#include <voiceflow/diarizer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace voiceflow {

/// Whose voice a speaker or an embedding has.
struct Identity {
    /// The name of the known voice; empty for a stranger.
    std::string name;
    /// Similarity, -1 to 1, to that voice; of a stranger to the most similar one, -1 where nobody
    /// is enrolled.
    float score = -1.0F;
};

inline namespace VOICEFLOW_STYLE {

/// Enrolled speakers with their names, for one model. A lock of its own guards it: any thread,
/// concurrently.
class Gallery : public detail::Handle<vf_gallery, vf_gallery_destroy> {
public:
#ifndef VOICEFLOW_NO_EXCEPTIONS
    /// See `create`.
    explicit Gallery(const Diarizer &diarizer) : Gallery(create(diarizer)) {}
    /// See `load`.
    Gallery(const Diarizer &diarizer, const Text &path) : Gallery(load(diarizer, path)) {}
#endif

    /// A gallery without any voice, for the diarizer's model. It does not keep the diarizer.
    [[nodiscard]] static result<Gallery> create(const Diarizer &diarizer)
    {
        vf_gallery *made = nullptr;
        const auto outcome = detail::create_checked(
            made, [&](vf_gallery **out) { return vf_gallery_create(diarizer.get(), out); });
        return detail::finish(outcome, Gallery(made));
    }

    /// Reads a gallery from a file that `save` wrote. Fails among others with Status::not_found,
    /// and with Status::gallery for a file that is none, is damaged, or belongs to another model.
    [[nodiscard]] static result<Gallery> load(const Diarizer &diarizer, const Text &path)
    {
        vf_gallery *made = nullptr;
        const auto outcome = path.with("path", [&](const char *text) {
            return detail::create_checked(
                made, [&](vf_gallery **out) { return vf_gallery_load(diarizer.get(), text, out); });
        });
        return detail::finish(outcome, Gallery(made));
    }

    /// Writes the gallery to a file, in place of an older one, whole or not at all. It holds
    /// voices, which are personal data. Fails among others with Status::io.
    VOICEFLOW_CHECKED result<void> save(const Text &path) const
    {
        return detail::finish(
            path.with("path", [&](const char *text) { return vf_gallery_save(get(), text); }));
    }

    // NOLINTBEGIN(modernize-use-nodiscard): who enrolls need not look at what was found.

    /// Enrolls a speaker by an audio file of at least 3 s of speech, better 20 s, in which nobody
    /// else speaks for more than 15 % of the speech. A name may have several recordings: its voice
    /// is their mean. What was found in the recording is returned, with its warnings.
    ///
    /// - `name`: 1 to 256 bytes, without white space around it or control characters, and not of
    ///   the form "SPEAKER_00".
    ///
    /// Fails among others with Status::audio (too little speech, more than one speaker), cancelled,
    /// deadline, and with Status::gallery for a diarizer with another model.
    VOICEFLOW_CHECKED result<Diarization> enroll_file(const Diarizer &diarizer, const Text &name, const Text &path,
                                                      const Call &call = {}) const
    {
        return enroll(name, call, [&](const char *speaker, const vf_call *given, vf_diarization **out) {
            return path.with("path", [&](const char *text) {
                return vf_gallery_enroll_file(get(), diarizer.get(), speaker, text, given, out);
            });
        });
    }

    /// As `enroll_file`, by the content of an audio file that is held in memory.
    VOICEFLOW_CHECKED result<Diarization> enroll_encoded(const Diarizer &diarizer, const Text &name,
                                                         span<const std::uint8_t> bytes, const Call &call = {}) const
    {
        return enroll(name, call, [&](const char *speaker, const vf_call *given, vf_diarization **out) {
            return vf_gallery_enroll_encoded(get(), diarizer.get(), speaker, bytes.data(), bytes.size(), given, out);
        });
    }

    /// As `enroll_file`, by what a stream holds: see Diarizer::process_stream.
    VOICEFLOW_CHECKED result<Diarization> enroll_stream(const Diarizer &diarizer, const Text &name,
                                                        std::istream &stream, const Call &call = {}) const
    {
        detail::StreamSource source(stream);
        return enroll(name, call, [&](const char *speaker, const vf_call *given, vf_diarization **out) {
            const vf_status status =
                vf_gallery_enroll_source(get(), diarizer.get(), speaker, source.get(), given, out);
            source.rethrow();
            return status;
        });
    }

    /// As `enroll_file`, by samples held in memory: see Diarizer::process.
    VOICEFLOW_CHECKED result<Diarization> enroll_samples(const Diarizer &diarizer, const Text &name,
                                                         span<const float> samples, std::uint32_t sample_rate,
                                                         std::uint32_t channels = 1, const Call &call = {}) const
    {
        return enroll(name, call, [&](const char *speaker, const vf_call *given, vf_diarization **out) {
            return detail::with_frames(
                samples.size(), channels, "samples", "channels", [&](std::size_t frames) {
                    return vf_gallery_enroll_f32(get(), diarizer.get(), speaker, samples.data(), frames,
                                                 sample_rate, channels, given, out);
                });
        });
    }

    /// As above, with one channel.
    VOICEFLOW_CHECKED result<Diarization> enroll_samples(const Diarizer &diarizer, const Text &name,
                                                         span<const float> samples, std::uint32_t sample_rate,
                                                         const Call &call) const
    {
        return enroll_samples(diarizer, name, samples, sample_rate, 1, call);
    }

    // NOLINTEND(modernize-use-nodiscard)

    /// Enrolls a speaker by an embedding of the gallery's model, such as that of a diarization's
    /// speaker, made of so much speech: more than 0, its weight beside the name's others.
    VOICEFLOW_CHECKED result<void> enroll_embedding(const Text &name, span<const float> embedding,
                                                    Seconds speech) const
    {
        return detail::finish(name.with("name", [&](const char *speaker) {
            return vf_gallery_enroll_embedding(get(), speaker, embedding.data(), embedding.size(),
                                               speech.count());
        }));
    }

    /// Removes a speaker. The voices behind move up by one.
    VOICEFLOW_CHECKED result<void> remove(const Text &name) const
    {
        return detail::finish(
            name.with("name", [&](const char *speaker) { return vf_gallery_remove(get(), speaker); }));
    }

    /// Number of known voices, at most 100,000.
    [[nodiscard]] result<std::size_t> count() const
    {
        std::size_t count = 0;
        const vf_status status = vf_gallery_count(get(), &count);
        return detail::finish(status, count);
    }

    /// The name of a known voice, 0 to the count less 1, in the order in which names were first
    /// enrolled.
    [[nodiscard]] result<std::string> name(std::int32_t index) const
    {
        std::string name;
        const auto outcome = read_name(index, name);
        return detail::finish(outcome, std::move(name));
    }

    /// The similarity from which a voice is taken for a known one, as the model was tuned.
    [[nodiscard]] result<float> threshold() const
    {
        float value = 0.0F;
        const detail::Outcome outcome = vf_gallery_threshold(get(), &value);
        return detail::finish(outcome, value);
    }

    /// Whose voice an embedding of the gallery's model is: the most similar known voice, from the
    /// threshold on, which is a cosine similarity, -1 to 1; that of the model where none is given.
    [[nodiscard]] result<Identity> identify(span<const float> embedding,
                                            std::optional<float> threshold = std::nullopt) const
    {
        Identity identity;
        float least = 0.0F;
        detail::Outcome outcome = chosen(threshold, least);
        if (!outcome.failed()) {
            outcome = detail::read_text(identity.name, [&](char *out, std::size_t cap, std::size_t *n) {
                return vf_gallery_identify(get(), embedding.data(), embedding.size(), least, out, cap, n,
                                           &identity.score);
            });
        }
        return detail::finish(outcome, std::move(identity));
    }

    /// Who the speakers of a result are, each somebody else: one identity for each speaker. Names
    /// are right also while other threads enroll and remove speakers.
    [[nodiscard]] result<std::vector<Identity>> identify(const Diarization &diarization,
                                                         std::optional<float> threshold = std::nullopt) const
    {
        std::vector<Identity> identities;
        bool settled = false;
        float least = 0.0F;
        detail::Outcome outcome = chosen(threshold, least);
        while (!settled && !outcome.failed()) {
            outcome = try_identify(diarization, least, identities, settled);
        }
        return detail::finish(outcome, std::move(identities));
    }

private:
    explicit Gallery(vf_gallery *made) noexcept : Handle(made) {}

    /// The threshold given, else the model's.
    detail::Outcome chosen(std::optional<float> given, float &least) const
    {
        least = given.value_or(0.0F);
        return given ? VF_OK : vf_gallery_threshold(get(), &least);
    }

    detail::Outcome read_name(std::int32_t index, std::string &name) const
    {
        return detail::read_text(name, [&](char *out, std::size_t cap, std::size_t *n) {
            return vf_gallery_name(get(), index, out, cap, n);
        });
    }

    /// The names by the numbers of their voices; short of those that a remove leaves without one
    /// meanwhile.
    detail::Outcome read_names(std::vector<std::string> &names) const
    {
        std::size_t count = 0;
        const vf_status status = vf_gallery_count(get(), &count);
        names.resize(count);
        for (std::size_t index = 0; index < names.size(); ++index) {
            if (read_name(static_cast<std::int32_t>(index), names[index]).failed()) {
                names.resize(index);
            }
        }
        return status;
    }

    /// Names speakers, and says whether nobody was removed meanwhile, who would have moved the
    /// numbers of others: a name's number only falls, unless it is enrolled anew, so that one that
    /// is the same before and after was it throughout.
    detail::Outcome try_identify(const Diarization &diarization, float threshold,
                                 std::vector<Identity> &identities, bool &settled) const
    {
        std::vector<std::string> names;
        if (auto outcome = read_names(names); outcome.failed()) {
            return outcome;
        }
        std::vector<std::int32_t> voices;
        std::vector<float> scores;
        auto outcome = detail::read_all(voices, [&](std::int32_t *out, std::size_t cap, std::size_t *n) {
            scores.resize(cap);
            return vf_gallery_identify_diarization(get(), diarization.get(), threshold, out, scores.data(),
                                                   cap, n);
        });
        identities.assign(voices.size(), Identity{});
        settled = true;
        for (std::size_t speaker = 0; speaker < voices.size(); ++speaker) {
            Identity &identity = identities[speaker];
            identity.score = scores[speaker];
            if (voices[speaker] >= 0) {
                const auto voice = static_cast<std::size_t>(voices[speaker]);
                const bool named = !read_name(voices[speaker], identity.name).failed();
                settled = settled && named && voice < names.size() && names[voice] == identity.name;
            }
        }
        return outcome;
    }

    template <class Work>
    static result<Diarization> enroll(const Text &name, const Call &call, Work work)
    {
        return Diarization::under(call, [&](const vf_call *given, vf_diarization **out) {
            return name.with("name", [&](const char *speaker) -> detail::Outcome {
                return work(speaker, given, out);
            });
        });
    }
};

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
