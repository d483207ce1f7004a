package systemtest

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// While the journal cannot be written, retention deletes no transfer that the journal lacks.
// It deletes a later one that the journal has, which shows that it has looked.
func TestRetentionWaitsForTheJournal(t *testing.T) {
	t.Parallel()
	c := servers(t)
	b := open(t, c, nil)
	stop := work(t, b)
	var ended []tasks.Transfer
	for range 2 {
		tr := submit(t, b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, 1)}, Via: tasks.ViaBulk, Recipe: yaml(t, "name: t\nsteps: [{handler: noop}]"),
		})
		ended = append(ended, wait(t, b, tr.UUID))
	}
	stop()
	s, err := store.Open(t.Context(), c.Database.URL, store.Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, s)
	testkit.Must(t, s.MarkJournaled(t.Context(), ended[1].ID, ended[1].EndedAt))

	file := filepath.Join(t.TempDir(), "file")
	testkit.WriteFile(t, file, "")
	c.Journal.Dir = filepath.Join(file, "journal") // also root cannot make a folder below a file
	c.Retention.OlderThan = time.Millisecond
	work(t, open(t, c, nil))
	eventually(t, func() error {
		_, err := b.Transfer(t.Context(), ended[1].UUID)
		if _, deleted := errors.AsType[*tasks.DeletedError](err); deleted {
			return nil
		}
		return errors.Join(errors.New("the transfer that the journal has is not deleted"), err)
	})
	if _, err := b.Transfer(t.Context(), ended[0].UUID); err != nil {
		t.Errorf("the transfer that the journal lacks: %v", err)
	}
}
