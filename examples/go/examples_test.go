// Package examples_test runs the examples as their first comments say.
package examples_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const (
	recording = "../data/conversation.flac"
	rate      = 16_000
)

// programs is the folder with all examples, built.
var programs string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if programs, err = os.MkdirTemp("", "examples-"); err != nil {
			panic(err)
		}
		defer os.RemoveAll(programs)
		if output, err := exec.Command("go", "build", "-o", programs, "./...").CombinedOutput(); err != nil {
			panic(string(output))
		}
		return m.Run()
	}())
}

// run gives what a program printed, and whether it ended well.
func run(t *testing.T, input []byte, name string, arguments ...string) (out, failed string, ok bool) {
	t.Helper()
	command := exec.Command(filepath.Join(programs, name), arguments...)
	var outs, errs bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), &outs, &errs
	err := command.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return outs.String(), errs.String(), err == nil
}

// prints checks that a program ends well and that each of its lines is like one of these.
func prints(t *testing.T, input []byte, least int, like string, name string, arguments ...string) string {
	t.Helper()
	out, failed, ok := run(t, input, name, arguments...)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if !ok || failed != "" || len(lines) < least {
		t.Fatalf("%s: expected %d lines or more, got %q and %q", name, least, out, failed)
	}
	for _, line := range lines {
		if !regexp.MustCompile("^(?:" + like + ")$").MatchString(line) {
			t.Fatalf("%s: expected lines like %q, got %q", name, like, line)
		}
	}
	return out
}

// raw is the recording as 16-bit samples, 16 kHz, mono.
func raw(t *testing.T) []byte {
	t.Helper()
	flac := exec.Command("flac", "--decode", "--stdout", "--silent", "--force-raw-format", "--endian=little",
		"--sign=signed", recording)
	samples, err := flac.Output()
	if err != nil {
		t.Fatal("flac: ", err)
	}
	return samples
}

// cut writes a piece of the recording, in seconds, as a WAV file.
func cut(t *testing.T, from, to float64) string {
	t.Helper()
	samples := raw(t)[2*int(from*rate) : 2*int(to*rate)]
	file := []byte("RIFF\x00\x00\x00\x00WAVEfmt ")
	for _, field := range []any{
		uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16), []byte("data"),
		uint32(len(samples)), samples,
	} {
		var err error
		if file, err = binary.Append(file, binary.LittleEndian, field); err != nil {
			t.Fatal(err)
		}
	}
	binary.LittleEndian.PutUint32(file[4:], uint32(len(file)-8))
	path := filepath.Join(t.TempDir(), "piece.wav")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDiarize(t *testing.T) {
	prints(t, nil, 10, ` *\d+\.\d\d +\d+\.\d\d  speaker \d(  \(overlap\))?`, "diarize", recording)
	out, failed, ok := run(t, nil, "diarize", "nowhere.wav")
	if ok || out != "" || failed != "diarize: voiceflow: nowhere.wav: no such file\n" {
		t.Fatalf("expected a missing file, got %q and %q", out, failed)
	}
	if _, failed, ok = run(t, nil, "diarize"); ok || !strings.HasPrefix(failed, "usage: ") {
		t.Fatalf("expected the usage, got %q", failed)
	}
}

func TestStream(t *testing.T) {
	turn := ` *\d+\.\d\d +\d+\.\d\d  speaker \d  (final|provisional)`
	out := prints(t, raw(t), 50, turn+"|3 speakers in all", "stream")
	if strings.Count(out, "final") < 10 || strings.Count(out, "provisional") < 40 {
		t.Fatalf("expected turns of both kinds, got %q", out)
	}
	_, failed, ok := run(t, []byte{1}, "stream")
	if ok || !strings.Contains(failed, "expected frames of 2 bytes") {
		t.Fatalf("expected half a sample to be refused, got %q", failed)
	}
}

// Ctrl-C while the microphone is silent: nothing comes, and the standard input stays open.
func TestAnIdleStreamEndsByAnInterrupt(t *testing.T) {
	command := exec.Command(filepath.Join(programs, "stream"))
	var errs bytes.Buffer
	command.Stderr = &errs
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := input.Write(raw(t)[:2*5*rate]); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	if <-lines == "" {
		t.Fatalf("expected a turn, got the end and %q", &errs)
	}
	// All turns of the five seconds.
	for quiet := false; !quiet; {
		select {
		case _, open := <-lines:
			quiet = !open
		case <-time.After(time.Second):
			quiet = true
		}
	}
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	killed := time.AfterFunc(5*time.Minute, func() { command.Process.Kill() })
	defer killed.Stop()
	for range lines {
	}
	_, exited := command.Wait().(*exec.ExitError)
	if failed := errs.String(); !exited || !strings.HasPrefix(failed, "stream: voiceflow: cancelled ") {
		t.Fatalf("expected the end by the interrupt, got %q", failed)
	}
}

func TestBatchInfer(t *testing.T) {
	prints(t, raw(t), 5, `window +\d+:( +\d+ %)+`, "batch_infer")
	if out, failed, ok := run(t, nil, "batch_infer"); !ok || out+failed != "" {
		t.Fatalf("expected nothing for nothing, got %q and %q", out, failed)
	}
}

func TestIdentify(t *testing.T) {
	expected := []string{"SPEAKER_00 is ada", "SPEAKER_01 is ben", "SPEAKER_02 is a stranger"}
	out := prints(t, nil, 3, `SPEAKER_0\d is .* \(similarity 0\.\d\d\)`,
		"identify", recording, "ada="+cut(t, 0.6, 5.2), "ben="+cut(t, 5.7, 10.5))
	for i, line := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		if !strings.HasPrefix(line, expected[i]+" (") {
			t.Fatalf("expected %q, got %q", expected[i], line)
		}
	}
	if _, failed, ok := run(t, nil, "identify", recording, "ada"); ok || !strings.Contains(failed, "NAME=FILE") {
		t.Fatalf("expected NAME=FILE to be asked for, got %q", failed)
	}
}

func TestOwnLogger(t *testing.T) {
	log := filepath.Join(t.TempDir(), "program.log")
	prints(t, nil, 1, "3 speakers", "own_logger", recording, log)
	records, err := os.ReadFile(log)
	if err != nil || !bytes.Contains(records, []byte(`"target":"onnxruntime"`)) {
		t.Fatalf("expected records, got %v and %q", err, records)
	}
}

func TestDeadline(t *testing.T) {
	prints(t, nil, 1, "not done within 1ms", "deadline", recording, "1ms")
	prints(t, nil, 1, `\d\d segments`, "deadline", recording, "10m")
}
