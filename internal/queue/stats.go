package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
)

// Stats is what a queue holds.
type Stats struct {
	Name     string        `json:"queue"`
	Paused   bool          `json:"paused"`
	Pending  int           `json:"pending"`  // batches that wait
	Active   int           `json:"active"`   // batches that workers run
	Retrying int           `json:"retrying"` // batches that were returned and wait for their next delivery
	Grouped  int           `json:"grouped"`  // files that wait to be collected into batches
	Age      time.Duration `json:"-"`        // how long the oldest pending batch has waited
}

// Stats lists the queues that Redis knows. It returns when ctx ends, also when Redis
// does not answer.
func (q *Conn) Stats(ctx context.Context) ([]Stats, error) {
	type answer struct {
		queues []Stats
		err    error
	}
	answered := make(chan answer, 1)
	go func() { // asynq's inspector takes no context; the client's timeouts end it
		queues, err := q.inspect()
		answered <- answer{queues, err}
	}()
	select {
	case a := <-answered:
		return a.queues, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("list queues: %w", ctx.Err())
	}
}

func (q *Conn) inspect() ([]Stats, error) {
	inspector := asynq.NewInspectorFromRedisClient(q.Client)
	names, err := inspector.Queues()
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	queues := make([]Stats, 0, len(names))
	for _, name := range names {
		info, err := inspector.GetQueueInfo(name)
		if err != nil {
			return nil, fmt.Errorf("inspect queue %s: %w", name, err)
		}
		queues = append(queues, Stats{
			Name: name, Paused: info.Paused, Pending: info.Pending, Active: info.Active, Retrying: info.Retry,
			Grouped: info.Aggregating, Age: info.Latency,
		})
	}
	return queues, nil
}
