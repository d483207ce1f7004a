package handlers

import (
	"errors"
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestIsInObject(t *testing.T) {
	for object, want := range map[string]bool{
		"s3://films/p":              true,
		"s3://films/p/":             true,
		"s3://films/p/a/b":          true,
		"s3://films/p//a":           true,
		"s3://films/p/a/../b":       true,
		"s3://films/p/..a":          true,
		"s3://films/p/../secret":    false,
		"s3://films/p/a/../../b":    false,
		"s3://films/p/../../gone":   false,
		"s3://films/p-other":        false,
		"s3://films":                false,
		"s3://films-other/p/a":      false,
		"gs://films/p/a":            false,
		"/p/a":                      false,
		"s3://films/p/../p/a":       true,
		"s3://films/../films/p/a/b": false,
	} {
		if got := IsInObject("s3://films/p", object); got != want {
			t.Errorf("%s in the root: %v", object, got)
		}
	}
	for object, want := range map[string]bool{"s3://films/a/../b": true, "s3://films/../other/b": false, "s3://films": true, "s3://film/a": false} {
		if got := IsInObject("s3://films", object); got != want {
			t.Errorf("%s in the bucket: %v", object, got)
		}
	}
	if IsInObject("/", "s3://films/a") || IsInObject("s3://films", "/a") {
		t.Error("a folder is no bucket")
	}
}

// noObjects has an object at every path, which cannot be opened.
type noObjects struct{ opened *[]string }

var errOpened = errors.New("opened")

func (o noObjects) Open(path string) (ReadableFile, error) {
	*o.opened = append(*o.opened, path)
	return nil, errOpened
}

func TestRootsInObjectStorage(t *testing.T) {
	var opened []string
	r := rootsOf(t, "s3://films/p", t.TempDir())
	if _, err := r.Open("s3://films/p/a"); !errors.Is(err, ErrNoObjectStore) {
		t.Errorf("without a store: %v", err)
	}
	r.WithObjects(noObjects{&opened})
	if _, err := r.Open("s3://films/p/a"); !errors.Is(err, errOpened) {
		t.Errorf("inside: %v", err)
	}
	for _, path := range []string{"s3://films/q", "s3://other/p/a", "s3://films/p/../q", "gs://films/p/a"} {
		if _, err := r.Open(path); !errors.Is(err, ErrOutsideRoots) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if len(opened) != 1 {
		t.Errorf("opened %q", opened)
	}
	none := rootsOf(t, t.TempDir()).WithObjects(noObjects{&opened})
	if _, err := none.Open("s3://films/p/a"); !errors.Is(err, ErrOutsideRoots) {
		t.Errorf("folders allow no bucket: %v", err)
	}
}

// Keys lead nowhere else than files of the same names would.
func TestRelativePathsOfObjects(t *testing.T) {
	for _, c := range []struct {
		sources           []string
		path, local, keys string
	}{
		{[]string{"s3://films/p"}, "s3://films/p/a/b", "a/b", "a/b"},
		{[]string{"s3://films/p"}, "s3://films/p", "p", "p"},
		{[]string{"s3://films/p"}, "s3://films/p/../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd", "../../etc/passwd"},
		{[]string{"s3://films"}, "s3://films//etc//./a/", "%/etc/%/%2E/a/%", "/etc//./a/"},
		{[]string{"s3://films/p", "s3://films/q"}, "s3://films/q/a", "q/a", "q/a"},
		{[]string{"s3://films/p", "s3://other/q"}, "s3://films/p/a", "s3/films/p/a", "s3/films/p/a"},
		{[]string{"s3://films/p", "/data"}, "s3://films/p/a", "s3/films/p/a", "s3/films/p/a"},
		{[]string{"s3://films/p", "/data"}, "/data/a", "data/a", "data/a"},
		{nil, "gs://films/a", "gs/films/a", "gs/films/a"},
	} {
		job := NewJob(JobSpec{File: tasks.File{Path: c.path}, Sources: c.sources})
		if local, keys := job.RelativePath(), job.RelativeKey(); local != c.local || keys != c.keys {
			t.Errorf("%s of %q: %q and %q; want %q and %q", c.path, c.sources, local, keys, c.local, c.keys)
		}
	}
}

// The code of an error of reading says more than "io".
func TestRetryLaterKeepsACode(t *testing.T) {
	changed := RetryLater(CodeChangedWhileReading, errors.New("another"))
	for code, want := range map[string]string{CodeIO: CodeChangedWhileReading, CodeTimeout: CodeTimeout} {
		if v, _ := verdictOf(RetryLater(code, changed)); v.code != want {
			t.Errorf("%s becomes %s", code, v.code)
		}
	}
}
