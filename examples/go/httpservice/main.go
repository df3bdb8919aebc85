// Serves diarization over HTTP.
//
//	go run ./httpservice -addr localhost:8080
//	curl --data-binary @meeting.flac 'localhost:8080/diarize?name=meeting'
//	curl --data-binary @meeting.flac -H 'Accept: text/x-rttm' 'localhost:8080/diarize?name=meeting'
//
// A recording is the body of the request. SIGINT and SIGTERM end the service when it has answered
// what it has begun.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"voiceflow"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "address to listen at")
	jobs := flag.Int("jobs", runtime.NumCPU(), "recordings at once; others are refused with 503")
	maxBytes := flag.Int64("max-bytes", 1<<30, "largest recording")
	limit := flag.Duration("limit", 10*time.Minute, "longest time for the work on one recording")
	grace := flag.Duration("grace", 30*time.Second, "time to answer what was begun, at the end")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	s := &service{log: log, maxBytes: *maxBytes, limit: *limit}
	if err := s.run(ctx, *addr, *jobs, *grace); err != nil {
		log.Error("httpservice", "error", err)
		os.Exit(1)
	}
}

func (s *service) run(ctx context.Context, addr string, jobs int, grace time.Duration) error {
	if jobs < 1 {
		return fmt.Errorf("jobs: expected 1 or more, got %d", jobs)
	}
	s.jobs = make(chan struct{}, jobs)
	if err := voiceflow.SetLogger(s.log); err != nil {
		return err
	}
	// Jobs run side by side, so that one of them needs no more than one thread.
	var err error
	if s.diarizer, err = voiceflow.NewDiarizer(ctx, voiceflow.WithThreads(1)); err != nil {
		return err
	}
	defer s.diarizer.Close()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s.log.Info("listening", "addr", listener.Addr().String(), "voiceflow", voiceflow.Version())
	return serve(ctx, listener, s.handler(), grace)
}

// serve answers requests until the context is done, and then those that it has begun; what is not
// answered after the time of grace is cancelled.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, grace time.Duration) error {
	work, cancelWork := context.WithCancel(context.Background())
	defer cancelWork()
	server := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return work },
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       5 * time.Minute,
		IdleTimeout:       time.Minute,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		cancelWork()
		return errors.Join(err, server.Close())
	}
	return nil
}
