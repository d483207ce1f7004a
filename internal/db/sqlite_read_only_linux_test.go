package db

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// readURLVariable names a database to the child of TestReadAsAUserWhoMayNotWrite.
const readURLVariable = "BALER_TEST_READ_URL"

// A user who may read the files and not write them sees what a running process has
// committed, and what one that is dead has left.
func TestReadAsAUserWhoMayNotWrite(t *testing.T) {
	if url := os.Getenv(readURLVariable); url != "" {
		readAsChild(t, url)
		return
	}
	t.Parallel()
	open := openFolder(t)
	program := filepath.Join(open, "test")
	testkit.Must(t, os.Link(os.Args[0], program)) // the folder that it lies in is closed to others
	running, dead := filepath.Join(open, "running", "baler.db"), filepath.Join(open, "dead", "baler.db")
	testkit.Must(t, os.Mkdir(filepath.Dir(dead), 0o755))
	d, err := Open(t.Context(), "sqlite:"+running, Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, d)
	_, err = d.Migrate(t.Context())
	testkit.Must(t, err)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		content, err := os.ReadFile(running + suffix)
		testkit.Must(t, err)
		testkit.Must(t, os.WriteFile(dead+suffix, content, 0o600))
	}
	for _, path := range []string{running, dead} {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			testkit.Must(t, os.Chmod(path+suffix, 0o444))
		}
		testkit.Must(t, os.Chmod(filepath.Dir(path), 0o555))
		cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestReadAsAUserWhoMayNotWrite$", "-test.v")
		cmd.Env = append(os.Environ(), readURLVariable+"=sqlite:"+path)
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("nothing is pending")) {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
		testkit.Must(t, os.Chmod(filepath.Dir(path), 0o755))
	}
}

// openFolder makes a folder that other users may enter, unlike t.TempDir.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "baler") //nolint:usetesting // see above
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, os.RemoveAll(dir)) })
	testkit.Must(t, os.Chmod(dir, 0o755))
	return dir
}

func readAsChild(t *testing.T, url string) {
	d, err := Open(t.Context(), url, Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, d)
	pending, err := d.Pending(t.Context())
	if err != nil || len(pending) > 0 || d.writable() == nil {
		t.Fatalf("lacks %v, %v, writable %v", pending, err, d.writable())
	}
	t.Log("nothing is pending")
}
