package checksum

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestChecksumKnownDigests(t *testing.T) {
	all := map[string]any{"algorithms": []any{"md5", "sha1", "sha256", "sha512"}}
	for content, want := range map[string]map[string]any{
		"": {
			"md5":    "d41d8cd98f00b204e9800998ecf8427e",
			"sha1":   "da39a3ee5e6b4b0d3255bfef95601890afd80709",
			"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			"sha512": "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
			"size":   0.0,
		},
		"abc": {
			"md5":    "900150983cd24fb0d6963f7d28e17f72",
			"sha1":   "a9993e364706816aba3e25717850c26c9cd0d89d",
			"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
			"sha512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
			"size":   3.0,
		},
	} {
		r, facts := builtintest.Try(t, New(), all, testkit.WriteFileIn(t, t.TempDir(), "f", content))
		if r.Outcome != tasks.OutcomeSucceeded || !maps.Equal(facts, want) {
			t.Errorf("%q: %s %v", content, r.Outcome, facts)
		}
	}
}

func TestChecksumDefaultsToSHA256OverSeveralReads(t *testing.T) {
	content := strings.Repeat("0123456789", readSize/4)
	sum := sha256.Sum256([]byte(content))
	r, facts := builtintest.Try(t, New(), nil, testkit.WriteFileIn(t, t.TempDir(), "f", content))
	want := map[string]any{"sha256": hex.EncodeToString(sum[:]), "size": float64(len(content))}
	if r.Outcome != tasks.OutcomeSucceeded || !maps.Equal(facts, want) {
		t.Errorf("%s %v", r.Outcome, facts)
	}
}

func TestChecksumArgs(t *testing.T) {
	var registry handlers.Registry
	testkit.Must(t, Register(&registry))
	reg, _ := registry.Lookup("checksum")
	for text, good := range map[string]bool{
		`null`:                                   true,
		`{}`:                                     true,
		`{"algorithms":["sha512","md5"]}`:        true,
		`{"algorithms":[]}`:                      false,
		`{"algorithms":["crc32"]}`:               false,
		`{"algorithms":["md5","md5"]}`:           false,
		`{"algorithms":"md5"}`:                   false,
		`{"algorithm":["md5"]}`:                  false,
		`["md5"]`:                                false,
		`{"algorithms":["md5"],"also":"a typo"}`: false,
	} {
		var args any
		testkit.Must(t, json.Unmarshal([]byte(text), &args))
		if err := reg.CheckArgs(args); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
		r, _ := builtintest.Try(t, New(), args, testkit.WriteFileIn(t, t.TempDir(), "f", "x"))
		if (r.Outcome == tasks.OutcomeSucceeded) != good || !good && r.Code != handlers.CodeBadArgs {
			t.Errorf("%s: ran as %s %s", text, r.Outcome, r.Code)
		}
	}
}

func TestChecksumWarnsOfAnotherSizeThanScanned(t *testing.T) {
	path := testkit.WriteFileIn(t, t.TempDir(), "f", "abc")
	job := handlers.NewJob(handlers.JobSpec{File: tasks.File{Path: path, Size: 5}, Opener: rootsOf(t, path)})
	testkit.Must(t, New().Handle(t.Context(), []*handlers.Job{job}))
	r := job.Result()
	if r.Outcome != tasks.OutcomeWarning || r.Code != CodeSizeChanged || r.ExitCode != 0 ||
		!strings.Contains(r.Error, "5 bytes") || !strings.Contains(r.Error, "3") || !strings.Contains(string(r.Facts), "ba7816bf") {
		t.Errorf("got %+v %s", r, r.Facts)
	}
}

// meddler is a digest that does something to the file while it is read.
type meddler struct {
	hash.Hash
	meddle func()
}

func (m *meddler) Write(p []byte) (int, error) {
	m.meddle()
	return m.Hash.Write(p)
}

func TestChecksumNoticesAFileThatIsBeingWritten(t *testing.T) {
	for name, meddle := range map[string]func(path string) error{
		"grows":    func(path string) error { return os.WriteFile(path, []byte("longer than before"), 0o600) },
		"shrinks":  func(path string) error { return os.Truncate(path, 1) },
		"replaced": func(path string) error { return os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)) },
	} {
		path := testkit.WriteFileIn(t, t.TempDir(), "f", "before")
		f, err := rootsOf(t, path).Open(path)
		testkit.Must(t, err)
		defer f.Close()
		_, err = read(t.Context(), f, make([]byte, readSize), []hash.Hash{&meddler{sha256.New(), func() {
			if err := meddle(path); err != nil {
				t.Error(err)
			}
		}}}, handlers.NewJob(handlers.JobSpec{}))
		v, ok := errors.AsType[*handlers.Verdict](err)
		if !ok || v.Outcome != tasks.OutcomeError || v.Code != handlers.CodeChangedWhileReading {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// endless is a file that is never read to its end.
type endless struct{ onRead func() }

func (e endless) Read(p []byte) (int, error) { e.onRead(); return len(p), nil }

func TestChecksumStopsWithinAFile(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	reads := 0
	size, err := feed(ctx, endless{func() {
		if reads++; reads == 3 {
			cancel()
		}
	}}, make([]byte, readSize), []hash.Hash{sha256.New()}, func(int64) {})
	if !errors.Is(err, context.Canceled) || size != 3*readSize {
		t.Errorf("read %d bytes: %v", size, err)
	}
}

func TestChecksumTriesAgainAfterIOErrors(t *testing.T) {
	_, err := feed(t.Context(), io.MultiReader(strings.NewReader("x"), brokenReader{}), make([]byte, readSize), nil, func(int64) {})
	if v, ok := errors.AsType[*handlers.Verdict](err); !ok || v.Outcome != tasks.OutcomeError || v.Code != handlers.CodeIO {
		t.Errorf("got %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("medium error") }

func rootsOf(t testing.TB, dirs ...string) *handlers.Roots {
	t.Helper()
	roots, err := handlers.NewRoots(dirs)
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, roots)
	return roots
}
