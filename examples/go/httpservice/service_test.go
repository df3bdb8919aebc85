package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"voiceflow"
)

const (
	recording = "../../data/conversation.flac"
	// A model that takes long on every machine.
	slowModel = "../../../tests/data/models/slow.onnx"
	// How long what is waited for may take on a busy machine.
	patience = 2 * time.Minute
)

var diarizer = sync.OnceValues(func() (*voiceflow.Diarizer, error) { return voiceflow.NewDiarizer(context.Background()) })

func newService(t *testing.T, change func(*service)) (*service, string) {
	t.Helper()
	d, err := diarizer()
	if err != nil {
		t.Fatal(err)
	}
	s := &service{
		diarizer: d, log: slog.New(slog.DiscardHandler), jobs: make(chan struct{}, 1),
		maxBytes: 4 << 20, limit: time.Hour,
	}
	if change != nil {
		change(s)
	}
	server := httptest.NewServer(s.handler())
	t.Cleanup(server.Close)
	return s, server.URL
}

func conversation(t *testing.T) []byte {
	t.Helper()
	body, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// post sends a body and gives what came back.
func post(t *testing.T, url, accept string, body io.Reader) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func expect(t *testing.T, response *http.Response, text string, status int, words string) {
	t.Helper()
	if response.StatusCode != status || !strings.Contains(text, words) {
		t.Fatalf("expected %d with %q, got %d with %q", status, words, response.StatusCode, text)
	}
}

func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("expected %s within %v", what, patience)
		}
	}
}

func TestARecordingIsAnsweredAsJSON(t *testing.T) {
	_, url := newService(t, nil)
	response, text := post(t, url+"/diarize?name=meeting", "", bytes.NewReader(conversation(t)))
	expect(t, response, text, http.StatusOK, "meeting")
	var parsed struct{ Segments []any }
	if err := json.Unmarshal([]byte(text), &parsed); err != nil || len(parsed.Segments) < 10 {
		t.Fatalf("expected segments, got %v and %s", err, text)
	}
	if kind := response.Header.Get("Content-Type"); kind != jsonType {
		t.Fatalf("got the type %q", kind)
	}
}

func TestARecordingIsAnsweredAsRTTM(t *testing.T) {
	_, url := newService(t, nil)
	response, text := post(t, url+"/diarize?name=my+meeting", rttmType, bytes.NewReader(conversation(t)))
	expect(t, response, text, http.StatusOK, "SPEAKER my_meeting 1 ")
	if kind := response.Header.Get("Content-Type"); kind != rttmType {
		t.Fatalf("got the type %q", kind)
	}
}

