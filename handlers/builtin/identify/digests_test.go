package identify

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/checksum"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// With digests the format is the same as without, whether the file is small or large.
func TestIdentifyWithDigests(t *testing.T) {
	const buffer = 256 << 10 // what checksum reads at a time
	for name, content := range map[string]string{
		"a.png": pngFile(t), "a.pdf": pdfFile, "a.zip": zipFile(t, "x"), "a.txt": "some text\n", "nothing": "", "junk": "\x00\x01\x02\xfe\xff",
		"block.pdf":     pdfFile + strings.Repeat("\n", blockSize-len(pdfFile)),
		"buffer-1.pdf":  pdfFile + strings.Repeat("\n", buffer-1-len(pdfFile)),
		"buffer.pdf":    pdfFile + strings.Repeat("\n", buffer-len(pdfFile)),
		"buffer+1.pdf":  pdfFile + strings.Repeat("\n", buffer+1-len(pdfFile)),
		"large.zip":     zipFile(t, strings.Repeat("long/", 10_000)+"y", "x") + strings.Repeat("\x00", 2*buffer),
		"large.unknown": strings.Repeat("\x00\x01\x02\xfe\xff", buffer),
	} {
		path := testkit.WriteFileIn(t, t.TempDir(), name, content)
		alone, want := builtintest.Try(t, New(), nil, path)
		r, got := builtintest.Try(t, New(), map[string]any{"algorithms": []any{"sha256", "md5"}}, path)
		sha, md := sha256.Sum256([]byte(content)), md5.Sum([]byte(content))
		want["sha256"], want["md5"], want["size"] = hex.EncodeToString(sha[:]), hex.EncodeToString(md[:]), float64(len(content))
		if r.Outcome != alone.Outcome || r.Code != alone.Code || !maps.Equal(got, want) {
			t.Errorf("%s: %s %s %v, want %s %s %v", name, r.Outcome, r.Code, got, alone.Outcome, alone.Code, want)
		}
		args := map[string]any{"max_scan": 3}
		alone, want = builtintest.Try(t, New(), args, path)
		args["algorithms"] = []any{"md5"}
		r, got = builtintest.Try(t, New(), args, path)
		want["md5"], want["size"] = hex.EncodeToString(md[:]), float64(len(content))
		if r.Outcome != alone.Outcome || !maps.Equal(got, want) {
			t.Errorf("%s, of which three bytes may be looked at: %s %v, want %s %v", name, r.Outcome, got, alone.Outcome, want)
		}
	}
}

// The buffers of files that are read at the same time are not mixed up.
func TestIdentifyWithDigestsInParallel(t *testing.T) {
	contents := []string{pngFile(t), pdfFile, zipFile(t, "x", "y"), "some text\n", "", strings.Repeat("some text\n", 40_000)}
	dir := t.TempDir()
	var paths []string
	for i := range 20 * len(contents) {
		paths = append(paths, testkit.WriteFileIn(t, dir, hex.EncodeToString([]byte{byte(i)}), contents[i%len(contents)]))
	}
	results, err := handlertest.DryRun{Args: map[string]any{"algorithms": []any{"sha256"}}}.Run(t.Context(), New(), paths...)
	testkit.Must(t, err)
	for i, r := range results {
		sum := sha256.Sum256([]byte(contents[i%len(contents)]))
		if first := results[i%len(contents)]; !bytes.Equal(r.Facts, first.Facts) || !bytes.Contains(r.Facts, []byte(hex.EncodeToString(sum[:]))) {
			t.Errorf("file %d: %s, its twin %s", i, r.Facts, first.Facts)
		}
	}
}

func TestIdentifyWithDigestsOfAFileThatChanged(t *testing.T) {
	path := testkit.WriteFileIn(t, t.TempDir(), "a.txt", "some text\n")
	roots, err := handlers.NewRoots([]string{path})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, roots)
	args := map[string]any{"algorithms": []any{"sha256"}}
	results := builtintest.Batch(t, New(), 1, func(int) handlers.JobSpec {
		return handlers.JobSpec{File: tasks.File{Path: path, Size: 3}, Opener: roots, Args: args}
	})
	if r := results[0]; r.Outcome != tasks.OutcomeWarning || r.Code != checksum.CodeSizeChanged || !strings.Contains(string(r.Facts), `"puid":"x-fmt/111"`) {
		t.Errorf("%+v", r)
	}
	testkit.Must(t, os.Remove(path))
	results = builtintest.Batch(t, New(), 1, func(int) handlers.JobSpec {
		return handlers.JobSpec{File: tasks.File{Path: path, Size: 3}, Opener: roots, Args: args}
	})
	if r := results[0]; r.Outcome != tasks.OutcomeFailed || r.Code != handlers.CodeNotFound || r.Facts != nil {
		t.Errorf("%+v", r)
	}
}

func TestContentReads(t *testing.T) {
	c := checksum.InMemory("content")
	p := make([]byte, 4)
	for off, want := range map[int64]string{0: "cont", 3: "tent", 5: "nt", 7: "", 70: ""} {
		n, err := c.ReadAt(p, off)
		if string(p[:n]) != want || (err == nil) != (n == len(p)) {
			t.Errorf("at %d: %q, %v, want %q", off, p[:n], err, want)
		}
	}
	w := newWindow(t.Context(), c, int64(len(c)), 100)
	if got, err := w.Slice(3, 2); string(got) != "te" || err != nil || cap(got) != 2 {
		t.Errorf("got %q, %v", got, errors.Join(err))
	}
}
