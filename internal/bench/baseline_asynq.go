package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
)

// The names of the baselines' tasks and of their one group.
const (
	taskOfFile  = "file"
	taskOfBatch = "batch"
	oneGroup    = "all"
)

const (
	perFileAtOnce  = 16  // handlers of the per-file variant at a time
	asynqGroupSize = 100 // files that asynq aggregates
)

// asynqBaseline is the usual way to use asynq: a queue, a handler, INSERTs.
type asynqBaseline struct {
	db       *sql.DB
	transfer int64
	files    int64
	done     atomic.Int64
	ended    chan struct{} // closed when every file is recorded
}

// perFile measures one task and one INSERT per file.
func (p *Env) perFile(ctx context.Context, t tree) (Measurement, error) {
	return p.asynqBaseline(ctx, t, VariantPerFile, 1, asynq.Config{Concurrency: perFileAtOnce})
}

// asynqGroup measures asynq's own aggregation: one group, one INSERT per batch.
func (p *Env) asynqGroup(ctx context.Context, t tree) (Measurement, error) {
	return p.asynqBaseline(ctx, t, VariantAsynqGroup, asynqGroupSize, asynq.Config{
		Concurrency:      perFileAtOnce,
		GroupAggregator:  asynq.GroupAggregatorFunc(aggregate),
		GroupMaxSize:     asynqGroupSize,
		GroupGracePeriod: time.Second, // the shortest that asynq accepts
		GroupMaxDelay:    2 * time.Second,
	}, asynq.Group(oneGroup))
}

// aggregate makes one task with the list of files of many tasks.
func aggregate(_ string, members []*asynq.Task) *asynq.Task {
	numbers := make([]json.RawMessage, len(members))
	for i, t := range members {
		numbers[i] = t.Payload()
	}
	payload, err := json.Marshal(numbers)
	if err != nil { // they are numbers of our own
		panic(err)
	}
	return asynq.NewTask(taskOfBatch, payload, asynq.Queue(baselineQueue))
}

func (p *Env) asynqBaseline(
	ctx context.Context, t tree, variant Variant, batch int, c asynq.Config, extra ...asynq.Option,
) (m Measurement, err error) {
	s, err := p.startCluster(ctx, 0) // makes the tables
	if err != nil {
		return m, err
	}
	defer func() { err = joinClose(err, s.close) }()
	q, err := p.connectRedis()
	if err != nil {
		return m, err
	}
	defer func() { err = joinClose(err, q.Close) }()
	c.Queues = map[string]int{baselineQueue: 1}
	c.TaskCheckInterval = 25 * time.Millisecond // the same as Baler's
	c.Logger, c.LogLevel = discardLogger{}, asynq.FatalLevel
	return s.baseline(ctx, func(ctx context.Context, db *sql.DB, transfer int64) (Measurement, error) {
		w := &asynqBaseline{db: db, transfer: transfer, files: int64(t.files), ended: make(chan struct{})}
		meter := newMeter(p.pids())
		meter.own()
		began := time.Now()
		err := w.run(ctx, q.Opt, c, append(extra, asynq.Queue(baselineQueue)))
		took := time.Since(began)
		return measured(variant, t.files, batch, 1, took, meter.end()), err
	})
}

// run enqueues one task per file while a server processes them, both in this process, which
// costs less than two processes.
func (w *asynqBaseline) run(ctx context.Context, opt asynq.RedisConnOpt, c asynq.Config, options []asynq.Option) error {
	server := asynq.NewServer(opt, c)
	if err := server.Start(w); err != nil {
		return fmt.Errorf("start asynq: %w", err)
	}
	defer server.Shutdown()
	client := asynq.NewClient(opt)
	defer client.Close()
	for no := int64(1); no <= w.files; no++ {
		task := asynq.NewTask(taskOfFile, fmt.Append(nil, no))
		if _, err := client.EnqueueContext(ctx, task, options...); err != nil {
			return fmt.Errorf("enqueue: %w", err)
		}
	}
	select {
	case <-w.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ProcessTask records the files of a task.
func (w *asynqBaseline) ProcessTask(ctx context.Context, t *asynq.Task) error {
	var numbers []int64
	payload := t.Payload()
	if t.Type() == taskOfFile {
		payload = fmt.Appendf(nil, "[%s]", payload)
	}
	if err := json.Unmarshal(payload, &numbers); err != nil {
		return fmt.Errorf("read task: %w", err)
	}
	if len(numbers) == 0 {
		return errors.New("a task without files")
	}
	rows, now := insertResults(false), moment(time.Now())
	for _, no := range numbers {
		rows.result(w.transfer, no, now)
	}
	if _, err := w.db.ExecContext(ctx, rows.statement()); err != nil {
		return fmt.Errorf("insert rows: %w", err)
	}
	if w.done.Add(int64(len(numbers))) == w.files {
		close(w.ended)
	}
	return nil
}

// discardLogger is asynq's log. Errors show in the result.
type discardLogger struct{}

func (discardLogger) Debug(...any) {}
func (discardLogger) Info(...any)  {}
func (discardLogger) Warn(...any)  {}
func (discardLogger) Error(...any) {}
func (discardLogger) Fatal(...any) {}
