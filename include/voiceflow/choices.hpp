// What options choose between. Part of voiceflow.hpp.
#ifndef VOICEFLOW_CHOICES_HPP
#define VOICEFLOW_CHOICES_HPP

#include <voiceflow.h>

#include <cstdint>

namespace voiceflow {

/// The kinds of hardware that run the network.
enum class Provider : std::int32_t {
    automatic = VF_PROVIDER_AUTO,
    cpu = VF_PROVIDER_CPU,
    cuda = VF_PROVIDER_CUDA,
    tensorrt = VF_PROVIDER_TENSORRT,
};

/// What happens where the provider asked for is not available: the CPU is used, with a warning in
/// the log, or making the session or diarizer fails with Status::provider.
enum class ProviderPolicy : std::int32_t {
    preferred = VF_PROVIDER_PREFERRED,
    required = VF_PROVIDER_REQUIRED
};

/// The toolkits that speaker embedding models come from.
enum class EmbeddingFamily : std::int32_t {
    automatic = VF_EMBEDDING_FAMILY_AUTO,
    wespeaker = VF_EMBEDDING_FAMILY_WESPEAKER,
    three_d_speaker = VF_EMBEDDING_FAMILY_3D_SPEAKER,
    nemo = VF_EMBEDDING_FAMILY_NEMO,
};

/// The recipes of the features that a speaker embedding model is given.
enum class Frontend : std::int32_t { trained = VF_FRONTEND_TRAINED, sherpa = VF_FRONTEND_SHERPA };

/// The ways of clustering voices into speakers.
enum class Clustering : std::int32_t {
    automatic = VF_CLUSTERING_AUTO,
    average = VF_CLUSTERING_AVERAGE,
    centroid = VF_CLUSTERING_CENTROID,
    vbx = VF_CLUSTERING_VBX,
};

}  // namespace voiceflow

#endif
