package voiceflow

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestARecording(t *testing.T) {
	d := diarizer(t)
	result := must[*Diarization](t)(d.ProcessFile(background, conversationFile))
	defer result.Close()
	segments := result.AppendSegments(nil)
	if len(segments) < 10 || !slices.Equal(segments, segmentsOf(result)) {
		t.Fatalf("expected the segments twice, got %v and %v", segments, segmentsOf(result))
	}
	speakers := result.Speakers()
	if len(speakers) != 3 {
		t.Fatalf("expected 3 speakers, got %v", speakers)
	}
	speech, overlap := make([]time.Duration, len(speakers)), false
	for i, s := range segments {
		if s.Start >= s.End || s.End > result.Duration() || i > 0 && s.Start < segments[i-1].Start {
			t.Errorf("segment %d: got %+v", i, s)
		}
		speech[s.Speaker] += s.End - s.Start
		overlap = overlap || s.Overlap()
	}
	if !overlap {
		t.Error("expected a segment with overlap")
	}
	for number, speaker := range speakers {
		var square float64
		for _, value := range speaker.Embedding {
			square += float64(value) * float64(value)
		}
		if len(speaker.Embedding) != d.Info().EmbeddingDim || math.Abs(square-1) > 1e-3 ||
			(speaker.Speech-speech[number]).Abs() > time.Microsecond || speaker.Label != result.Label(int32(number)) {
			t.Errorf("speaker %d: got %v", number, speaker)
		}
	}
	if result.Label(3) != "" || result.Label(-1) != "" {
		t.Errorf("expected no labels, got %q and %q", result.Label(3), result.Label(-1))
	}
	if (result.Duration() - 52_480*time.Millisecond).Abs() > time.Millisecond {
		t.Errorf("expected 52.48 s, got %v", result.Duration())
	}
}

func TestSamplesGiveWhatTheFileGives(t *testing.T) {
	d, ctx := diarizer(t), background
	expected := segmentsOf(must[*Diarization](t)(d.ProcessFile(ctx, conversationFile)))
	for name, result := range map[string]*Diarization{
		"int16":   must[*Diarization](t)(d.ProcessInt16(ctx, conversation(), rate, 1)),
		"float32": must[*Diarization](t)(d.ProcessFloat32(ctx, floatsOf(conversation()), rate, 1)),
	} {
		if got := segmentsOf(result); !slices.Equal(got, expected) {
			t.Errorf("%s: expected %v, got %v", name, expected, got)
		}
	}
}

func TestTexts(t *testing.T) {
	result := must[*Diarization](t)(diarizer(t).ProcessFile(background, conversationFile))
	segments := segmentsOf(result)
	rttm := must[string](t)(result.RTTM("a meeting"))
	var lines strings.Builder
	for _, s := range segments {
		fmt.Fprintf(&lines, "SPEAKER a_meeting 1 %.3f %.3f <NA> <NA> %s <NA> <NA>\n", s.Start.Seconds(),
			(s.End - s.Start).Seconds(), result.Label(s.Speaker))
	}
	if len(segments) < 10 || rttm != lines.String() {
		t.Errorf("expected %s, got %s", &lines, rttm)
	}
	var parsed struct{ Segments, Speakers []any }
	check(t, json.Unmarshal([]byte(must[string](t)(result.JSON("a meeting"))), &parsed))
	if len(parsed.Segments) != len(segments) || len(parsed.Speakers) != 3 {
		t.Errorf("expected all segments and speakers, got %v", parsed)
	}
	if strings.Contains(must[string](t)(result.JSON("x")), "\"embedding\"") {
		t.Error("expected no voices where they are not asked for")
	}
	if !strings.Contains(must[string](t)(result.JSONWithEmbeddings("x")), "\"embedding\": [") {
		t.Error("expected voices where they are asked for")
	}
	if vtt := must[string](t)(result.VTT()); !strings.HasPrefix(vtt, "WEBVTT\n\n") ||
		strings.Count(vtt, "<v SPEAKER_") != len(segments) {
		t.Errorf("expected a cue with a voice for each of %d segments, got %s", len(segments), vtt)
	}
	if srt := must[string](t)(result.SRT()); strings.Count(srt, "-->") != len(segments) {
		t.Errorf("expected a cue for each of %d segments, got %s", len(segments), srt)
	}
	_, err := result.RTTM("a\x00b")
	expectError(t, err, ErrInvalidArgument, "recording: expected text without zero bytes, got one at byte 1")
	_, err = result.JSON(strings.Repeat("a", 65_537))
	expectError(t, err, ErrLimit, "recording")
}

