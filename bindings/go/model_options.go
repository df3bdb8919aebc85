package voiceflow

// #include "shim.h"
import "C"

// EmbeddingFamily is the toolkit that a speaker embedding model comes from.
type EmbeddingFamily int

// Families.
const (
	// EmbeddingFamilyAuto: what the file's metadata key framework says, else what its tensors show.
	EmbeddingFamilyAuto EmbeddingFamily = C.VF_EMBEDDING_FAMILY_AUTO
	// EmbeddingFamilyWeSpeaker: ResNet, ECAPA-TDNN, CAM++ and others of WeSpeaker.
	EmbeddingFamilyWeSpeaker EmbeddingFamily = C.VF_EMBEDDING_FAMILY_WESPEAKER
	// EmbeddingFamily3DSpeaker: CAM++, ERes2Net, ERes2NetV2 of 3D-Speaker.
	EmbeddingFamily3DSpeaker EmbeddingFamily = C.VF_EMBEDDING_FAMILY_3D_SPEAKER
	// EmbeddingFamilyNeMo: TitaNet, SpeakerNet of NVIDIA NeMo.
	EmbeddingFamilyNeMo EmbeddingFamily = C.VF_EMBEDDING_FAMILY_NEMO
)

// Frontend is a recipe of the features that a speaker embedding model is given.
type Frontend int

// Frontends.
const (
	// FrontendTrained: what the model was trained with.
	FrontendTrained Frontend = C.VF_FRONTEND_TRAINED
	// FrontendSherpa: what sherpa-onnx computes for the same file.
	FrontendSherpa Frontend = C.VF_FRONTEND_SHERPA
)

// ClusteringMethod is a way of clustering voices into speakers.
type ClusteringMethod int

// Clustering methods.
const (
	// ClusteringAuto: what the model was tuned with.
	ClusteringAuto ClusteringMethod = C.VF_CLUSTERING_AUTO
	// ClusteringAverage: average linkage on cosine distance; two speakers of one window are joined
	// only where the model was tuned so, as accurate is.
	ClusteringAverage ClusteringMethod = C.VF_CLUSTERING_AVERAGE
	// ClusteringCentroid: centroid linkage with a minimum cluster size, as in pyannote.audio 3.1.
	ClusteringCentroid ClusteringMethod = C.VF_CLUSTERING_CENTROID
	// ClusteringVBx: variational Bayes on PLDA-transformed voices, as in pyannote's community-1. Needs
	// WithPLDA, unless the model brings a PLDA of its own, as fast-cnn does.
	ClusteringVBx ClusteringMethod = C.VF_CLUSTERING_VBX
)

// WithSegmentationModel takes a segmentation model from an ONNX file in the manner of pyannote's
// (segmentation-3.0, Reverb v1), which a diarizer runs together with the embedding model in place
// of the joint model. Default: none.
func WithSegmentationModel(path string) Option {
	return textSetter("path", path, func(o *C.vf_options, path *C.char) C.vfgo_answer {
		return C.go_vf_options_set_segmentation_model(o, path)
	}).of("WithSegmentationModel", forDiarizer)
}

// WithSegmentationModelMemory takes the segmentation model from the bytes of an ONNX file. Default:
// none.
func WithSegmentationModelMemory(data []byte) Option {
	return bytesSetter(data, func(o *C.vf_options, data *C.uint8_t, size C.size_t) C.vfgo_answer {
		return C.go_vf_options_set_segmentation_model_memory(o, data, size)
	}).of("WithSegmentationModelMemory", forDiarizer)
}

// WithSegmentationReceptiveField sets what one frame of a segmentation model sees, in samples (1 to
// 160,000), and the samples from one frame to the next (1 to size), for a file that does not say.
// Default: the file's metadata receptive_field_size and receptive_field_shift, else those of
// pyannote's models.
func WithSegmentationReceptiveField(samples, step int) Option {
	return setter(func(o *C.vf_options) error {
		field, err := size("size", samples)
		if err != nil {
			return err
		}
		shift, err := size("step", step)
		if err != nil {
			return err
		}
		return call(func() C.vfgo_answer {
			return C.go_vf_options_set_segmentation_receptive_field(o, field, shift)
		})
	}).of("WithSegmentationReceptiveField", forDiarizer)
}

