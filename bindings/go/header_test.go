package voiceflow

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryFunctionOfTheHeaderIsUsed(t *testing.T) {
	header := must[[]byte](t)(os.ReadFile(filepath.Join("..", "..", "include", "voiceflow.h")))
	declared := regexp.MustCompile(`(?m)^(?:\w+ )+\*?(vf_\w+)\(`).FindAllStringSubmatch(string(header), -1)
	if len(declared) < 80 {
		t.Fatalf("expected the functions of voiceflow.h, got %d of them", len(declared))
	}
	used := map[string]bool{}
	shim := string(must[[]byte](t)(os.ReadFile("shim.h"))) + string(must[[]byte](t)(os.ReadFile("shim.c")))
	for _, file := range must[[]string](t)(filepath.Glob("*.go")) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source := string(must[[]byte](t)(os.ReadFile(file)))
		for _, name := range regexp.MustCompile(`\bC\.(?:go_)?(vf_\w+)\(`).FindAllStringSubmatch(source, -1) {
			used[name[1]] = true
		}
	}
	for _, name := range regexp.MustCompile(`(?: |\()(vf_\w+)\(`).FindAllStringSubmatch(shim, -1) {
		used[name[1]] = true
	}
	// Contexts are made of contexts already.
	used["vf_cancel_create_child"] = true
	for _, function := range declared {
		if !used[function[1]] {
			t.Errorf("%s: expected the package to use it", function[1])
		}
	}
}

// The options of the header have the names of the options here.
func TestEveryOptionHasItsName(t *testing.T) {
	header := string(must[[]byte](t)(os.ReadFile(filepath.Join("..", "..", "include", "voiceflow.h"))))
	source := string(must[[]byte](t)(os.ReadFile("options.go"))) +
		string(must[[]byte](t)(os.ReadFile("model_options.go"))) +
		string(must[[]byte](t)(os.ReadFile("conditions.go")))
	setters := regexp.MustCompile(`vf_status (vf_options_set_(\w+))\(`).FindAllStringSubmatch(header, -1)
	if len(setters) < 27 {
		t.Fatalf("expected 27 setters or more, got %d", len(setters))
	}
	unit := regexp.MustCompile(`^(hop|minspeech|minsilence|latency|history)m?s$`)
	for _, setter := range setters {
		name := strings.ToLower(strings.ReplaceAll(setter[2], "_", ""))
		// Durations carry their unit.
		name = unit.ReplaceAllString(name, "$1")
		function := regexp.MustCompile(`(?is)\nfunc With` + name + `\([^\n]*\n.*?\n}\n`).FindString(source)
		if !strings.Contains(function, "go_"+setter[1]+"(") {
			t.Errorf("expected With… of the name %q to call %s, got %q", name, setter[1], function)
		}
	}
}

// A field that is not asserted to be in its place may be one that nothing here sets.
func TestTheConditionsOfACallAreThoseOfTheHeader(t *testing.T) {
	header := string(must[[]byte](t)(os.ReadFile(filepath.Join("..", "..", "include", "voiceflow.h"))))
	body := regexp.MustCompile(`(?s)\ntypedef struct vf_call \{\n(.*?)\n\} vf_call;`).FindStringSubmatch(header)
	body[1] = regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(body[1], "")
	names := func(pattern, text string) (names []string) {
		for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			names = append(names, found[1])
		}
		return names
	}
	fields := names(`(\w+);`, body[1])
	asserted := names(`offsetof\(vf_call, (\w+)\) == \d+`, string(must[[]byte](t)(os.ReadFile("shim.c"))))
	if len(fields) < 9 || !slices.Equal(fields, asserted) {
		t.Errorf("expected the fields %v to be asserted, got %v", fields, asserted)
	}
	used := string(must[[]byte](t)(os.ReadFile("conditions.go"))) + string(must[[]byte](t)(os.ReadFile("progress.go")))
	for _, constant := range names(`(?m)^    (VF_(?:CALL|STAGE)_\w+) = \d`, header) {
		// A deadline is the context's, which is a switch to the library.
		if constant != "VF_CALL_DEADLINE" && !strings.Contains(used, "C."+constant) {
			t.Errorf("%s: expected the package to use it", constant)
		}
	}
}

func TestTheFailuresAfterWhichSamplesAreTaken(t *testing.T) {
	header := string(must[[]byte](t)(os.ReadFile(filepath.Join("..", "..", "include", "voiceflow.h"))))
	source := string(must[[]byte](t)(os.ReadFile("errors.go")))
	told := regexp.MustCompile(`All samples are taken or none; after([^;]*?)they are taken`).FindString(header)
	var expected []string
	for _, status := range regexp.MustCompile(`VF_E_\w+`).FindAllString(told, -1) {
		constant := regexp.MustCompile(`(Err\w+) +Status = C\.` + status + `\n`).FindStringSubmatch(source)
		expected = append(expected, constant[1])
	}
	stream := string(must[[]byte](t)(os.ReadFile("stream.go")))
	list := regexp.MustCompile(`takenAfter = \[\]Status\{(.*)\}`).FindStringSubmatch(stream)
	if got := strings.Split(list[1], ", "); len(expected) < 4 || !slices.Equal(got, expected) {
		t.Fatalf("expected %v, got %v", expected, got)
	}
}

func TestAnotherBinaryInterfaceIsRefused(t *testing.T) {
	check(t, checkABI(1))
	expectError(t, checkABI(2), ErrABI, "expected binary interface 1, got 2")
	d := diarizer(t)
	abi = checkABI(2)
	defer func() { abi = nil }()
	for name, made := range map[string]func() error{
		"NewDiarizer": func() error { _, err := NewDiarizer(background, WithThreads(1)); return err },
		"NewSession":  func() error { _, err := NewSession(background); return err },
		"NewStream":   func() error { _, err := d.NewStream(background, rate, 1); return err },
		"SetLogger":   func() error { return SetLogger(nil) },
	} {
		t.Run(name, func(t *testing.T) { expectError(t, made(), ErrABI) })
	}
}

func TestVersions(t *testing.T) {
	if !regexp.MustCompile(`^\d+\.\d+\.\d+`).MatchString(Version()) || VersionNumber() == 0 {
		t.Fatalf("expected versions, got %q and %d", Version(), VersionNumber())
	}
}
