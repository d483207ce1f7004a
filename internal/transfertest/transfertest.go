// Package transfertest gives tests a transfer in a real database.
package transfertest

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Env is a transfer in a real database, without a queue.
type Env struct {
	T         *testing.T
	URL       string
	Store     *store.Store
	Transfers *dispatch.TransferCache
	Transfer  tasks.Transfer
}

// New makes a transfer under a recipe. Steps without a batch policy of their own
// get batches of 100.
func New(t *testing.T, url, yaml string) *Env {
	t.Helper()
	e := &Env{T: t, URL: url}
	var err error
	e.Store, err = store.Open(t.Context(), url, store.Options{})
	e.Must(err)
	t.Cleanup(func() { e.Must(e.Store.Close()) })
	_, err = e.Store.Migrate(t.Context())
	e.Must(err)
	e.Transfers = dispatch.NewTransferCache(e.Store.TransferByID, func(s *recipe.Step) tasks.BatchPolicy {
		return tasks.BatchPolicy{MaxItems: s.Batch.MaxItems}.Overlay(tasks.BatchPolicy{MaxItems: 100})
	})
	e.Transfer = e.Create(yaml)
	return e
}

// Must ends the test on an error.
func (e *Env) Must(err error) {
	e.T.Helper()
	if err != nil {
		e.T.Fatal(err)
	}
}

// Create makes a transfer under a recipe.
func (e *Env) Create(yaml string) tasks.Transfer {
	e.T.Helper()
	parsed, err := recipe.Parse("test.yaml", []byte(yaml))
	e.Must(err)
	n := store.NewTransfer{Name: "test", Via: tasks.ViaBulk, Queue: "default", Recipe: yaml, Sources: []string{"/"}}
	for _, s := range parsed.Steps {
		n.Steps = append(n.Steps, tasks.StepProgress{Number: s.Number, Name: s.Name, Handler: s.Handler})
	}
	for _, s := range parsed.FinalSteps {
		n.Finalizers = append(n.Finalizers, tasks.FinalizeStep{Number: s.Number, Name: s.Name, Handler: s.Handler})
	}
	tr, _, err := e.Store.Create(e.T.Context(), n)
	e.Must(err)
	return tr
}

// ByGroup makes the transfer one that was submitted by group.
func (e *Env) ByGroup() {
	e.T.Helper()
	_, err := e.DB().ExecContext(e.T.Context(), "UPDATE transfers SET via = ?", tasks.ViaGroup)
	e.Must(err)
}

// Files registers n files, seals the transfer and splits it into batches.
func (e *Env) Files(n int) []tasks.Batch {
	e.T.Helper()
	files := make([]tasks.File, n)
	for i := range files {
		files[i] = tasks.File{Path: fmt.Sprintf("/data/f%04d.txt", i+1), Size: int64(i)}
	}
	return e.Register(files)
}

// Register registers these files, seals the transfer and splits it into batches.
func (e *Env) Register(files []tasks.File) []tasks.Batch {
	e.T.Helper()
	e.Must(e.Store.AddFiles(e.T.Context(), store.FileBatch{Transfer: e.Transfer.ID, Files: files}))
	_, err := e.Store.Seal(e.T.Context(), e.Transfer.ID)
	e.Must(err)
	plan, err := e.Transfers.Get(e.T.Context(), e.Transfer.ID)
	e.Must(err)
	byStep := make(map[int][]tasks.File)
	c := ledger.Dispatch{Transfer: e.Transfer.ID, To: int64(len(files))}
	for i := range files {
		if step := plan.First(&files[i]); step > 0 {
			byStep[step] = append(byStep[step], files[i])
			continue
		}
		c.Finished++
	}
	for no := range plan.Recipe.Steps {
		c.Batches = append(c.Batches, dispatch.PlanBatches(plan, no+1, byStep[no+1], plan.Policy(no+1))...)
	}
	_, err = e.Store.CommitDispatch(e.T.Context(), c)
	e.Must(err)
	return c.Batches
}

// Open lists the open batches.
func (e *Env) Open() []tasks.Batch {
	e.T.Helper()
	open, err := e.Store.OpenBatches(e.T.Context(), e.Transfer.ID)
	e.Must(err)
	return open
}

// Claim claims a batch like a worker that received its message, and does not complete
// it. lost says that the queue has lost the previous worker of the batch.
func (e *Env) Claim(id int64, lost bool) ledger.Claim {
	e.T.Helper()
	c, err := e.Store.FindBatch(e.T.Context(), id)
	e.Must(err)
	e.Must(e.Store.ClaimBatch(e.T.Context(), &c, "transfertest", lost))
	e.Expire(id)
	return c
}

// Expire ends a worker's hold on a batch, as after a long time without heartbeats.
func (e *Env) Expire(id int64) {
	e.T.Helper()
	_, err := e.DB().ExecContext(e.T.Context(), "UPDATE batches SET held_until = NULL WHERE id = ?", id)
	e.Must(err)
}

// Results reads the results of a step, by file.
func (e *Env) Results(step int) map[int64]tasks.Result {
	e.T.Helper()
	lines, err := e.Store.Results(e.T.Context(), e.Transfer.ID, tasks.ResultSelector{Step: step}, tasks.ResultKey{}, 100_000)
	e.Must(err)
	m := make(map[int64]tasks.Result, len(lines))
	for i := range lines {
		m[lines[i].File] = lines[i].Result
	}
	return m
}

// DB returns a connection to the database that does not go through the store.
func (e *Env) DB() *sql.DB {
	e.T.Helper()
	return testkit.Database(e.T, e.URL)
}

// Refuse makes the database reject every statement with a result whose output contains
// "poison".
func (e *Env) Refuse() {
	e.T.Helper()
	statement := `CREATE TRIGGER refuse BEFORE INSERT ON results WHEN NEW.output LIKE '%poison%'
		BEGIN SELECT RAISE(ABORT, 'refused by the test'); END`
	if e.Store.Dialect() == db.MySQL {
		statement = `CREATE TRIGGER refuse BEFORE INSERT ON results FOR EACH ROW
			IF NEW.output LIKE '%poison%' THEN SIGNAL SQLSTATE '22003' SET MESSAGE_TEXT = 'refused by the test'; END IF`
	}
	_, err := e.DB().ExecContext(e.T.Context(), statement)
	e.Must(err)
}
