// Package coprocess runs handlers in other languages: a child process that stays up and takes
// batch after batch as lines of JSON, see docs/coprocess.md. A file on which the child dies,
// hangs or writes nonsense ends as one verdict of that file; the others of its batch go to
// another child.
package coprocess

import (
	"context"
	"slices"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/command"
	"github.com/balerhq/baler/tasks"
)

// The codes that coprocess gives, beside those of package command, "exit-N" and "signal-NAME".
const (
	CodeNotReady    = "child-not-ready" // the child ended, or said nothing, before it was ready
	CodeBadProtocol = "bad-protocol"    // the child wrote something that is no message
	CodeNoAnswer    = "no-answer"       // the child ended the batch without an answer for the file
	CodeBadEmit     = "bad-emit"        // a file that was emitted cannot be one of the transfer
)

// ChildHandler keeps children for batches to come. Make one with New.
type ChildHandler struct {
	pool *pool
}

// Register adds the handler coprocess to a registry; see New.
func Register(reg *handlers.Registry) error {
	return reg.Register("coprocess", New(), docs(), handlers.WithoutEarlierFacts(),
		handlers.WithDescription("runs a Python or Node.js script, or another program, that stays up and takes batch after batch"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 128, MaxBytes: 1 << 30}),
		handlers.WithTimedFiles(), handlers.WithTimeout(command.DefaultTimeout),
		handlers.WithOutputFolder("emit"), handlers.WithArgsCheck(handlers.CheckWith(parse)),
		handlers.WithReuse(handlers.ReuseByName, "1"), handlers.WithReuseState(state))
}

// state is that of the script and of what runs it.
func state(args any, dir string) (string, bool) {
	s, err := parse(args)
	if err != nil {
		return "", false
	}
	words := []string(s.Command)
	if s.Script != "" {
		words = s.Interpreter
		if len(words) == 0 {
			words = []string{interpreter(s.Script)}
		}
		words = append(slices.Clone(words), s.Script)
	}
	return command.State(words, dir)
}

// New runs the script of the step's arguments; docs/handlers/coprocess.md lists them. A child
// that has had nothing to do for a minute ends.
func New() *ChildHandler { return &ChildHandler{pool: newPool()} }

// Close ends the children that have nothing to do.
func (h *ChildHandler) Close() error {
	h.pool.close()
	return nil
}

// Handle gives the jobs to children, those that need the same child together.
func (h *ChildHandler) Handle(ctx context.Context, jobs []*handlers.Job) error {
	var order []string
	groups := make(map[string]*group)
	for _, job := range jobs {
		s, done, err := prepare(ctx, job)
		if ctx.Err() != nil && err != nil {
			return ctx.Err()
		}
		if err != nil {
			job.Finish(err)
			continue
		}
		defer done()
		g, ok := groups[s.key()]
		if !ok {
			g = &group{pool: h.pool, spec: s}
			groups[s.key()], order = g, append(order, s.key())
		}
		g.add(job)
	}
	for _, key := range order {
		if err := groups[key].run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// prepare reads a job's arguments, and makes sure that its file may be read, and is on this host.
func prepare(ctx context.Context, job *handlers.Job) (s *spec, done func(), err error) {
	if s, err = parse(job.Args()); err != nil {
		return nil, nil, err
	}
	access, err := job.CommandAccess()
	if err != nil {
		return nil, nil, err
	}
	if err := s.resolve(access.Dir); err != nil {
		return nil, nil, err
	}
	done, err = job.CopyLocally(ctx)
	return s, done, err
}
