// What a session, a diarizer or a stream is made with. Part of voiceflow.hpp.
#ifndef VOICEFLOW_OPTIONS_HPP
#define VOICEFLOW_OPTIONS_HPP

#include <voiceflow/choices.hpp>
#include <voiceflow/handle.hpp>
#include <voiceflow/span.hpp>
#include <voiceflow/text.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace voiceflow {

/// Seconds with a fraction. Any std::chrono duration becomes one.
using Seconds = std::chrono::duration<double>;

inline namespace VOICEFLOW_STYLE {

/// Options to be filled and given to a session, a diarizer or a stream, which copies them. One
/// thread at a time.
///
/// Values are checked when they are set: one outside its range fails with Status::invalid_argument
/// and changes nothing. 0 means 0. Setters are chained:
/// `auto o = Options().set_threads(2).set_num_speakers(3)`; with VOICEFLOW_NO_EXCEPTIONS each
/// returns an `expected<void>` instead. voiceflow.h says more about each under the same name.
class Options : public detail::Handle<vf_options, vf_options_destroy> {
public:
#ifdef VOICEFLOW_NO_EXCEPTIONS
    /// What setters return.
    using Chain = expected<void>;
#else
    /// What setters return; on options without a name, as `Options()` are, these options by value.
    using Chain = Options &;

    /// Options with every value at its default.
    Options() : Options(create()) {}
#endif

    /// Options with every value at its default.
    [[nodiscard]] static result<Options> create()
    {
        vf_options *made = nullptr;
        const auto outcome = detail::create_checked(made, vf_options_create);
        return detail::finish(outcome, Options(made));
    }

    /// Takes the model from an ONNX file. Default: the models in the library.
    VOICEFLOW_CHECKED Chain set_model_path(const Text &path) &
    {
        return chain(
            path.with("path", [&](const char *text) { return vf_options_set_model_path(get(), text); }));
    }

    /// Takes the model from the bytes of an ONNX file, 1 to 2,147,483,647 of them; copied. Default:
    /// the models in the library.
    VOICEFLOW_CHECKED Chain set_model_memory(span<const std::uint8_t> data) &
    {
        return chain(vf_options_set_model_memory(get(), data.data(), data.size()));
    }

    /// Takes a segmentation model from an ONNX file in the manner of pyannote's, for a diarizer.
    /// Default: none.
    VOICEFLOW_CHECKED Chain set_segmentation_model(const Text &path) &
    {
        return chain(path.with(
            "path", [&](const char *text) { return vf_options_set_segmentation_model(get(), text); }));
    }

    /// Takes the segmentation model from the bytes of an ONNX file; copied. Default: none.
    VOICEFLOW_CHECKED Chain set_segmentation_model_memory(span<const std::uint8_t> data) &
    {
        return chain(vf_options_set_segmentation_model_memory(get(), data.data(), data.size()));
    }

    /// Sets what one frame of a segmentation model sees, for a file that does not say: `size`
    /// samples, 1 to 160,000, and `step` samples from one frame to the next, 1 to `size`.
    VOICEFLOW_CHECKED Chain set_segmentation_receptive_field(std::size_t size, std::size_t step) &
    {
        return chain(vf_options_set_segmentation_receptive_field(get(), size, step));
    }

    /// Takes a speaker embedding model from an ONNX file of the WeSpeaker, 3D-Speaker or NeMo
    /// family, for a diarizer. Default: none.
    VOICEFLOW_CHECKED Chain set_embedding_model(const Text &path) &
    {
        return chain(
            path.with("path", [&](const char *text) { return vf_options_set_embedding_model(get(), text); }));
    }

    /// Takes the speaker embedding model from the bytes of an ONNX file; copied. Default: none.
    VOICEFLOW_CHECKED Chain set_embedding_model_memory(span<const std::uint8_t> data) &
    {
        return chain(vf_options_set_embedding_model_memory(get(), data.data(), data.size()));
    }

    /// Sets the family of an embedding model that does not say. Default: automatic.
    VOICEFLOW_CHECKED Chain set_embedding_family(EmbeddingFamily family) &
    {
        return chain(vf_options_set_embedding_family(get(), static_cast<std::int32_t>(family)));
    }

    /// Chooses the features that the embedding model is given. Default: trained.
    VOICEFLOW_CHECKED Chain set_frontend(Frontend frontend) &
    {
        return chain(vf_options_set_frontend(get(), static_cast<std::int32_t>(frontend)));
    }

    /// Loads ONNX Runtime from this file. The first session of the process decides. Default: what
    /// the environment variables VOICEFLOW_ORT_LIBRARY and ORT_DYLIB_PATH name, else the folder of
    /// the library, else the system's.
    VOICEFLOW_CHECKED Chain set_runtime_library(const Text &path) &
    {
        return chain(
            path.with("path", [&](const char *text) { return vf_options_set_runtime_library(get(), text); }));
    }

    /// Whether ONNX Runtime may use its telemetry, which writes below the home folder and sends
    /// data to Microsoft. The first session of the process decides; a later one that asks for the
    /// other is refused. Default: off.
    VOICEFLOW_CHECKED Chain set_telemetry(bool allowed) &
    {
        return chain(vf_options_set_telemetry(get(), allowed ? 1 : 0));
    }

    /// Chooses the hardware that runs the network. Default: automatic, preferred.
    VOICEFLOW_CHECKED Chain set_provider(Provider provider, ProviderPolicy policy) &
    {
        return chain(vf_options_set_provider(get(), static_cast<std::int32_t>(provider),
                                             static_cast<std::int32_t>(policy)));
    }

    /// Chooses the GPU, 0 to 63. Default 0.
    VOICEFLOW_CHECKED Chain set_device_id(std::int32_t device_id) &
    {
        return chain(vf_options_set_device_id(get(), device_id));
    }

    /// Sets the most memory in bytes that ONNX Runtime takes on a GPU for one run slot, 1 MiB to 1
    /// TiB. Without effect on the CPU. Default 0: no limit.
    VOICEFLOW_CHECKED Chain set_device_memory_limit(std::uint64_t bytes) &
    {
        return chain(vf_options_set_device_memory_limit(get(), bytes));
    }

    /// Keeps models in a folder as ONNX Runtime has optimised them for this processor, so that they
    /// load faster the next time. Whoever can write to it decides what runs. Default: none, and
    /// nothing is written.
    VOICEFLOW_CHECKED Chain set_cache_folder(const Text &folder) &
    {
        return chain(
            folder.with("folder", [&](const char *text) { return vf_options_set_cache_folder(get(), text); }));
    }

    /// Sets the number of threads that work for one call, 0 to 256. Default 0: one for each
    /// physical core.
    VOICEFLOW_CHECKED Chain set_threads(std::size_t threads) &
    {
        return chain(vf_options_set_threads(get(), threads));
    }

    /// Sets how many runs of the network may be under way at once in one session, 1 to 64.
    /// Default 1.
    VOICEFLOW_CHECKED Chain set_slots(std::size_t slots) &
    {
        return chain(vf_options_set_slots(get(), slots));
    }

    /// Sets how many windows a diarizer gives the network at once, at most: 1 to 1,024. Default 8.
    VOICEFLOW_CHECKED Chain set_batch(std::size_t batch) &
    {
        return chain(vf_options_set_batch(get(), batch));
    }

    /// Asks for exactly this many speakers, 1 to 100, where a Call asks for no number. Default: the
    /// voices decide.
    VOICEFLOW_CHECKED Chain set_num_speakers(std::size_t count) &
    {
        return chain(vf_options_set_num_speakers(get(), count));
    }

    /// Asks for at least `min`, 0 to 100, and at most `max` speakers, 1 to 100. Default 0 and 100.
    VOICEFLOW_CHECKED Chain set_speaker_range(std::size_t min, std::size_t max) &
    {
        return chain(vf_options_set_speaker_range(get(), min, max));
    }

    /// Sets the time from the start of one window to the next, 0.1 to 60 s and at most the model's
    /// window. Default: stored in the model; 1.75 s for two public models.
    VOICEFLOW_CHECKED Chain set_hop(Seconds hop) & { return chain(vf_options_set_hop_s(get(), hop.count())); }

    /// Chooses how voices are clustered into speakers. Default: automatic, what the model was tuned
    /// with.
    VOICEFLOW_CHECKED Chain set_clustering_method(Clustering method) &
    {
        return chain(vf_options_set_clustering_method(get(), static_cast<std::int32_t>(method)));
    }

    /// Sets the distance, 0 to 2, under which two clusters of voices are one speaker; lower finds
    /// more speakers. Default: stored in the model, else that of the clustering method.
    VOICEFLOW_CHECKED Chain set_clustering_threshold(float threshold) &
    {
        return chain(vf_options_set_clustering_threshold(get(), threshold));
    }

    /// Sets the fewest windows, 1 to 1,000, that a speaker of centroid clustering has. Default: as
    /// many as begin in 12 s.
    VOICEFLOW_CHECKED Chain set_min_cluster_size(std::size_t windows) &
    {
        return chain(vf_options_set_min_cluster_size(get(), windows));
    }

    /// Takes the models of a bundle: fast-cnn or accurate, which are compiled in; a folder, or its
    /// name in $VOICEFLOW_MODELS, in .models or beside the library. Options that are not set are
    /// what it was tuned to. Default: none.
    VOICEFLOW_CHECKED Chain set_bundle(const Text &bundle) &
    {
        return chain(
            bundle.with("bundle", [&](const char *text) { return vf_options_set_bundle(get(), text); }));
    }

    /// Sets the folder with the PLDA for Clustering::vbx: `xvec_transform.npz` and `plda.npz`.
    /// Default: none.
    VOICEFLOW_CHECKED Chain set_plda(const Text &folder) &
    {
        return chain(
            folder.with("folder", [&](const char *text) { return vf_options_set_plda(get(), text); }));
    }

    /// Drops segments that are shorter than this, 0 to 60 s. Default: stored in the model, 0.2 s in
    /// fast-cnn and accurate; 0 for two public models.
    VOICEFLOW_CHECKED Chain set_min_speech(Seconds shortest) &
    {
        return chain(vf_options_set_min_speech_s(get(), shortest.count()));
    }

    /// Fills pauses of one speaker that are shorter than this, 0 to 60 s. Default 0: none.
    VOICEFLOW_CHECKED Chain set_min_silence(Seconds shortest) &
    {
        return chain(vf_options_set_min_silence_s(get(), shortest.count()));
    }

    /// Sets the longest delay until what a stream says of a moment becomes final, 0.5 to 5 s.
    /// Default 1 s.
    VOICEFLOW_CHECKED Chain set_latency(Seconds latency) &
    {
        return chain(vf_options_set_latency_s(get(), latency.count()));
    }

    /// Sets how much of a stream is in the result of its finish, 0 to 86,400 s. Default: the last
    /// two hours.
    VOICEFLOW_CHECKED Chain set_history(Seconds history) &
    {
        return chain(vf_options_set_history_s(get(), history.count()));
    }

    /// Sets whether a stream goes over to the versions that reloads put in the place of its
    /// diarizer's; its speakers keep their numbers. To a version of another voice space they are
    /// known by their newest speech, of which it keeps 8 s each in memory. Default: it stays with
    /// the one that it began with.
    VOICEFLOW_CHECKED Chain set_follow_reloads(bool follow) &
    {
        return chain(vf_options_set_follow_reloads(get(), follow ? 1 : 0));
    }

#ifndef VOICEFLOW_NO_EXCEPTIONS
    /// \cond the same on options without a name, which are handed on
    [[nodiscard]] Options set_model_path(const Text &path) && { return std::move(set_model_path(path)); }
    [[nodiscard]] Options set_model_memory(span<const std::uint8_t> data) &&
    {
        return std::move(set_model_memory(data));
    }
    [[nodiscard]] Options set_segmentation_model(const Text &path) &&
    {
        return std::move(set_segmentation_model(path));
    }
    [[nodiscard]] Options set_segmentation_model_memory(span<const std::uint8_t> data) &&
    {
        return std::move(set_segmentation_model_memory(data));
    }
    [[nodiscard]] Options set_segmentation_receptive_field(std::size_t size, std::size_t step) &&
    {
        return std::move(set_segmentation_receptive_field(size, step));
    }
    [[nodiscard]] Options set_embedding_model(const Text &path) &&
    {
        return std::move(set_embedding_model(path));
    }
    [[nodiscard]] Options set_embedding_model_memory(span<const std::uint8_t> data) &&
    {
        return std::move(set_embedding_model_memory(data));
    }
    [[nodiscard]] Options set_embedding_family(EmbeddingFamily family) &&
    {
        return std::move(set_embedding_family(family));
    }
    [[nodiscard]] Options set_frontend(Frontend frontend) && { return std::move(set_frontend(frontend)); }
    [[nodiscard]] Options set_runtime_library(const Text &path) &&
    {
        return std::move(set_runtime_library(path));
    }
    [[nodiscard]] Options set_telemetry(bool allowed) && { return std::move(set_telemetry(allowed)); }
    [[nodiscard]] Options set_provider(Provider provider, ProviderPolicy policy) &&
    {
        return std::move(set_provider(provider, policy));
    }
    [[nodiscard]] Options set_device_id(std::int32_t device_id) &&
    {
        return std::move(set_device_id(device_id));
    }
    [[nodiscard]] Options set_device_memory_limit(std::uint64_t bytes) &&
    {
        return std::move(set_device_memory_limit(bytes));
    }
    [[nodiscard]] Options set_cache_folder(const Text &folder) &&
    {
        return std::move(set_cache_folder(folder));
    }
    [[nodiscard]] Options set_threads(std::size_t threads) && { return std::move(set_threads(threads)); }
    [[nodiscard]] Options set_slots(std::size_t slots) && { return std::move(set_slots(slots)); }
    [[nodiscard]] Options set_batch(std::size_t batch) && { return std::move(set_batch(batch)); }
    [[nodiscard]] Options set_num_speakers(std::size_t count) &&
    {
        return std::move(set_num_speakers(count));
    }
    [[nodiscard]] Options set_speaker_range(std::size_t min, std::size_t max) &&
    {
        return std::move(set_speaker_range(min, max));
    }
    [[nodiscard]] Options set_hop(Seconds hop) && { return std::move(set_hop(hop)); }
    [[nodiscard]] Options set_clustering_method(Clustering method) &&
    {
        return std::move(set_clustering_method(method));
    }
    [[nodiscard]] Options set_clustering_threshold(float threshold) &&
    {
        return std::move(set_clustering_threshold(threshold));
    }
    [[nodiscard]] Options set_min_cluster_size(std::size_t windows) &&
    {
        return std::move(set_min_cluster_size(windows));
    }
    [[nodiscard]] Options set_bundle(const Text &bundle) && { return std::move(set_bundle(bundle)); }
    [[nodiscard]] Options set_plda(const Text &folder) && { return std::move(set_plda(folder)); }
    [[nodiscard]] Options set_min_speech(Seconds shortest) && { return std::move(set_min_speech(shortest)); }
    [[nodiscard]] Options set_min_silence(Seconds shortest) &&
    {
        return std::move(set_min_silence(shortest));
    }
    [[nodiscard]] Options set_latency(Seconds latency) && { return std::move(set_latency(latency)); }
    [[nodiscard]] Options set_history(Seconds history) && { return std::move(set_history(history)); }
    [[nodiscard]] Options set_follow_reloads(bool follow) && { return std::move(set_follow_reloads(follow)); }
    /// \endcond
#endif

private:
    explicit Options(vf_options *made) noexcept : Handle(made) {}

    Chain chain(const detail::Outcome &outcome)
    {
#ifdef VOICEFLOW_NO_EXCEPTIONS
        return detail::finish(outcome);
#else
        detail::finish(outcome);
        return *this;
#endif
    }
};

namespace detail {

/// Calls a create function with options, or with the defaults where there are none to be given. To
/// C, options that were moved from would be the defaults too.
template <class T, class Create>
Outcome create_with(T *&handle, const Options *options, Create create)
{
    if (options != nullptr && !*options) {
        return {VF_E_NULL, "options: expected options, got some that were moved from"};
    }
    return create_checked(
        handle, [&](T **out) { return create(options != nullptr ? options->get() : nullptr, out); });
}

}  // namespace detail
}  // namespace VOICEFLOW_STYLE
}  // namespace voiceflow

#endif
