package doctor_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/doctor"
	"github.com/balerhq/baler/internal/testkit"
)

func TestJournal(t *testing.T) {
	t.Parallel()
	s := newSite(t, testkit.Redis(t))
	dir := filepath.Join(t.TempDir(), "journal")
	s.cfg.Journal.Dir = dir
	s.expect(t, "journal", doctor.StatusError, "or correct journal.dir", nil)
	testkit.Must(t, os.Mkdir(dir, 0o700))
	s.expect(t, "journal", doctor.StatusOK, dir+" is writable", nil)
	s.expect(t, "journaled", doctor.StatusOK, "has every transfer that has ended", nil)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("doctor left %v: %v", left, err)
	}
	tr := s.unfinished(t, "stat")
	_, err := s.store.Cancel(t.Context(), tr.ID)
	testkit.Must(t, err)
	s.expect(t, "journaled", doctor.StatusOK, "lacks: 1", nil)
	later := func() time.Time { return time.Now().Add(time.Hour) }
	s.expect(t, "journaled", doctor.StatusWarning, tr.UUID, later)
	s.expect(t, "journaled", doctor.StatusWarning, "run a worker or a server with journal.dir", later)
	now, err := s.store.Transfer(t.Context(), tr.UUID)
	testkit.Must(t, err)
	testkit.Must(t, s.store.MarkJournaled(t.Context(), tr.ID, now.EndedAt))
	s.expect(t, "journaled", doctor.StatusOK, "has every transfer that has ended", later)
}
