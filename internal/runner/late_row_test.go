package runner

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// onceLooked calls do at the first line of the log that says that a batch is looked up again.
type onceLooked struct {
	once sync.Once
	do   func()
}

// Write implements io.Writer.
func (l *onceLooked) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("looking again")) {
		l.once.Do(l.do)
	}
	return len(line), nil
}

// A message may arrive before the server that a worker reads from has the row that another
// server of its cluster has committed.
func TestMessageBeforeItsRow(t *testing.T) {
	t.Parallel()
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: ends}]")
		r.handle("ends", endAs(tasks.OutcomeSucceeded))
		batches := r.Files(2)
		rows := testkit.Database(t, url)
		renumber := func(from, to int64) {
			_, err := rows.ExecContext(t.Context(), "UPDATE batches SET id = ? WHERE id = ?", to, from)
			r.Must(err)
		}
		late, id := batches[0].ID+1000, batches[0].ID
		renumber(id, late)
		looked := false
		log := &onceLooked{do: func() { looked = true; renumber(late, id) }}
		w := r.worker("w", func(o *Options) {
			o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		r.Must(r.deliver(w, &batches[0]))
		r.finish(w)
		r.audit()
		if letters, err := r.Store.DeadLetters(t.Context(), 0, 9); err != nil || len(letters) > 0 || !looked {
			t.Errorf("looked again: %v; dead letters: %+v, %v", looked, letters, err)
		}
	})
}
