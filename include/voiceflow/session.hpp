// One loaded model. Part of voiceflow.hpp.
#ifndef VOICEFLOW_SESSION_HPP
#define VOICEFLOW_SESSION_HPP

#include <voiceflow/call.hpp>
#include <voiceflow/model_info.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace voiceflow {

/// The size of what a session makes of a batch.
struct InferenceShape {
    /// Rows of audio.
    std::size_t batch = 0;
    /// Frames of the activity of each row.
    std::size_t frames = 0;
    /// Local speakers in each row.
    std::size_t speakers = 0;
    /// Numbers in one embedding.
    std::size_t embedding_dim = 0;

    /// Values of an activity, [batch, frames, speakers].
    [[nodiscard]] std::size_t activity_size() const noexcept { return batch * frames * speakers; }
    /// Values of the embeddings, [batch, speakers, embedding_dim].
    [[nodiscard]] std::size_t embedding_size() const noexcept { return batch * speakers * embedding_dim; }
};

/// What a session makes of a batch.
struct Inference {
    /// The sizes of what follows.
    InferenceShape shape;
    /// [batch, frames, speakers] probabilities, 0 to 1, that a local speaker speaks.
    std::vector<float> activity;
    /// [batch, speakers, embedding_dim] values: for each local speaker a voice of unit length, or
    /// zeros.
    std::vector<float> embedding;
};

