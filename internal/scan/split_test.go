package scan

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// For any content, the chunks of a file together are the file, in order, cut at line ends,
// and each has the number of its first line.
func TestSplitLosesAndDoublesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.SliceOfN(rapid.SampledFrom([]byte("ab\n\n\r")), 0, 600).Draw(t, "content")
		wanted := rapid.Int64Range(1, 80).Draw(t, "wanted")
		piece := rapid.IntRange(1, 100).Draw(t, "bytes a read")
		parts := split(t, content, wanted, piece)
		var all []byte
		for i, p := range parts {
			b := content[p.Offset : p.Offset+p.Size]
			if p.Part != int64(i)+1 || p.Offset != int64(len(all)) || p.Path != "/f" {
				t.Fatalf("part %d is %+v after %d bytes", i+1, p, len(all))
			}
			if want := int64(bytes.Count(all, []byte("\n"))) + 1; p.Line != want {
				t.Errorf("part %d begins with line %d, want %d", p.Part, p.Line, want)
			}
			all = append(all, b...)
			last := i == len(parts)-1
			if !last && (b[len(b)-1] != '\n' || p.Size < wanted || bytes.IndexByte(b[wanted-1:], '\n') != int(p.Size-wanted)) {
				t.Errorf("part %d is cut at the wrong place: %q of %d wanted", p.Part, b, wanted)
			}
		}
		if !bytes.Equal(all, content) || len(parts) == 0 {
			t.Fatalf("%d parts hold %q of %q", len(parts), all, content)
		}
		// A split that was cut off anywhere goes on as if it had not been.
		cut := rapid.IntRange(0, len(parts)-1).Draw(t, "cut")
		rest := parts[cut+1:]
		var got []tasks.File
		f := tasks.File{Path: "/f", Size: int64(len(content))}
		err := splitRest(context.Background(), bytes.NewReader(content), f, parts[cut], wanted, collectInto(&got))
		if err != nil || len(got) != len(rest) {
			t.Fatalf("%d parts behind part %d, want %d: %v", len(got), cut+1, len(rest), err)
		}
		for i := range rest {
			if got[i] != rest[i] {
				t.Errorf("resumed with %+v, want %+v", got[i], rest[i])
			}
		}
	})
}

// split splits with a buffer of its own size, so that cuts fall everywhere in it.
func split(t *rapid.T, content []byte, wanted int64, piece int) []tasks.File {
	var parts []tasks.File
	f := tasks.File{Path: "/f", Size: int64(len(content))}
	s := splitter{r: bytes.NewReader(content), end: f.Size, emit: collectInto(&parts), buffer: make([]byte, piece), chunk: f}
	s.chunk.Part, s.chunk.Size, s.chunk.Line = 1, 0, 1
	testkit.Must(t, s.run(context.Background(), wanted))
	return parts
}

func collectInto(parts *[]tasks.File) func(tasks.File) error {
	return func(f tasks.File) error { *parts = append(*parts, f); return nil }
}

func TestSplitFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) tasks.File {
		path := filepath.Join(dir, name)
		testkit.WriteFile(t, path, content)
		return tasks.File{Path: path, Size: int64(len(content))}
	}
	long := strings.Repeat("x", 3*splitRead) + "\n"
	for name, tt := range map[string]struct {
		file  tasks.File
		parts int
	}{
		"nothing":       {write("empty", ""), 1},
		"no line end":   {write("open", "abc"), 1},
		"lines":         {write("lines", strings.Repeat("0123456789abcde\n", 64)), 16},
		"a long line":   {write("long", "a\n"+long+"b\n"), 2},
		"gzip":          {write("gz", "\x1f\x8b\x08"), 0},
		"zstd":          {write("zst", "\x28\xb5\x2f\xfd\n\n\n"), 0},
		"skippable":     {write("skip", "\x5a\x2a\x4d\x18"), 0},
		"has a problem": {tasks.File{Path: "/none", ScanError: "not-found: x"}, 0},
	} {
		var got []tasks.File
		if err := SplitFile(t.Context(), tt.file, tasks.File{}, 64, collectInto(&got)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if tt.parts == 0 && (len(got) != 1 || got[0] != tt.file) || tt.parts > 0 && len(got) != tt.parts {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	var got []tasks.File
	gone := tasks.File{Path: filepath.Join(dir, "gone"), Size: 3}
	if err := SplitFile(t.Context(), gone, tasks.File{}, 64, collectInto(&got)); err != nil || len(got) != 1 ||
		!strings.HasPrefix(got[0].ScanError, "not-found") {
		t.Errorf("a file that is gone: %+v, %v", got, err)
	}
}

func TestSplitStops(t *testing.T) {
	content := bytes.Repeat([]byte("line\n"), 1000)
	f := tasks.File{Path: "/f", Size: int64(len(content))}
	enough := errors.New("enough")
	n := 0
	err := splitLines(t.Context(), bytes.NewReader(content), f, 10, func(tasks.File) error { n++; return enough })
	if !errors.Is(err, enough) || n != 1 {
		t.Errorf("after %d parts: %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := splitLines(ctx, bytes.NewReader(content), f, 10, collectInto(new([]tasks.File))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
