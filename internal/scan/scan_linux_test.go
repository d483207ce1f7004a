package scan_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

const nobody = 65534

// asNobody makes this test's thread, when it is root's, access files as nobody
// does, so that permissions count. The thread ends with the test.
func asNobody(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	runtime.LockOSThread()
	testkit.Must(t, syscall.Setfsuid(nobody))
	testkit.Must(t, syscall.Setfsgid(nobody))
}

func TestScanKeepsWhatIsForbidden(t *testing.T) {
	root := tree(t, "a", "locked/x", "named/x", "named/deep/x", "z")
	testkit.Must(t, os.Chmod(filepath.Dir(root), 0o755))
	testkit.Must(t, os.Chmod(root, 0o755))
	testkit.Must(t, os.Chmod(filepath.Join(root, "locked"), 0))
	testkit.Must(t, os.Chmod(filepath.Join(root, "named"), 0o711)) // may be entered, not listed
	if os.Geteuid() == 0 {
		testkit.Must(t, os.Chown(root, nobody, nobody))
	} else {
		testkit.Must(t, os.Chmod(filepath.Join(root, "named"), 0o111))
	}
	t.Cleanup(func() {
		testkit.Must(t, os.Chmod(filepath.Join(root, "locked"), 0o755))
		testkit.Must(t, os.Chmod(filepath.Join(root, "named"), 0o755))
	})

	t.Run("as nobody", func(t *testing.T) {
		asNobody(t)
		if _, err := os.Stat(filepath.Join(root, "a")); err != nil {
			t.Skipf("the folder of temporary files is closed to others: %v", err)
		}
		scanAll(t, root, nil, "").want(t, "a", "locked !permission-denied", "named !permission-denied", "z")
		scanAll(t, root, nil, "locked/x", "z").want(t, "locked/x !permission-denied", "z")
		scanAll(t, root, nil, "", "named/x").want(t,
			"a", "locked !permission-denied", "named !permission-denied", "z", "named/x")
		scanAll(t, root, nil, "", "named/deep/x").want(t,
			"a", "locked !permission-denied", "named !permission-denied", "z", "named/deep/x")

		// A file that no folder lists is emitted in the place of its source.
		s := scanAll(t, root, nil, "named/deep/x", "", "named/x")
		s.want(t, "named/deep/x", "a", "locked !permission-denied", "named !permission-denied", "z", "named/x")
		var emitted []string
		for _, f := range s.files {
			emitted = append(emitted, f.Path)
		}
		wantOrder(t, []string{root + "/named/deep/x", root, root + "/named/x"}, emitted)
	})
}

func TestScanNoticesPipesAndDevices(t *testing.T) {
	root := tree(t, "file")
	testkit.Must(t, syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600))
	s := scanAll(t, root, nil, "")
	s.want(t, "file")
	s.wantNotices(t, "pipe special @named pipe")

	s = scanAll(t, "/dev", nil, "null")
	s.want(t)
	s.wantNotices(t, "null special @character device")
}