func TestAResultOfItsParts(t *testing.T) {
	result := must[*Diarization](t)(diarizer(t).ProcessFile(background, conversationFile))
	var voices [][]float32
	for _, speaker := range result.Speakers() {
		voices = append(voices, speaker.Embedding)
	}
	made := must[*Diarization](t)(NewDiarization(result.Duration(), segmentsOf(result), voices))
	text, again := must[string](t)(result.JSONWithEmbeddings("x")), must[string](t)(made.JSONWithEmbeddings("x"))
	if text != again {
		t.Errorf("expected %s, got %s", text, again)
	}
	nobody := must[*Diarization](t)(NewDiarization(time.Second, nil, nil))
	if nobody.Duration() != time.Second || len(segmentsOf(nobody)) != 0 {
		t.Errorf("expected a second of nobody, got %v", nobody)
	}
	must[*Diarization](t)(NewDiarization(time.Second, []Segment{{End: time.Second}}, [][]float32{nil}))
	_, err := NewDiarization(time.Second, []Segment{{End: time.Second}}, nil)
	expectError(t, err, ErrInvalidArgument, "segments: segment 0: speaker: ")
	_, err = NewDiarization(time.Second, nil, [][]float32{{1, 0}, {1}})
	expectError(t, err, ErrInvalidArgument, "embeddings: expected 2 values, as the first one has, got 1 in number 1")
	_, err = NewDiarization(-time.Second, nil, nil)
	expectError(t, err, ErrInvalidArgument, "duration_s: ")
}

func TestTheLicencesAreThoseOfTheProject(t *testing.T) {
	for _, name := range []string{"LICENSE-MIT", "LICENSE-APACHE"} {
		own, project := must[[]byte](t)(os.ReadFile(name)), must[[]byte](t)(os.ReadFile(filepath.Join("..", "..", name)))
		if !slices.Equal(own, project) {
			t.Errorf("%s: expected that of the project", name)
		}
	}
}

func TestNoSamplesAreARecordingWithoutSegments(t *testing.T) {
	d, ctx := diarizer(t), background
	for _, result := range []*Diarization{
		must[*Diarization](t)(d.ProcessFloat32(ctx, nil, rate, 1)),
		must[*Diarization](t)(d.ProcessFloat32(ctx, []float32{}, rate, 2)),
		must[*Diarization](t)(d.ProcessInt16(ctx, nil, rate, 1)),
		must[*Diarization](t)(d.ProcessInt16(ctx, make([]int16, 3*rate), rate, 1)),
	} {
		if len(segmentsOf(result)) > 0 || len(result.Speakers()) > 0 || must[string](t)(result.RTTM("x")) != "" {
			t.Errorf("expected nobody, got %v", segmentsOf(result))
		}
	}
}

func TestBadInputIsAnErrorAndTheNextCallWorks(t *testing.T) {
	d, ctx := diarizer(t), background
	g := gallery(t)
	file := func(path string) error { _, err := d.ProcessFile(ctx, path); return err }
	process := func(samples []float32, rate, channels int) error {
		_, err := d.ProcessFloat32(ctx, samples, rate, channels)
		return err
	}
	for _, bad := range []struct {
		err   error
		kind  Status
		words string
	}{
		{file(""), ErrNotFound, "no such file"},
		{file("a\x00b"), ErrInvalidArgument, "path: expected text without zero bytes, got one at byte 1"},
		{file("a\xffb"), ErrNotFound, "no such file"},
		{file(strings.Repeat("a", 70_000)), ErrLimit, "path"},
		{file(t.TempDir()), ErrIO, ""},
		{file("diarizer_test.go"), ErrAudio, "diarizer_test.go"},
		{process([]float32{0, float32(math.NaN())}, rate, 1), ErrAudio, "expected a finite value"},
		{process([]float32{0, float32(math.Inf(1))}, rate, 1), ErrAudio, "got inf"},
		{process(make([]float32, 3), rate, 2), ErrInvalidArgument, "samples: expected a multiple of the 2"},
		{process(nil, 999, 1), ErrInvalidArgument, "sample rate"},
		{process(nil, -1, 1), ErrInvalidArgument, "sample rate: expected 1000 to 768000 Hz, got -1 Hz"},
		{process(nil, 1<<32+rate, 1), ErrInvalidArgument, "sample rate"},
		{process(nil, rate, 0), ErrInvalidArgument, "channels: expected 1 to 32, got 0"},
		{process(nil, rate, -1), ErrInvalidArgument, "channels: expected 1 to 32, got -1"},
		{process(nil, rate, 33), ErrInvalidArgument, "channels"},
		{process(nil, rate, 1<<32+1), ErrInvalidArgument, "channels"},
		{(&Diarizer{}).Close(), 0, ""},
		{func() error { _, err := (&Diarizer{}).NewGallery(); return err }(), ErrInvalidArgument, "zero value"},
		{func() error { _, err := (*Diarizer)(nil).NewGallery(); return err }(), ErrInvalidArgument, "got nil"},
		{errorOf(g.EnrollFile(ctx, nil, "ada", conversationFile)), ErrInvalidArgument, "got nil"},
		{func() error { _, err := d.ProcessFile(ctx, conversationFile, nil); return err }(), ErrInvalidArgument,
			"options: expected one made by this package at index 0, got nil"},
	} {
		if bad.kind == 0 {
			check(t, bad.err)
			continue
		}
		expectError(t, bad.err, bad.kind, bad.words)
		result := must[*Diarization](t)(d.ProcessInt16(ctx, conversation()[:4*rate], rate, 1))
		if len(segmentsOf(result)) == 0 {
			t.Fatalf("after %v: expected segments", bad.err)
		}
	}
}

