package journal

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/sys/unix"

	"github.com/balerhq/baler/internal/testkit"
)

// On a full disk nothing is lost and nothing half-written stays: the file ends after the last
// transfer that is complete, and the others follow when there is room.
func TestFullDisk(t *testing.T) {
	dir, resize := testkit.SmallDisk(t, "size=256k")
	f := ended(3)
	large := make([]byte, 1<<20)
	for i := range large {
		large[i] = byte(rand.Uint32())
	}
	f.content["t2"] = string(large)
	j := newJournal(t, f, func(o *Options) { o.Dir, o.Compression, o.MaxSize = dir, Zstd, 8<<20 })
	for range 2 {
		j.pass(t.Context())
	}
	if got := content(t, dir); len(got) != 1 || got[0] != "t1\n" {
		t.Errorf("written %d bytes in %d files", len(got[0]), len(got))
	}
	if n := testutil.ToFloat64(j.metrics.failures); n != 2 || testutil.ToFloat64(j.metrics.waiting) != 2 {
		t.Errorf("%v failures, %v waiting", n, testutil.ToFloat64(j.metrics.waiting))
	}
	resize("size=4m")
	testkit.Must(t, j.Pass(t.Context()))
	if got := content(t, dir); len(got) != 1 || got[0] != "t1\n"+string(large)+"t3\n" {
		t.Error("the rest is not written")
	}
}

// When the disk is full just as a new file is begun, the full file stays as it is, and the others
// follow in new files when there is room.
func TestFullDiskWhileRotating(t *testing.T) {
	dir, resize := testkit.SmallDisk(t, "size=1m,nr_inodes=2") // the folder and a file
	f := ended(3)
	j := newJournal(t, f, func(o *Options) { o.Dir, o.MaxSize = dir, 1 })
	for range 2 {
		if err := j.Pass(t.Context()); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("on a full disk it ends with %v", err)
		}
	}
	if got := content(t, dir); !slices.Equal(got, []string{"t1\n"}) || len(f.journaled) != 1 {
		t.Errorf("written %q, journaled %v", got, f.journaled)
	}
	resize("size=1m,nr_inodes=10")
	testkit.Must(t, j.Pass(t.Context()))
	got := content(t, dir)
	slices.Sort(got) // files of one millisecond have no order
	if !slices.Equal(got, []string{"t1\n", "t2\n", "t3\n"}) || len(f.journaled) != 3 {
		t.Errorf("written %q, journaled %v", got, f.journaled)
	}
}

// A transfer counts as written when the disk has it. A pipe takes all and cannot be synced.
func TestWithoutASyncNothingIsWritten(t *testing.T) {
	r, w, err := os.Pipe()
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, errors.Join(r.Close(), w.Close())) })
	f := &file{f: w, compression: None}
	broken, err := f.add(func(to io.Writer) error {
		_, err := io.WriteString(to, "t1\n")
		return err
	})
	if !broken || !errors.Is(err, unix.EINVAL) || f.size > 0 {
		t.Errorf("broken %v, size %d: %v", broken, f.size, err)
	}
}