func TestAccept(t *testing.T) {
	for header, expected := range map[string]string{
		"": jsonType, "*/*": jsonType, "text/x-rttm": rttmType, "text/html, text/*;q=0.5": rttmType,
		"text/x-rttm;q=0.2, application/json;q=0.9": jsonType, "text/plain, */*;q=0.1": rttmType,
		"text/x-rttm, application/json": jsonType, "image/png": "", "application/json;q=0": "", "?": "",
		"application/json;q=x": "",
	} {
		if got := accepted(header); got != expected {
			t.Errorf("%q: expected %q, got %q", header, expected, got)
		}
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	s, url := newService(t, nil)
	response, text := post(t, url+"/diarize", "image/png", nil)
	expect(t, response, text, http.StatusNotAcceptable, "application/json or text/x-rttm")
	response, text = post(t, url+"/diarize", "", strings.NewReader("no recording"))
	expect(t, response, text, http.StatusUnprocessableEntity, "expected a recording: WAV")
	response, text = post(t, url+"/diarize", "", nil)
	expect(t, response, text, http.StatusUnprocessableEntity, "expected a recording: WAV")
	response, text = post(t, url+"/diarize?name=a%00b", rttmType, bytes.NewReader(conversation(t)))
	expect(t, response, text, http.StatusBadRequest, "recording: expected text without zero bytes")
	response, text = post(t, url+"/diarize", "", bytes.NewReader(make([]byte, s.maxBytes+1)))
	expect(t, response, text, http.StatusRequestEntityTooLarge, "at most 4194304 bytes")
	got, err := http.Get(url + "/diarize")
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	if got.StatusCode != http.StatusMethodNotAllowed {
		t.Fatalf("expected %d, got %d", http.StatusMethodNotAllowed, got.StatusCode)
	}
	response, text = post(t, url+"/diarize", "", bytes.NewReader(conversation(t)))
	expect(t, response, text, http.StatusOK, "SPEAKER_00")
}

func TestWorkThatTakesTooLongIsEnded(t *testing.T) {
	_, url := newService(t, func(s *service) { s.limit = time.Nanosecond })
	response, text := post(t, url+"/diarize", "", bytes.NewReader(conversation(t)))
	expect(t, response, text, http.StatusServiceUnavailable, "longer than 1ns")
}

func TestMoreThanTheJobsAreToldToComeAgain(t *testing.T) {
	s, url := newService(t, nil)
	body, feed := io.Pipe()
	first := make(chan int, 1)
	go func() {
		response, err := http.Post(url+"/diarize", "audio/flac", body)
		if err != nil {
			t.Error(err)
			first <- 0
			return
		}
		response.Body.Close()
		first <- response.StatusCode
	}()
	waitFor(t, "a job", func() bool { return len(s.jobs) == 1 })
	response, text := post(t, url+"/diarize", "", bytes.NewReader(conversation(t)))
	expect(t, response, text, http.StatusServiceUnavailable, "all jobs are taken")
	if response.Header.Get("Retry-After") == "" {
		t.Error("expected Retry-After")
	}
	health, err := http.Get(url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer health.Body.Close()
	if words, err := io.ReadAll(health.Body); err != nil || !strings.HasPrefix(string(words), "ok ") {
		t.Errorf("expected a healthy service, got %q and %v", words, err)
	}
	if _, err := feed.Write(conversation(t)); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	if status := <-first; status != http.StatusOK {
		t.Errorf("expected the first request to be answered, got %d", status)
	}
	waitFor(t, "no job", func() bool { return len(s.jobs) == 0 })
}

func TestAClientThatIsGoneEndsTheWork(t *testing.T) {
	slow, err := voiceflow.NewDiarizer(context.Background(), voiceflow.WithModelPath(slowModel), voiceflow.WithThreads(1))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	s, url := newService(t, func(s *service) { s.diarizer = slow })
	// An hour of audio: raw samples in a WAV file, minutes of work.
	long := wav(bytes.Repeat(noise(), 3600))
	s.maxBytes = int64(len(long))
	ctx, cancel := context.WithCancel(context.Background())
	body := &watched{Reader: bytes.NewReader(long), read: make(chan struct{})}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/diarize", body)
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
		}
		gone <- err
	}()
	select {
	case <-body.read:
	case err := <-gone:
		t.Fatalf("expected the recording to be received, got %v", err)
	}
	// For the service to get from the body to the work. Where it takes longer, receiving is ended
	// instead.
	time.Sleep(300 * time.Millisecond)
	if len(s.jobs) != 1 {
		t.Fatal("expected a job")
	}
	cancel()
	if err := <-gone; err == nil {
		t.Fatal("expected the request to be cancelled")
	}
	// Long before the work would be done.
	waitFor(t, "no job", func() bool { return len(s.jobs) == 0 })
}

func TestTheServiceAnswersWhatItHasBegun(t *testing.T) {
	s, _ := newService(t, nil)
	for _, test := range []struct {
		grace    time.Duration
		answered bool
	}{{time.Hour, true}, {time.Nanosecond, false}} {
		listener, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		url := "http://" + listener.Addr().String() + "/diarize"
		ctx, stop := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- serve(ctx, listener, s.handler(), test.grace) }()
		body, feed := io.Pipe()
		answered := make(chan bool, 1)
		go func() {
			response, err := http.Post(url, "audio/flac", body)
			if err == nil {
				response.Body.Close()
			}
			answered <- err == nil && response.StatusCode == http.StatusOK
		}()
		waitFor(t, "a job", func() bool { return len(s.jobs) == 1 })
		stop()
		waitFor(t, "no more connections", func() bool {
			connection, err := net.Dial("tcp", listener.Addr().String())
			if err == nil {
				connection.Close()
			}
			return err != nil
		})
		if test.answered {
			if _, err := feed.Write(conversation(t)); err != nil {
				t.Fatal(err)
			}
			feed.Close()
		}
		if err := <-served; (err == nil) != test.answered {
			t.Errorf("grace %v: got %v", test.grace, err)
		}
		// The client waits for the rest of its body, also when the connection is closed.
		feed.Close()
		if got := <-answered; got != test.answered {
			t.Errorf("grace %v: expected an answer %v, got %v", test.grace, test.answered, got)
		}
		waitFor(t, "no job", func() bool { return len(s.jobs) == 0 })
	}
}

// watched reports when all of it is read.
type watched struct {
	io.Reader
	once sync.Once
	read chan struct{}
}

func (w *watched) Read(into []byte) (int, error) {
	n, err := w.Reader.Read(into)
	if err == io.EOF {
		w.once.Do(func() { close(w.read) })
	}
	return n, err
}

// noise is a second of 16-bit samples at 16 kHz.
func noise() []byte {
	samples := make([]byte, 2*16_000)
	for i, state := 0, uint32(1); i < len(samples); i++ {
		state = state*1_664_525 + 1_013_904_223
		samples[i] = byte(state >> 28)
	}
	return samples
}
