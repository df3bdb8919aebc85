package voiceflow

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEveryOptionIsChecked(t *testing.T) {
	for words, option := range map[string]Option{
		"path":                       WithModelPath("a\x00b"),
		"size":                       WithModelMemory(nil),
		"path: expected at most":     WithRuntimeLibrary(strings.Repeat("a", 65_537)),
		"provider":                   WithProvider(9, ProviderPreferred),
		"policy":                     WithProvider(ProviderCPU, 9),
		"provider: expected":         WithProvider(1<<40, ProviderPreferred),
		"device_id":                  WithDeviceID(64),
		"device_memory_limit":        WithDeviceMemoryLimit(math.MaxUint64),
		"folder: expected text":      WithCacheFolder("a\x00b"),
		"threads: expected 0":        WithThreads(-1),
		"threads":                    WithThreads(257),
		"batch":                      WithBatch(1025),
		"speakers":                   WithNumSpeakers(101),
		"num_speakers: expected 0":   WithNumSpeakers(math.MinInt),
		"min":                        WithSpeakerRange(5, 4),
		"max: expected 0":            WithSpeakerRange(0, -4),
		"hop":                        WithHop(time.Hour),
		"min_speech":                 WithMinSpeech(-time.Second),
		"min_silence":                WithMinSilence(time.Hour),
		"segmentation":               WithSegmentationModel("a\x00"),
		"data":                       WithSegmentationModelMemory([]byte{}),
		"receptive field":            WithSegmentationReceptiveField(10, 11),
		"step: expected 0":           WithSegmentationReceptiveField(10, -1),
		"embedding":                  WithEmbeddingModel("a\x00"),
		"bytes":                      WithEmbeddingModelMemory(nil),
		"family":                     WithEmbeddingFamily(77),
		"frontend":                   WithFrontend(-1),
		"method":                     WithClusteringMethod(4),
		"threshold":                  WithClusteringThreshold(math.NaN()),
		"cluster":                    WithMinClusterSize(0),
		"folder":                     WithPLDA("\x00"),
		"bundle":                     WithBundle("a\x00"),
		"options: expected one made": nil,
	} {
		t.Run(words, func(t *testing.T) {
			_, err := NewDiarizer(background, WithThreads(1), option)
			failed, ok := err.(*Error)
			if !ok || failed.Status != ErrInvalidArgument && failed.Status != ErrNull && failed.Status != ErrLimit {
				t.Fatalf("expected a value that is refused, got %v", err)
			}
			t.Log(err)
		})
	}
}

// Each option is taken; what it does is the library's.
func TestEveryOptionIsTaken(t *testing.T) {
	good := filepath.Join(modelsFolder, "good.onnx")
	model := must[[]byte](t)(os.ReadFile(good))
	memory := WithModelMemory(model)
	d := must[*Diarizer](t)(NewDiarizer(background,
		WithModelPath(filepath.Join(modelsFolder, "nan.onnx")), memory,
		WithProvider(ProviderCPU, ProviderRequired), WithDeviceID(0), WithDeviceMemoryLimit(1<<30),
		WithCacheFolder(t.TempDir()), WithTelemetry(false), WithThreads(1), WithBatch(4),
		WithNumSpeakers(2), WithSpeakerRange(1, 5),
		WithHop(500*time.Millisecond), WithMinSpeech(time.Millisecond), WithMinSilence(time.Millisecond),
		WithSegmentationReceptiveField(991, 270),
		WithEmbeddingFamily(EmbeddingFamilyNeMo), WithFrontend(FrontendSherpa),
		WithClusteringMethod(ClusteringAverage), WithClusteringThreshold(0.5), WithMinClusterSize(3)))
	defer d.Close()
	if info := d.Info(); info.Provider != ProviderCPU || info.SampleRate != rate || len(info.SHA256) != 64 {
		t.Fatalf("expected the model on the CPU, got %+v", info)
	}
	result := must[*Diarization](t)(d.ProcessFile(background, conversationFile))
	if result.Duration() < 50*time.Second {
		t.Fatalf("expected the whole recording, got %v", result.Duration())
	}
	s := must[*Session](t)(NewSession(background, WithModelPath(good), memory, WithProvider(ProviderCPU, ProviderPreferred),
		WithDeviceID(0), WithDeviceMemoryLimit(0), WithCacheFolder(t.TempDir()), WithTelemetry(false), WithThreads(1), WithSlots(2)))
	_, err := NewSession(background, WithModelPath(good), WithTelemetry(true))
	expectError(t, err, ErrInvalidArgument, "telemetry: expected off")
	s.Close()
	live := must[*Stream](t)(d.NewStream(background, rate, 1, WithLatency(time.Second), WithHistory(time.Minute),
		WithSpeakerRange(0, 5), WithMinSpeech(time.Millisecond), WithMinSilence(time.Millisecond),
		WithClusteringThreshold(0.5)))
	live.Close()
	_, err = NewDiarizer(background, WithProvider(ProviderCUDA, ProviderRequired))
	if err != nil {
		expectError(t, err, ErrProvider)
	}
}

