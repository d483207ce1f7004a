package scan_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// tree makes files, named by their paths below a new directory and filled with
// their own names, and returns that directory without symlinks on the way.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	testkit.Must(t, err)
	testkit.WriteTree(t, root, files...)
	return root
}

// seen is what a scan emitted and noticed: paths below root, with "!code" for
// a problem and "@detail" for a notice.
type seen struct {
	root    string
	files   []tasks.File
	shown   []string
	notices []string
	report  scan.Report
}

func (s *seen) emit(f tasks.File) error {
	s.files = append(s.files, f)
	shown := s.short(f.Path)
	if code, _, bad := strings.Cut(f.ScanError, ":"); bad {
		shown += " !" + code
	}
	s.shown = append(s.shown, shown)
	return nil
}

func (s *seen) notice(n scan.SkippedEntry) {
	detail, _, _ := strings.Cut(n.Detail, ":")
	s.notices = append(s.notices, fmt.Sprintf("%s %s @%s", s.short(n.Path), n.Reason, detail))
}

func (s *seen) short(path string) string { return strings.TrimPrefix(path, s.root+"/") }

func (s *seen) want(t *testing.T, files ...string) {
	t.Helper()
	if !slices.Equal(s.shown, files) {
		t.Errorf("emitted %q\n   want %q", s.shown, files)
	}
	var bytes, problems int64
	for _, f := range s.files {
		bytes += f.Size
		if f.ScanError != "" {
			problems++
			if f.Size != 0 || !f.MTime.IsZero() {
				t.Errorf("%+v tells more than can be known", f)
			}
		}
	}
	if r := s.report; r.Files != int64(len(s.files)) || r.Bytes != bytes || r.Problems != problems {
		t.Errorf("report %+v of %d files, %d bytes, %d problems", r, len(s.files), bytes, problems)
	}
}

func (s *seen) wantNotices(t *testing.T, notices ...string) {
	t.Helper()
	if !slices.Equal(s.notices, notices) {
		t.Errorf("noticed %q\n   want %q", s.notices, notices)
	}
	if n := s.report.Links + s.report.Specials; n != int64(len(notices)) {
		t.Errorf("report %+v of %d notices", s.report, len(notices))
	}
}

// scanAll scans sources given by their paths below root.
func scanAll(t *testing.T, root string, exclude []string, sources ...string) *seen {
	t.Helper()
	s := &seen{root: root}
	for i, source := range sources {
		sources[i] = filepath.Join(root, source)
	}
	var err error
	s.report, err = scan.Scan(t.Context(), sources, scan.Options{Exclude: exclude, OnSkipped: s.notice}, s.emit)
	testkit.Must(t, err)
	return s
}