inline namespace VOICEFLOW_STYLE {

/// One loaded model: audio in, activity and embeddings out. Most programs want a Diarizer. Its
/// const functions may be called from any threads at once.
class Session : public detail::Handle<vf_session, vf_session_destroy> {
public:
#ifndef VOICEFLOW_NO_EXCEPTIONS
    /// See `create`.
    Session() : Session(create()) {}
    /// See `create`.
    explicit Session(const Options &options) : Session(create(options)) {}
    /// See `create`.
    Session(const Options &options, const Call &call) : Session(create(options, call)) {}
#endif

    /// Loads the model in the library and checks it.
    [[nodiscard]] static result<Session> create() { return create_with(nullptr, {}); }

    /// Loads the model that the options name, and checks it. Fails among others with Status::model,
    /// not_found, runtime_not_found, provider.
    [[nodiscard]] static result<Session> create(const Options &options) { return create_with(&options, {}); }

    /// As above, under the conditions of a call.
    [[nodiscard]] static result<Session> create(const Options &options, const Call &call)
    {
        return create_with(&options, call);
    }

    /// Sizes of the model and the provider in use.
    [[nodiscard]] result<ModelInfo> describe() const { return detail::describe(get(), vf_session_describe); }

    /// Name of the model.
    [[nodiscard]] result<std::string> model_name() const
    {
        return detail::text_of(get(), vf_session_model_name);
    }

    /// Such as "0.1.0".
    [[nodiscard]] result<std::string> model_version() const
    {
        return detail::text_of(get(), vf_session_model_version);
    }

    /// 64 lower-case hexadecimal digits.
    [[nodiscard]] result<std::string> model_sha256() const
    {
        return detail::text_of(get(), vf_session_model_sha256);
    }

    /// The name of the voice space: models that state the same have voices that can be compared,
    /// and galleries that are exchangeable. Empty where the model states none.
    [[nodiscard]] result<std::string> voice_space() const
    {
        return detail::text_of(get(), vf_session_voice_space);
    }

    /// Puts another model, or other options, in the place of those of this session while it is in
    /// use, see `vf_session_reload`: calls under way end on the version that they began with. The
    /// new model has the sizes of the running one. A failure changes nothing.
    VOICEFLOW_CHECKED result<void> reload(const Options &options, const Call &call = {}) const
    {
        return detail::reload_with(get(), options, call, vf_session_reload);
    }

    /// The versions of the model that are in use, the current one first.
    [[nodiscard]] result<std::vector<ModelVersion>> versions() const
    {
        return detail::versions_of(get(), vf_session_versions);
    }

    /// The number of frames that the network makes of a row of `samples` samples, one for each
    /// whole frame step of the model: at least one step, at most 960,000 samples. No network is
    /// run.
    [[nodiscard]] result<std::size_t> frames(std::size_t samples) const
    {
        std::size_t frames = 0;
        const vf_status status = vf_session_frames(get(), samples, &frames);
        return detail::finish(status, frames);
    }

    /// The size of the answer for `batch` rows, 1 to 1,024, of `samples` samples each. Fails among
    /// others with Status::limit.
    [[nodiscard]] result<InferenceShape> shape(std::size_t batch, std::size_t samples) const
    {
        InferenceShape shape;
        const auto outcome = find_shape(batch, samples, shape);
        return detail::finish(outcome, shape);
    }

    /// Runs the network on a batch of audio.
    ///
    /// - `audio`: [batch, samples] values, row after row: mono, 16 kHz, -1 to 1, finite; read where
    ///   it lies.
    /// - `batch`: rows, 1 to 1,024.
    ///
    /// Waits while all run slots of the session are taken. Any thread, concurrently. Fails among
    /// others with Status::audio, cancelled, deadline, limit.
    [[nodiscard]] result<Inference> infer(span<const float> audio, std::size_t batch,
                                          const Call &call = {}) const
    {
        Inference inference;
        auto outcome = detail::with_frames(audio.size(), batch, "audio", "rows", [&](std::size_t samples) {
            return find_shape(batch, samples, inference.shape);
        });
        if (!outcome.failed()) {
            inference.activity.resize(inference.shape.activity_size());
            inference.embedding.resize(inference.shape.embedding_size());
            outcome = run(audio, batch, inference.activity, inference.embedding, inference.shape.frames, call);
        }
        return detail::finish(outcome, std::move(inference));
    }

    /// As `infer`, into memory of the caller's, and without allocating where `call` asks for
    /// nothing: returns the number of frames. Spans smaller than `shape` says fail with
    /// Status::buffer_too_small, and nothing is written to either.
    [[nodiscard]] result<std::size_t> infer_into(span<const float> audio, std::size_t batch,
                                                 span<float> activity, span<float> embedding,
                                                 const Call &call = {}) const
    {
        std::size_t frames = 0;
        const auto outcome = run(audio, batch, activity, embedding, frames, call);
        return detail::finish(outcome, frames);
    }

private:
    explicit Session(vf_session *made) noexcept : Handle(made) {}

    static result<Session> create_with(const Options *options, const Call &call)
    {
        return detail::create_with<vf_session>(options, call, vf_session_create,
                                               [](vf_session *made) { return Session(made); });
    }

    detail::Outcome find_shape(std::size_t batch, std::size_t samples, InferenceShape &shape) const
    {
        constexpr std::size_t most_rows = 1024;
        if (batch == 0) {
            return {VF_E_INVALID_ARGUMENT, "batch: expected at least 1, got 0"};
        }
        if (batch > most_rows) {
            return {VF_E_LIMIT, "batch: expected at most " + std::to_string(most_rows) + ", got " +
                                    std::to_string(batch)};
        }
        ModelInfo info{};
        info.size = sizeof info;
        std::size_t frames = 0;
        vf_status status = vf_session_describe(get(), &info);
        if (status == VF_OK) {
            status = vf_session_frames(get(), samples, &frames);
        }
        shape = {batch, frames, info.max_speakers, info.embedding_dim};
        return status;
    }

    detail::Outcome run(span<const float> audio, std::size_t batch, span<float> activity,
                        span<float> embedding, std::size_t &frames, const Call &call) const
    {
        return detail::with_frames(audio.size(), batch, "audio", "rows", [&](std::size_t samples) {
            return detail::under(call, [&](const vf_call *given) {
                std::size_t activity_n = 0;
                std::size_t embedding_n = 0;
                return vf_session_infer(get(), audio.data(), batch, samples, given, activity.data(),
                                        activity.size(), &activity_n, embedding.data(), embedding.size(),
                                        &embedding_n, &frames);
            });
        });
    }
};

}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