// The second session is made of the file that the first has written: there is one, and it stays as
// it is.
func TestModelsAreKeptInTheCacheFolder(t *testing.T) {
	good := WithModelPath(filepath.Join(modelsFolder, "good.onnx"))
	cpu := WithProvider(ProviderCPU, ProviderRequired)
	folder := filepath.Join(t.TempDir(), "made")
	audio := noise(rate)
	plain := must[*Session](t)(NewSession(background, good, cpu, WithThreads(1)))
	defer plain.Close()
	expected := must[*Inference](t)(plain.Infer(background, audio, 1))
	var written os.FileInfo
	for range 2 {
		s := must[*Session](t)(NewSession(background, good, cpu, WithThreads(1), WithCacheFolder(folder)))
		found := must[*Inference](t)(s.Infer(background, audio, 1))
		if !reflect.DeepEqual(found, expected) || s.Info() != plain.Info() {
			t.Fatal("expected the model to be the same with and without the folder")
		}
		s.Close()
		entries := must[[]os.DirEntry](t)(os.ReadDir(folder))
		if len(entries) != 1 || !strings.HasSuffix(entries[0].Name(), ".onnx.cache") {
			t.Fatalf("expected one file, got %v", entries)
		}
		info := must[os.FileInfo](t)(entries[0].Info())
		if written != nil && !os.SameFile(info, written) {
			t.Fatal("expected the file to stay")
		}
		written = info
	}
	_, err := NewSession(background, good, cpu, WithCacheFolder(filepath.Join(folder, written.Name())))
	expectError(t, err, ErrInvalidArgument, "cache_folder: expected a folder")
}

func TestOptionsOfAnotherFunctionAreRefused(t *testing.T) {
	for words, made := range map[string]func() error{
		"WithSlots: expected an option of NewDiarizer, got one of NewSession": func() error {
			_, err := NewDiarizer(background, WithSlots(2))
			return err
		},
		"WithLatency: expected an option of NewDiarizer, got one of NewStream": func() error {
			_, err := NewDiarizer(background, WithLatency(time.Second))
			return err
		},
		"WithHop: expected an option of NewSession, got one of NewDiarizer": func() error {
			_, err := NewSession(background, WithThreads(1), WithHop(time.Second))
			return err
		},
		"WithMinSpeech: expected an option of NewSession, got one of NewDiarizer or NewStream": func() error {
			_, err := NewSession(background, WithMinSpeech(time.Second))
			return err
		},
		"WithThreads: expected an option of NewStream, got one of NewDiarizer or NewSession": func() error {
			_, err := diarizer(t).NewStream(background, rate, 1, WithLatency(time.Second), WithThreads(1))
			return err
		},
		"WithNumSpeakers: expected an option of NewStream, got one of NewDiarizer": func() error {
			_, err := diarizer(t).NewStream(background, rate, 1, WithNumSpeakers(2))
			return err
		},
	} {
		t.Run(words, func(t *testing.T) { expectError(t, made(), ErrInvalidArgument, words) })
	}
}

func TestTwoPublicModels(t *testing.T) {
	families := filepath.Join(modelsFolder, "..", "families")
	segmentation := filepath.Join(families, "segmentation.onnx")
	embedding := filepath.Join(families, "campplus.onnx")
	d := must[*Diarizer](t)(NewDiarizer(background, WithSegmentationModel(segmentation), WithEmbeddingModel(embedding)))
	defer d.Close()
	if name := d.Info().Name; name != "segmentation + campplus" {
		t.Fatalf("got the name %q", name)
	}
	memory := must[*Diarizer](t)(NewDiarizer(background,
		WithSegmentationModelMemory(must[[]byte](t)(os.ReadFile(segmentation))),
		WithEmbeddingModelMemory(must[[]byte](t)(os.ReadFile(embedding)))))
	defer memory.Close()
	if memory.Info().SHA256 != d.Info().SHA256 {
		t.Fatalf("expected %q, got %q", d.Info().SHA256, memory.Info().SHA256)
	}
	_, err := NewDiarizer(background, WithSegmentationModel(embedding), WithEmbeddingModel(segmentation))
	expectError(t, err, ErrModel, "campplus.onnx: expected a segmentation network")
}

func TestRecordingsAndWindowsHaveModelsOfTheirOwn(t *testing.T) {
	d := must[*Diarizer](t)(NewDiarizer(background))
	defer d.Close()
	if recordings, windows := d.Info().Name, session(t).Info().Name; recordings != "accurate" || windows != "fast-cnn" {
		t.Fatalf("expected accurate and fast-cnn, got %q and %q", recordings, windows)
	}
}

func TestBundle(t *testing.T) {
	d := must[*Diarizer](t)(NewDiarizer(background, WithBundle(filepath.Join(modelsFolder, "../../../models/fast-cnn/1.0.1"))))
	defer d.Close()
	if name := d.Info().Name; name != "fast-cnn" {
		t.Fatalf("got the name %q", name)
	}
	_, err := NewDiarizer(background, WithBundle("nowhere"))
	expectError(t, err, ErrInvalidArgument, "bundle nowhere: expected a folder with model.onnx")
}

func TestModelsThatCannotBeUsed(t *testing.T) {
	for file, kind := range map[string]Status{
		"wrong_contract.onnx": ErrModel, "make_models.py": ErrModel, "nowhere.onnx": ErrNotFound, ".": ErrIO,
	} {
		_, err := NewSession(background, WithModelPath(filepath.Join(modelsFolder, file)))
		expectError(t, err, kind, modelsFolder)
	}
	_, err := NewDiarizer(background, WithPLDA(modelsFolder), WithClusteringMethod(ClusteringVBx))
	if err == nil {
		t.Fatal("expected a folder without a PLDA to be refused")
	}
}
