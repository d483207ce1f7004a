package runner

import (
	"context"
	"math"
	"testing"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Messages that cannot be read are kept as dead letters, counted and acknowledged, and the
// next batch runs.
func TestMessagesThatAreNotOurs(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: ends}]")
		ran := 0
		r.handle("ends", func(_ context.Context, jobs []*handlers.Job) error { ran += len(jobs); return nil })
		batches := r.Files(1)
		ours := tasks.NewBatchMessage(&batches[0])
		wrong := func(change func(*tasks.BatchMessage)) []byte {
			m := ours
			change(&m)
			return m.Encode()
		}
		messages := map[string]*asynq.Task{
			"foreign":               asynq.NewTask("email:send", []byte(`{"to":"you"}`)),
			"without payload":       asynq.NewTask("email:send", nil),
			"bytes":                 asynq.NewTask("odd\xff\x00", []byte{0, 0xff, 0xfe, '\n'}),
			"empty batch":           asynq.NewTask(tasks.TypeBatch, nil),
			"garbage batch":         asynq.NewTask(tasks.TypeBatch, []byte(`{"v":1,"batch":"x"}`)),
			"later version":         asynq.NewTask(tasks.TypeBatch, wrong(func(m *tasks.BatchMessage) { m.V = 2 })),
			"other transfer":        asynq.NewTask(tasks.TypeBatch, wrong(func(m *tasks.BatchMessage) { m.Transfer++ })),
			"other attempt":         asynq.NewTask(tasks.TypeBatch, wrong(func(m *tasks.BatchMessage) { m.Attempt++ })),
			"other files":           asynq.NewTask(tasks.TypeBatch, wrong(func(m *tasks.BatchMessage) { m.Files = "1-2" })),
			"no such batch":         asynq.NewTask(tasks.TypeBatch, wrong(func(m *tasks.BatchMessage) { m.Batch = 4711 })),
			"large batch":           asynq.NewTask(tasks.TypeBatch, append(ours.Encode(), make([]byte, tasks.MaxPayload)...)),
			"file of bulk":          asynq.NewTask(tasks.TypeFile, tasks.FileMessage{V: 1, Transfer: r.Transfer.ID, Step: 1, File: 1}.Encode()),
			"other step":            asynq.NewTask(tasks.TypeBatch, wrong(func(m *tasks.BatchMessage) { m.Step++ })),
			"garbage file":          asynq.NewTask(tasks.TypeFile, []byte(`[]`)),
			"file of no transfer":   asynq.NewTask(tasks.TypeFile, tasks.FileMessage{V: 1, Transfer: 999, Step: 1, File: 1}.Encode()),
			"file at no step":       asynq.NewTask(tasks.TypeFile, tasks.FileMessage{V: 1, Transfer: r.Transfer.ID, Step: 9, File: 1}.Encode()),
			"enormous type":         asynq.NewTask(string(make([]byte, 5000)), nil),
			"file at enormous step": asynq.NewTask(tasks.TypeFile, tasks.FileMessage{V: 1, Transfer: r.Transfer.ID, Step: math.MaxInt, File: 1}.Encode()),
		}
		w := r.worker("w")
		for name, m := range messages {
			if err := w.ProcessTask(t.Context(), m); err != nil {
				t.Errorf("%s: answered %v", name, err)
			}
		}
		letters, err := r.Store.DeadLetters(t.Context(), 0, 100)
		r.Must(err)
		if len(letters) != len(messages) {
			t.Errorf("%d dead letters, want %d: %+v", len(letters), len(messages), reasons(letters))
		}
		if ran > 0 {
			t.Errorf("%d files ran", ran)
		}
		r.Must(r.deliver(w, &batches[0]))
		r.audit()
	})
}

func reasons(letters []store.DeadLetter) []string {
	all := make([]string, len(letters))
	for i := range letters {
		all[i] = letters[i].Reason
	}
	return all
}

// asynq delivers a message again whose worker died before it acknowledged it. That is
// no dead letter, though the ledger no longer has the batch.
func TestMessageOfACompletedBatch(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: ends, retry: {attempts: 2}}]")
		r.handle("ends", endAs(tasks.OutcomeSucceeded, tasks.OutcomeError))
		batches := r.Files(2)
		w := r.worker("w")
		for range 2 {
			r.Must(r.deliver(w, &batches[0]))
		}
		r.finish(w)
		r.Must(r.deliver(w, &batches[0]))
		if letters, err := r.Store.DeadLetters(t.Context(), 0, 9); err != nil || len(letters) > 0 {
			t.Errorf("dead letters %q, %v", reasons(letters), err)
		}
		r.audit()
	})
}

// Batches of the ledger may name files that there are not, as after a partial restore.
// They must not keep others from their results.
func TestBatchWithFilesThatDoNotExist(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: ends}]")
		r.handle("ends", endAs(tasks.OutcomeSucceeded, tasks.OutcomeSucceeded))
		batches := r.Files(2)
		extra := []tasks.Batch{
			{Transfer: r.Transfer.ID, Step: 1, Attempt: 1, Queue: "default", Files: tasks.NewRanges([]int64{1, 2, 77})},
			{Transfer: r.Transfer.ID, Step: 1, Attempt: 1, Queue: "default", Files: tasks.NewRanges([]int64{99})},
		}
		r.Must(r.Store.AddBatches(t.Context(), extra))
		w := r.worker("w")
		for _, b := range append(extra, batches...) {
			r.Must(r.deliver(w, &b))
		}
		r.audit()
	})
}

// asynq delivers a file by itself where its group was given up.
func TestSingleFileBecomesABatch(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: ends}]")
		r.ByGroup()
		r.handle("ends", endAs(tasks.OutcomeSucceeded))
		r.Must(r.Store.AddFiles(t.Context(), store.FileBatch{
			Transfer: r.Transfer.ID, Files: []tasks.File{{Path: "/a"}}, FirstSteps: map[int]int64{1: 1},
		}))
		_, err := r.Store.Seal(t.Context(), r.Transfer.ID)
		r.Must(err)
		w := r.worker("w")
		m := tasks.NewFileMessage(r.Transfer.ID, 1, &tasks.File{No: 1})
		for range 2 {
			r.Must(w.ProcessTask(t.Context(), asynq.NewTask(tasks.TypeFile, m.Encode())))
		}
		r.finish(w)
		r.audit()
	})
}