// WithEmbeddingModel takes a speaker embedding model from an ONNX file of the WeSpeaker, 3D-Speaker
// or NeMo family, which a diarizer runs together with the segmentation model. What
// `voiceflow import-model` left beside the file is used. Default: none.
func WithEmbeddingModel(path string) Option {
	return textSetter("path", path, func(o *C.vf_options, path *C.char) C.vfgo_answer {
		return C.go_vf_options_set_embedding_model(o, path)
	}).of("WithEmbeddingModel", forDiarizer)
}

// WithEmbeddingModelMemory takes the speaker embedding model from the bytes of an ONNX file.
// Default: none.
func WithEmbeddingModelMemory(data []byte) Option {
	return bytesSetter(data, func(o *C.vf_options, data *C.uint8_t, size C.size_t) C.vfgo_answer {
		return C.go_vf_options_set_embedding_model_memory(o, data, size)
	}).of("WithEmbeddingModelMemory", forDiarizer)
}

// WithEmbeddingFamily sets the family of an embedding model that does not say. Default:
// EmbeddingFamilyAuto.
func WithEmbeddingFamily(family EmbeddingFamily) Option {
	return numberSetter("family", int(family), func(o *C.vf_options, family C.int32_t) C.vfgo_answer {
		return C.go_vf_options_set_embedding_family(o, family)
	}).of("WithEmbeddingFamily", forDiarizer)
}

// WithFrontend chooses the features that the embedding model is given. Default: FrontendTrained.
func WithFrontend(frontend Frontend) Option {
	return numberSetter("frontend", int(frontend), func(o *C.vf_options, frontend C.int32_t) C.vfgo_answer {
		return C.go_vf_options_set_frontend(o, frontend)
	}).of("WithFrontend", forDiarizer)
}

// WithClusteringMethod chooses how voices are clustered into speakers. Default: ClusteringAuto.
func WithClusteringMethod(method ClusteringMethod) Option {
	return numberSetter("method", int(method), func(o *C.vf_options, method C.int32_t) C.vfgo_answer {
		return C.go_vf_options_set_clustering_method(o, method)
	}).of("WithClusteringMethod", forDiarizer)
}

// WithClusteringThreshold sets the distance under which two clusters of voices are one speaker, 0
// to 2; lower finds more speakers. Cosine distance for ClusteringAverage, and for ClusteringVBx
// with a PLDA that the model brings; Euclidean distance of voices of unit length for the others.
// Default: stored in the model, else that of the method.
func WithClusteringThreshold(threshold float64) Option {
	return setter(func(o *C.vf_options) error {
		return call(func() C.vfgo_answer {
			return C.go_vf_options_set_clustering_threshold(o, C.float(threshold))
		})
	}).of("WithClusteringThreshold", forDiarizer|forStream)
}

// WithMinClusterSize sets the fewest windows in which a speaker of centroid clustering is heard, 1
// to 1,000; smaller clusters join the nearest larger one. No more than a tenth of all windows is
// asked for. Default: as many as begin in 12 s.
func WithMinClusterSize(windows int) Option {
	return sizeSetter("min_cluster_size", windows, func(o *C.vf_options, windows C.size_t) C.vfgo_answer {
		return C.go_vf_options_set_min_cluster_size(o, windows)
	}).of("WithMinClusterSize", forDiarizer)
}

// WithBundle takes the models of a bundle: fast-cnn or accurate, which are compiled in, or a
// folder, or its name in $VOICEFLOW_MODELS, in .models or beside the library. Options that are not
// given are what it was tuned to. Default: accurate for recordings where it is compiled in, and
// fast-cnn for the rest.
func WithBundle(bundle string) Option {
	return textSetter("bundle", bundle, func(o *C.vf_options, bundle *C.char) C.vfgo_answer {
		return C.go_vf_options_set_bundle(o, bundle)
	}).of("WithBundle", forDiarizer|forSession)
}

// WithPLDA sets the folder with the PLDA for ClusteringVBx: xvec_transform.npz and plda.npz, as
// pyannote's community-1 has them. Default: none.
func WithPLDA(folder string) Option {
	return textSetter("folder", folder, func(o *C.vf_options, folder *C.char) C.vfgo_answer {
		return C.go_vf_options_set_plda(o, folder)
	}).of("WithPLDA", forDiarizer)
}
