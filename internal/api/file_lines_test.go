package api

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFileLines(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"path":"/a"}`: "",
		`{"path":"/a","size":0,"mtime":"2026-01-02T03:04:05.5Z"}`:    "",
		`{"path_bytes":"L2H/"}`:                                      "",
		`{"path":""}`:                                                "path is missing",
		`{"path":"a"}`:                                               "path is not absolute",
		`{"path":"/a\u0000b"}`:                                       "path holds a NUL byte",
		`{"path":"/a","size":-1}`:                                    "size is negative",
		`{"path":"/a","mtime":"2026-01-02T03:04:05Z"}`:               "mtime without size",
		`{"path":"/a","size":1,"mtime":"9999-12-31T23:59:59-12:00"}`: "mtime is not between the years 1000 and 9999",
		`{"path":"/a","size":1,"mtime":"0001-01-01T00:00:00Z"}`:      "mtime is not between",
		`{"path":"/` + strings.Repeat("a/", 4000) + `"}`:             "path is longer than 4096 bytes",
		"{\"path\":\"/a\xff\"}":                                      "send its bytes as path_bytes",
		`{"path":"/a\ud800"}`:                                        "send its bytes as path_bytes",
		`{"path":"/a\uFFFD"}`:                                        "",
		"{\"path\":\"/a\uFFFD\"}":                                    "",
		`{"path":"/a\ud83d\ude00"}`:                                  "",
		`{"path":"/a","siez":1}`:                                     `unknown field "siez"`,
		`{"path":7}`:                                                 "path is a number",
		`{"path":"/a"}{"path":"/b"}`:                                 "more than one value",
		`{"path":"/a"`:                                               "it is cut off",
		`nonsense`:                                                   "invalid character",
		`[]`:                                                         "array",
		`null`:                                                       "path is missing",
	} {
		f, reason := parseFileLine([]byte(text))
		if (reason == "") != (want == "") || !strings.Contains(reason, want) || strings.Contains(reason, "Go ") {
			t.Errorf("%s: %q, want %q", text, reason, want)
		}
		if reason == "" && !filepath.IsAbs(f.Path) {
			t.Errorf("%s: %+v", text, f)
		}
	}
}

// For any data of a client, every file has an absolute path, and the stream ends.
func FuzzFileLines(f *testing.F) {
	f.Add([]byte("{\"path\":\"/a\"}\n\n{\"path\":\"/b\",\"size\":1}"))
	f.Add(bytes.Repeat([]byte{'x'}, 2*maxLine))
	f.Fuzz(func(t *testing.T, body []byte) {
		l := &fileLines{r: newFileLines(bytes.NewReader(body), nil).r, deadline: func(time.Time) error { return nil }}
		n := 0
		for file, err := range l.all() {
			if err == nil && (!filepath.IsAbs(file.Path) || strings.ContainsRune(file.Path, 0) || file.Size < 0) {
				t.Errorf("%+v", file)
			}
			if n++; n > len(body)+1 {
				t.Fatal("it does not end")
			}
		}
	})
}

func TestLineNumbersCountEmptyLines(t *testing.T) {
	t.Parallel()
	body := strings.NewReader("{\"path\":\"/a\"}\n\n\r\n{\"path\":\"b\"}\n")
	l := &fileLines{r: newFileLines(io.Reader(body), nil).r, deadline: func(time.Time) error { return nil }}
	files := 0
	var wrong *lineError
	for _, err := range l.all() {
		if err == nil {
			files++
		} else if !errors.As(err, &wrong) {
			t.Error(err)
		}
	}
	if files != 1 || wrong == nil || wrong.line != 4 {
		t.Errorf("%d files, and %+v", files, wrong)
	}
}

// The database may be away for a while with half a line in the buffer.
func TestEachLineThatIsAwaitedHasTime(t *testing.T) {
	t.Parallel()
	client, server := io.Pipe()
	deadlines := 0
	l := &fileLines{r: newFileLines(client, nil).r, deadline: func(time.Time) error { deadlines++; return nil }}
	go func() {
		_, _ = io.WriteString(server, "{\"path\":\"/a\"}\n{\"path\":\"/b\"}\n{\"pa") // an error shows in the files
		_, _ = io.WriteString(server, "th\":\"/c\"}\n")
		_ = server.Close()
	}()
	var had []int
	for _, err := range l.all() {
		if err != nil {
			t.Fatal(err)
		}
		had = append(had, deadlines)
	}
	if want := []int{1, 1, 2}; !slices.Equal(had, want) {
		t.Errorf("%v deadlines were set before the files, want %v", had, want)
	}
}
