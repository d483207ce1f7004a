package scan_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// bucket lists some objects, each of as many bytes as its path has; those whose key ends
// with a slash are empty.
type bucket struct {
	paths []string
	err   error // after the last
}

func (b bucket) List(_ context.Context, path string, emit func(tasks.File) error) error {
	found := false
	for _, p := range slices.Sorted(slices.Values(b.paths)) {
		if p != path && !strings.HasPrefix(p, path+"/") {
			continue
		}
		found = true
		if err := emit(objectAt(p)); err != nil {
			return err
		}
	}
	if !found && b.err == nil {
		return fs.ErrNotExist
	}
	return b.err
}

func objectAt(path string) tasks.File {
	f := tasks.File{Path: path, Size: int64(len(path))}
	if strings.HasSuffix(path, "/") {
		f.Size = 0
	}
	return f
}

func (b bucket) Stat(_ context.Context, path string) (tasks.File, error) {
	if slices.Contains(b.paths, path) {
		return objectAt(path), b.err
	}
	return tasks.File{}, errors.Join(b.err, fs.ErrNotExist)
}

func (b bucket) Exists(ctx context.Context, path string) error {
	return b.List(ctx, path, func(tasks.File) error { return nil })
}

func films() bucket {
	return bucket{paths: []string{
		"s3://films/p", "s3://films/p/", "s3://films/p/.hidden", "s3://films/p/a b.mp4", "s3://films/p/a/../c", "s3://films/p/empty/",
		"s3://films/p/sub/", "s3://films/p/sub/c.tmp", "s3://films/p/sub/d.mp4", "s3://films/p/x//y", "s3://films/p-other", "s3://films/q/e.mp4",
	}}
}

func TestScanObjects(t *testing.T) {
	t.Parallel()
	s := &seen{root: "s3://films"}
	var err error
	s.report, err = scan.Scan(t.Context(), []string{"s3://films/q", "s3://films/p", "s3://films/p/sub"}, scan.Options{Objects: films()}, s.emit)
	testkit.Must(t, err)
	s.want(t, "q/e.mp4", "p", "p/.hidden", "p/a b.mp4", "p/a/../c", "p/sub/c.tmp", "p/sub/d.mp4", "p/x//y")
	if s.report.EmptyFolders != 1 || s.report.Hidden == 0 {
		t.Errorf("%+v", s.report)
	}
	starts, err := scan.ResolveSources([]string{"s3://films/q", "s3://films/p", "s3://films/p/sub"})
	testkit.Must(t, err)
	for i := range s.files[1:] {
		if !scan.SourceOrder(starts, s.files[i].Path, s.files[i+1].Path) || scan.SourceOrder(starts, s.files[i+1].Path, s.files[i].Path) {
			t.Errorf("%s is not before %s", s.files[i].Path, s.files[i+1].Path)
		}
	}
	if !scan.SourceOrder([]string{"s3://films"}, "s3://films/a-b", "s3://films/a/b") {
		t.Error("objects are not in the order of the bytes of their keys")
	}
}

func TestScanSelectsObjects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		selection tasks.Selection
		want      string
	}{
		{tasks.Selection{Include: []string{"*.mp4"}}, "p/a b.mp4 p/sub/d.mp4"},
		{tasks.Selection{Exclude: []string{"sub/"}}, "p p/.hidden p/a b.mp4 p/a/../c p/x//y"},
		{tasks.Selection{Exclude: []string{"/x", ".*", "p"}}, "p/a b.mp4 p/sub/c.tmp p/sub/d.mp4"},
		{tasks.Selection{MinSize: 21}, "p/sub/c.tmp p/sub/d.mp4"},
	} {
		selector, err := scan.NewSelector(c.selection)
		testkit.Must(t, err)
		s := &seen{root: "s3://films"}
		_, err = scan.Scan(t.Context(), []string{"s3://films/p"}, scan.Options{Objects: films(), Select: selector}, s.emit)
		testkit.Must(t, err)
		if got := strings.Join(s.shown, " "); got != c.want {
			t.Errorf("%s: %q; want %q", c.selection, got, c.want)
		}
	}
}

func TestListsOfObjects(t *testing.T) {
	t.Parallel()
	s := &seen{root: "s3://films"}
	list := "s3://films/p/sub\ns3://films/p/sub/c.tmp\ns3://films/p/a b.mp4\ns3://films/gone\ns3://films/p/a b.mp4\n"
	var err error
	s.report, err = scan.ReadPaths(t.Context(), strings.NewReader(list), false, scan.Options{Objects: films()}, s.emit)
	testkit.Must(t, err)
	s.want(t, "p/sub/c.tmp", "p/sub/d.mp4", "p/a b.mp4", "gone !not-found", "p/a b.mp4")
}

// What is missing gets a failed result; what could not be listed to its end is an error.
func TestObjectsThatCannotBeListed(t *testing.T) {
	t.Parallel()
	source := []string{"s3://films/gone"}
	for name, c := range map[string]struct {
		objects scan.ObjectLister
		want    string
	}{
		"missing": {films(), "gone !not-found"},
		"denied":  {bucket{err: fs.ErrPermission}, "gone !permission-denied"},
		"none":    {nil, "gone !unreadable"},
	} {
		s := &seen{root: "s3://films"}
		if _, err := scan.Scan(t.Context(), source, scan.Options{Objects: c.objects}, s.emit); err != nil || strings.Join(s.shown, " ") != c.want {
			t.Errorf("%s: %q, %v", name, s.shown, err)
		}
		if err := scan.Missing(t.Context(), source, c.objects); err == nil || !strings.Contains(err.Error(), "s3://films/gone: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := films()
	broken.err = errors.New("the connection broke")
	for _, path := range []string{"s3://films/p", "s3://films/gone"} {
		if _, err := scan.Scan(t.Context(), []string{path}, scan.Options{Objects: broken}, func(tasks.File) error { return nil }); !errors.Is(err, broken.err) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := scan.Missing(t.Context(), []string{"s3://films/p"}, films()); err != nil {
		t.Error(err)
	}
}
