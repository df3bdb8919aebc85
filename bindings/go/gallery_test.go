package voiceflow

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// Who speaks alone in the recording, by its reference: start and end in seconds.
var alone = map[string][2]float64{"ada": {0.6, 5.2}, "ben": {5.7, 10.5}, "kim": {10.9, 14.7}}

func errorOf[T any](_ T, err error) error { return err }

func piece(of string) []float32 {
	from, to := alone[of][0], alone[of][1]
	return floatsOf(conversation()[int(from*rate):int(to*rate)])
}

func enrolled(t testing.TB) *Gallery {
	t.Helper()
	g := gallery(t)
	for _, name := range []string{"ada", "ben"} {
		result := must[*Diarization](t)(g.EnrollFloat32(background, diarizer(t), name, piece(name), rate, 1))
		check(t, result.Close())
	}
	return g
}

func TestKnownVoicesAreNamed(t *testing.T) {
	d := diarizer(t)
	g := enrolled(t)
	result := must[*Diarization](t)(d.ProcessFile(background, conversationFile))
	threshold := must[float64](t)(g.Threshold())
	matches := must[[]Match](t)(g.IdentifyDiarization(result, threshold))
	if len(matches) != 3 || matches[0].Name != "ada" || matches[1].Name != "ben" || matches[2].Name != "" ||
		matches[0].Score < threshold || matches[2].Score >= threshold {
		t.Fatalf("expected ada, ben and a stranger, got %v", matches)
	}
	for number, speaker := range result.Speakers() {
		match := must[Match](t)(g.Identify(speaker.Embedding, threshold))
		if match.Name != matches[number].Name {
			t.Errorf("expected %v, got %v", matches[number], match)
		}
	}
	check(t, g.EnrollEmbedding("kim", result.Speakers()[2].Embedding, result.Speakers()[2].Speech))
	if name := must[[]Match](t)(g.IdentifyDiarization(result, threshold))[2].Name; name != "kim" {
		t.Errorf("expected kim, got %q", name)
	}
	result.Close()
	_, err := g.IdentifyDiarization(result, threshold)
	expectError(t, err, ErrClosed, "diarization")
}

// What a recording should be read with is known when somebody is enrolled by it too.
func TestAnEnrollmentHasTheWarningsOfItsRecording(t *testing.T) {
	said := piece("ada")
	inverted := make([]float32, 0, 2*len(said))
	for _, sample := range said {
		inverted = append(inverted, sample, -sample)
	}
	g := gallery(t)
	result := must[*Diarization](t)(g.EnrollFloat32(background, diarizer(t), "ada", inverted, rate, 2))
	defer result.Close()
	warnings := result.Warnings()
	if len(warnings) != 1 || warnings[0].Code != WarningInvertedChannels || len(result.Speakers()) != 1 {
		t.Fatalf("expected one speaker and inverted channels, got %v", warnings)
	}
}

func TestAGalleryIsSavedAndLoaded(t *testing.T) {
	d, g := diarizer(t), enrolled(t)
	path := filepath.Join(t.TempDir(), "team.json")
	check(t, g.Save(path))
	loaded := must[*Gallery](t)(d.LoadGallery(path))
	if names := must[[]string](t)(loaded.Names()); !slices.Equal(names, []string{"ada", "ben"}) {
		t.Fatalf("expected both names, got %v", names)
	}
	check(t, loaded.Remove("ada"))
	if names := must[[]string](t)(loaded.Names()); !slices.Equal(names, []string{"ben"}) {
		t.Fatalf("expected one name, got %v", names)
	}
	other := must[*Diarizer](t)(NewDiarizer(background, WithModelPath(filepath.Join(modelsFolder, "good.onnx"))))
	defer other.Close()
	_, err := other.LoadGallery(path)
	expectError(t, err, ErrGallery)
	check(t, os.WriteFile(path, []byte("{}"), 0o600))
	_, err = d.LoadGallery(path)
	expectError(t, err, ErrGallery, path)
	_, err = d.LoadGallery(path + ".missing")
	expectError(t, err, os.ErrNotExist)
}

