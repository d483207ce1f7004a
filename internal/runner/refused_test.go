package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestRowThatTheDatabaseRefusesIsIsolated(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: writes}, {handler: after}]")
		r.Refuse()
		r.handle("writes", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				if no := j.File().No; no == 7 || no == 33 {
					j.WriteOutput([]byte("poison"))
				}
				if j.File().No < 20 {
					j.Done() // early or at the close: both ways
				}
			}
			return nil
		})
		r.handle("after", func(context.Context, []*handlers.Job) error { return nil })
		r.Files(50)
		r.finish(r.worker("w"))
		tr := r.audit()
		if got := tr.Steps[0].Counts; got.Succeeded != 48 || got.Error != 2 {
			t.Errorf("counted %+v", got)
		}
		for _, no := range []int64{7, 33} {
			got := r.Results(1)[no]
			if got.Outcome != tasks.OutcomeError || got.Code != handlers.CodeDatabaseRejected || !strings.Contains(got.Error, "refused by the test") || got.Output != "" {
				t.Errorf("file %d: %+v", no, got)
			}
		}
		if tr.Steps[1].Selected != 48 { // what ended in error goes no further
			t.Errorf("%d files went on", tr.Steps[1].Selected)
		}
	})
}

// Values that the databases refuse: a number that is too large for the column, and facts
// nested deeper than MariaDB reads JSON.
func TestResultsBeyondTheColumns(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: writes}]")
		r.handle("writes", func(_ context.Context, jobs []*handlers.Job) error {
			jobs[0].SetStatus(1<<40, tasks.OutcomeFailed, "huge")
			var deep any = 1
			for range 100 {
				deep = []any{deep}
			}
			return jobs[1].SetFact("deep", deep)
		})
		r.Files(3)
		r.finish(r.worker("w"))
		r.audit()
		got := r.Results(1)
		if r.Store.Dialect() == db.MySQL && (got[1].Code != handlers.CodeDatabaseRejected || got[2].Code != handlers.CodeDatabaseRejected) {
			t.Errorf("not refused: %+v", got)
		}
		if len(got) != 3 || got[3].Outcome != tasks.OutcomeSucceeded {
			t.Errorf("recorded %+v", got)
		}
	})
}

// The notes of a failed try are not worth the batch.
func TestTryThatTheDatabaseRefuses(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: flaky}]")
		statement := "CREATE TRIGGER refuse BEFORE INSERT ON attempts BEGIN SELECT RAISE(ABORT, 'refused'); END"
		if r.Store.Dialect() == db.MySQL {
			statement = "CREATE TRIGGER refuse BEFORE INSERT ON attempts FOR EACH ROW SIGNAL SQLSTATE '22003'"
		}
		_, err := r.DB().ExecContext(t.Context(), statement)
		r.Must(err)
		r.handle("flaky", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				if j.Attempt() == 1 && j.File().No == 2 {
					j.SetStatus(1, tasks.OutcomeError, "busy")
				}
			}
			return nil
		})
		r.Files(3)
		r.finish(r.worker("w"))
		if got := r.audit().Steps[0].Succeeded; got != 3 {
			t.Errorf("%d succeeded", got)
		}
	})
}

// Output of the largest kind, in one batch that many transactions share.
func TestOutputOfManyKinds(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: writes}]")
		texts := []string{
			"", "\x00", "'; DROP TABLE results; --", "a\\", "\xff\xfe\x00bytes", "é", "😀", strings.Repeat("😀", 1<<16),
			strings.Repeat("\x00", 1<<17), strings.Repeat("'\\", 1<<16), "? ?? ?", "\u2028\n\r\t",
		}
		r.handle("writes", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				text := texts[j.File().No-1]
				j.WriteOutput([]byte(text))
				j.WriteError([]byte(text))
				if err := j.SetFact("text", text); err != nil {
					fmt.Fprint(j.ErrorOutput(), err)
				}
				j.SetStatus(-1, tasks.OutcomeWarning, text)
			}
			return nil
		})
		r.Files(len(texts))
		r.finish(r.worker("w"))
		if got := r.audit().Steps[0].Warning; got != int64(len(texts)) {
			t.Errorf("%d warnings: %+v", got, r.Results(1))
		}
		if got := r.Results(1)[7]; got.Output != "😀" || string(got.Facts) != `{"text":"😀"}` && string(got.Facts) != `{"text": "😀"}` {
			t.Errorf("recorded %q, %s", got.Output, got.Facts)
		}
	})
}

// A server that takes small statements gets small ones. A result that is larger
// than those is one file's error, and the other files keep theirs.
func TestServerThatTakesSmallStatements(t *testing.T) {
	t.Parallel()
	r := newEnv(t, testkit.NewMySQLServer(t, "--max-allowed-packet=1M").URL(), "name: t\nsteps: [{handler: writes}]")
	r.handle("writes", func(_ context.Context, jobs []*handlers.Job) error {
		for _, j := range jobs {
			size := 65_000
			if j.File().No == 7 {
				size = 3 << 20
			}
			j.WriteOutput([]byte(strings.Repeat("é", size/2)))
		}
		return nil
	})
	r.Files(200)
	r.finish(r.worker("w", func(o *Options) { o.MaxOutput = 4 << 20 }))
	if got := r.audit().Steps[0].Counts; got.Succeeded != 199 || got.Error != 1 {
		t.Errorf("counted %+v", got)
	}
	got := r.Results(1)[7]
	if got.Code != handlers.CodeDatabaseRejected || !strings.Contains(got.Error, "raise its max_allowed_packet") {
		t.Errorf("recorded %+v", got)
	}
}

// The database refuses one result while the batch still runs and another one at its end: neither
// file goes on.
func TestRowsThatTheDatabaseRefusesEarlyAndLate(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: writes}, {handler: after}]")
		r.Refuse()
		r.handle("writes", func(_ context.Context, jobs []*handlers.Job) error {
			jobs[0].WriteOutput([]byte("poison"))
			jobs[0].Done()
			testkit.Eventually(t, time.Minute, func() error {
				if n := len(r.Results(1)); n != 1 {
					return fmt.Errorf("%d results are recorded early", n)
				}
				return nil
			})
			jobs[1].WriteOutput([]byte("poison"))
			return nil
		})
		var went []int64
		r.handle("after", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				went = append(went, j.File().No)
			}
			return nil
		})
		completed := 0
		r.Files(3)
		r.finish(r.worker("w", func(o *Options) { o.OnCompleted = func(context.Context, int64) { completed++ } }))
		r.audit()
		if !slices.Equal(went, []int64{3}) {
			t.Errorf("files %v went on, want 3 alone", went)
		}
		if completed != 1 {
			t.Errorf("the end of the transfer was reported %d times", completed)
		}
	})
}
