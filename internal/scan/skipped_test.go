package scan_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func link(t *testing.T, root, target, name string) {
	t.Helper()
	testkit.Must(t, os.Symlink(target, filepath.Join(root, name)))
}

func TestScanNoticesLinksAndFollowsNone(t *testing.T) {
	root := tree(t, "in/file", "in/dir/x", "out/secret")
	link(t, root, "file", "in/l1")
	link(t, root, "dir", "in/l2")
	link(t, root, "../out/secret", "in/l3")
	link(t, root, "nowhere", "in/l4")
	link(t, root, "l5", "in/l5")
	link(t, root, "..", "in/dir/l6")
	link(t, root, "../..", "in/dir/l7")
	link(t, root, "file/not a folder", "in/l8")

	s := scanAll(t, root, nil, "in")
	s.want(t, "in/dir/x", "in/file")
	s.wantNotices(t,
		"in/dir/l6 symlink @loops",
		"in/dir/l7 symlink @loops",
		"in/l1 symlink @stays inside",
		"in/l2 symlink @stays inside",
		"in/l3 symlink @leads out of the sources",
		"in/l4 symlink @broken",
		"in/l5 symlink @loops",
		"in/l8 symlink @unreadable",
	)
	scanAll(t, root, nil, "in", "out").want(t, "in/dir/x", "in/file", "out/secret")
}

func TestScanNeedNotTellWhatItNotices(t *testing.T) {
	root := tree(t, "file")
	link(t, root, "file", "link")
	report, err := scan.Scan(t.Context(), []string{root}, scan.Options{}, func(tasks.File) error { return nil })
	testkit.Must(t, err)
	if report.FolderDigest = ""; report != (scan.Report{Files: 1, Bytes: 4, Links: 1}) {
		t.Errorf("report %+v", report)
	}
}

func TestScanResolvesASourceThatIsALink(t *testing.T) {
	root := tree(t, "real/file")
	link(t, root, "real", "one")
	link(t, root, "one", "two")
	link(t, root, "real/file", "straight")
	link(t, root, "nowhere", "broken")
	link(t, root, "round", "round")

	scanAll(t, root, nil, "two").want(t, "real/file")
	scanAll(t, root, nil, "straight").want(t, "real/file")
	scanAll(t, root, nil, "broken", "round", "one").want(t, "broken !not-found", "round !unreadable", "real/file")
	// A link on the way to a source is the business of whoever named it.
	scanAll(t, root, nil, "one/file").want(t, "one/file")
}

func TestScanNoticesASocket(t *testing.T) {
	root := tree(t, "file")
	t.Chdir(root) // the address of a socket must be short
	socket, err := net.Listen("unix", "socket")
	testkit.Must(t, err)
	defer func() { testkit.Must(t, socket.Close()) }()

	s := scanAll(t, root, nil, "")
	s.want(t, "file")
	s.wantNotices(t, "socket special @socket")
	s = scanAll(t, root, nil, "socket")
	s.want(t)
	s.wantNotices(t, "socket special @socket")
}