func TestProgress(t *testing.T) {
	stages := map[Stage]float64{}
	progress := WithProgress(func(stage Stage, fraction float64) {
		if fraction < stages[stage] || fraction > 1 {
			t.Errorf("%v: expected more than %v, got %v", stage, stages[stage], fraction)
		}
		stages[stage] = fraction
	})
	// Of one option given twice the last counts.
	ignored := WithProgress(func(Stage, float64) { t.Error("expected the last of two functions to be told") })
	_, err := diarizer(t).ProcessFile(background, conversationFile, ignored, progress)
	check(t, err)
	for _, stage := range []Stage{StageAnalysis, StageClustering, StageReconstruction} {
		if stages[stage] != 1 {
			t.Errorf("%v: expected an end, got %v", stage, stages[stage])
		}
	}
}

func TestAContextEndsItsCallAndNoOther(t *testing.T) {
	d := diarizer(t)
	other := make(chan error)
	for _, test := range []struct {
		kind   error
		status Status
		end    func(context.Context) (context.Context, context.CancelFunc)
	}{
		{context.Canceled, ErrCancelled, context.WithCancel},
		{context.DeadlineExceeded, ErrDeadline, func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 20*time.Millisecond)
		}},
	} {
		ctx, cancel := test.end(background)
		defer cancel()
		go func() {
			result, err := d.ProcessInt16(background, conversation(), rate, 1)
			if err == nil && len(segmentsOf(result)) < 10 {
				t.Errorf("expected all segments, got %v", segmentsOf(result))
			}
			other <- err
		}()
		// The recording is as long as it takes to be cancelled.
		_, err := d.ProcessInt16(ctx, conversation(), rate, 1, WithProgress(func(Stage, float64) {
			if test.kind == context.Canceled {
				cancel()
			}
			<-ctx.Done()
		}))
		expectError(t, err, test.kind)
		expectError(t, err, test.status, "cancelled while", test.kind.Error())
		check(t, <-other)
	}
}

func TestAContextEndsACallWithoutProgress(t *testing.T) {
	d := must[*Diarizer](t)(NewDiarizer(background, WithModelPath(filepath.Join(modelsFolder, "slow.onnx")), WithThreads(1)))
	defer d.Close()
	endsSoon(t, func() {
		ctx, cancel := context.WithTimeout(background, 30*time.Millisecond)
		defer cancel()
		_, err := d.ProcessInt16(ctx, conversation(), rate, 1)
		expectError(t, err, context.DeadlineExceeded)
		expectError(t, err, os.ErrDeadlineExceeded)
		expectError(t, err, ErrDeadline)
	})
}

func TestAContextThatIsDoneBegins(t *testing.T) {
	ctx, cancel := context.WithCancel(background)
	cancel()
	_, err := diarizer(t).ProcessFile(ctx, "missing.wav")
	expectError(t, err, context.Canceled)
	expectError(t, err, ErrCancelled)
}

func TestAPanicOfAProgressFunctionComesOutOfTheCall(t *testing.T) {
	d := diarizer(t)
	calls := 0
	expectPanic(t, "progress", func() {
		d.ProcessFile(background, conversationFile, WithProgress(func(Stage, float64) {
			calls++
			panic("progress")
		}))
	})
	if calls != 1 {
		t.Errorf("expected the call to be cancelled, got %d calls back", calls)
	}
	check(t, func() error { _, err := d.ProcessFile(background, conversationFile); return err }())
}

func TestACallbackThatCallsBackIsRefused(t *testing.T) {
	d := diarizer(t)
	var inner error
	other := must[*Stream](t)(d.NewStream(background, rate, 1))
	_, err := d.ProcessFile(background, conversationFile, WithProgress(func(Stage, float64) {
		_, inner = d.ProcessFloat32(background, nil, rate, 1)
		// Is freed after all.
		other.Close()
	}))
	check(t, err)
	expectError(t, inner, ErrInvalidArgument, "callback")
}

func TestGoroutinesShareADiarizer(t *testing.T) {
	d := diarizer(t)
	expected := segmentsOf(must[*Diarization](t)(d.ProcessInt16(background, conversation(), rate, 1)))
	var group sync.WaitGroup
	for range 6 {
		group.Add(1)
		go func() {
			defer group.Done()
			result, err := d.ProcessInt16(background, conversation(), rate, 1)
			if err != nil || !slices.Equal(segmentsOf(result), expected) {
				t.Errorf("expected %v, got %v and %v", expected, result, err)
			}
		}()
	}
	group.Wait()
}