func TestBadInputOfAGallery(t *testing.T) {
	d, g, ctx := diarizer(t), enrolled(t), background
	other := must[*Diarizer](t)(NewDiarizer(background, WithModelPath(filepath.Join(modelsFolder, "good.onnx"))))
	defer other.Close()
	voice := must[*Diarization](t)(d.ProcessFile(ctx, conversationFile)).Speakers()[0].Embedding
	identify := func(voice []float32) error { _, err := g.Identify(voice, 0.5); return err }
	for _, bad := range []struct {
		err   error
		kind  Status
		words string
	}{
		{errorOf(g.EnrollFile(ctx, d, "x", "missing.wav")), ErrNotFound, "missing.wav"},
		{errorOf(g.EnrollFile(ctx, d, "x", conversationFile)), ErrAudio, ""},
		{errorOf(g.EnrollFile(ctx, d, " x", conversationFile)), ErrInvalidArgument, "name"},
		{errorOf(g.EnrollFile(ctx, d, "x\x00", conversationFile)), ErrInvalidArgument, "name: expected text without zero"},
		{errorOf(g.EnrollFile(ctx, other, "x", conversationFile)), ErrGallery, ""},
		{errorOf(g.EnrollFloat32(ctx, d, "x", nil, rate, 1)), ErrAudio, ""},
		{errorOf(g.EnrollFloat32(ctx, d, "x", make([]float32, 3), rate, 2)), ErrInvalidArgument, "samples"},
		{errorOf(g.EnrollFloat32(ctx, d, "SPEAKER_00", piece("ada"), rate, 1)), ErrInvalidArgument, "name"},
		{g.EnrollEmbedding("x", nil, 1), ErrInvalidArgument, ""},
		{g.EnrollEmbedding("x", make([]float32, d.Info().EmbeddingDim), 1), ErrInvalidArgument, "embedding"},
		{g.EnrollEmbedding("x", voice, 0), ErrInvalidArgument, "speech"},
		{g.EnrollEmbedding("x", voice, -time.Second), ErrInvalidArgument, "speech"},
		{g.Remove("nobody"), ErrInvalidArgument, "nobody"},
		{g.Save(filepath.Join(t.TempDir(), "no", "folder")), ErrNotFound, "folder"},
		{identify(nil), ErrInvalidArgument, ""},
		{identify(make([]float32, 3)), ErrInvalidArgument, "3"},
		{func() error { _, err := g.IdentifyDiarization(nil, 0.5); return err }(), ErrInvalidArgument, "got nil"},
	} {
		expectError(t, bad.err, bad.kind, bad.words)
	}
	if names := must[[]string](t)(g.Names()); len(names) != 2 {
		t.Fatalf("expected 2 names still, got %v", names)
	}
	match := must[Match](t)(gallery(t).Identify(make([]float32, d.Info().EmbeddingDim), 0.5))
	if match != (Match{Score: -1}) {
		t.Fatalf("expected a stranger, got %v", match)
	}
}

func TestAContextEndsAnEnrollment(t *testing.T) {
	g := gallery(t)
	ctx, cancel := context.WithCancel(background)
	_, err := g.EnrollFile(ctx, diarizer(t), "ada", conversationFile, WithProgress(func(Stage, float64) {
		cancel()
		<-ctx.Done()
	}))
	expectError(t, err, context.Canceled)
	expectError(t, err, ErrCancelled)
	expectPanic(t, "enroll", func() {
		g.EnrollFile(background, diarizer(t), "ada", conversationFile, WithProgress(func(Stage, float64) { panic("enroll") }))
	})
	if names := must[[]string](t)(g.Names()); len(names) != 0 {
		t.Fatalf("expected nobody, got %v", names)
	}
}

// The voices behind one that is removed get new numbers: a name is that of its voice all the same.
func TestNamesHoldWhileOthersAreRemoved(t *testing.T) {
	d, g := diarizer(t), enrolled(t)
	result := must[*Diarization](t)(d.ProcessFile(background, conversationFile))
	voices := result.Speakers()
	for i := range 40 {
		check(t, g.EnrollEmbedding(fmt.Sprint("first ", i), voices[2].Embedding, time.Second))
	}
	check(t, g.EnrollEmbedding("eve", voices[1].Embedding, 1e6*time.Second))
	check(t, g.Remove("ben"))
	var group sync.WaitGroup
	group.Add(1)
	go func() {
		defer group.Done()
		for i := range 40 {
			if err := g.Remove(fmt.Sprint("first ", i)); err != nil {
				t.Error(err)
			}
		}
	}()
	for range max(10, 100/slower) {
		if matches := must[[]Match](t)(g.IdentifyDiarization(result, must[float64](t)(g.Threshold()))); matches[1].Name != "eve" {
			t.Fatalf("expected eve, got %v", matches)
		}
		must[[]string](t)(g.Names())
	}
	group.Wait()
}
