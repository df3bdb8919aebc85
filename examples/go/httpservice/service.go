package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"voiceflow"
)

// service answers requests by one diarizer, which all of them share.
type service struct {
	diarizer *voiceflow.Diarizer
	log      *slog.Logger
	// Taken by each recording that is received or diarized.
	jobs chan struct{}
	// Largest recording in bytes.
	maxBytes int64
	// Longest time that the work on one recording may take.
	limit time.Duration
}

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /diarize", s.diarize)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "ok %s\n", voiceflow.Version())
	})
	return mux
}

// diarize answers with who spoke when in the recording that is the body of the request.
func (s *service) diarize(w http.ResponseWriter, r *http.Request) {
	kind := accepted(r.Header.Get("Accept"))
	if kind == "" {
		http.Error(w, "expected to Accept "+jsonType+" or "+rttmType, http.StatusNotAcceptable)
		return
	}
	select {
	case s.jobs <- struct{}{}:
		defer func() { <-s.jobs }()
	default:
		busy(w, "all jobs are taken")
		return
	}
	path, err := receive(http.MaxBytesReader(w, r.Body, s.maxBytes))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	defer os.Remove(path)
	name := r.URL.Query().Get("name")
	if name == "" {
		name = "recording"
	}
	// The request's context is done when the client is gone.
	ctx, cancel := context.WithTimeout(r.Context(), s.limit)
	defer cancel()
	text, err := s.write(ctx, path, name, kind)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", kind)
	io.WriteString(w, text)
}

func (s *service) write(ctx context.Context, path, name, kind string) (string, error) {
	result, err := s.diarizer.ProcessFile(ctx, path)
	if err != nil {
		return "", err
	}
	defer result.Close()
	if kind == rttmType {
		return result.RTTM(name)
	}
	return result.JSON(name)
}

// receive keeps a recording in a file, from which it is decoded.
func receive(body io.Reader) (path string, err error) {
	file, err := os.CreateTemp("", "recording-")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(file, body)
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}

func busy(w http.ResponseWriter, text string) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, text, http.StatusServiceUnavailable)
}

// refuse answers the client with what is wrong with the request, and logs what is wrong with the
// service.
func (s *service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case r.Context().Err() != nil:
		s.log.Info("the client is gone", "error", err)
	case errors.As(err, &tooLarge):
		text := fmt.Sprintf("expected a recording of at most %d bytes", tooLarge.Limit)
		http.Error(w, text, http.StatusRequestEntityTooLarge)
	case errors.Is(err, context.DeadlineExceeded):
		busy(w, fmt.Sprintf("the recording takes longer than %v", s.limit))
	case errors.Is(err, voiceflow.ErrAudio), errors.Is(err, voiceflow.ErrLimit):
		// The text of the error names the file, which is no business of the client's.
		s.log.Info("not diarized", "error", err)
		text := "expected a recording: WAV, FLAC, MP3, AAC, Opus, Vorbis or MP4"
		http.Error(w, text, http.StatusUnprocessableEntity)
	case errors.Is(err, voiceflow.ErrInvalidArgument):
		http.Error(w, err.Error(), http.StatusBadRequest)
	default:
		s.log.Error("not diarized", "error", err)
		http.Error(w, "the recording could not be diarized", http.StatusInternalServerError)
	}
}

const (
	jsonType = "application/json"
	rttmType = "text/x-rttm"
)

// accepted gives the type that an Accept header likes best, JSON where it likes both the same, ""
// for neither.
func accepted(header string) string {
	if header == "" {
		return jsonType
	}
	best, most := "", 0.0
	for _, part := range strings.Split(header, ",") {
		kind, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		quality := 1.0
		if q, found := parameters["q"]; found {
			if quality, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		found := ""
		switch kind {
		case jsonType, "application/*", "*/*":
			found = jsonType
		case rttmType, "text/plain", "text/*":
			found = rttmType
		}
		if found != "" && (quality > most || quality == most && quality > 0 && found == jsonType) {
			best, most = found, quality
		}
	}
	return best
}
