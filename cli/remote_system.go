package cli

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/client"
	"github.com/balerhq/baler/tasks"
)

// FindTransfer implements transfers.
func (r *remote) FindTransfer(ctx context.Context, ref string) (tasks.Transfer, error) {
	if ref == "" {
		return tasks.Transfer{}, baler.ErrEmptyRef
	}
	t, err := r.Find(ctx, ref)
	if isNotFound(err) {
		err = fmt.Errorf("%w%s", r.explain(err), suggestTransfer(ctx, ref, r.Newest))
	}
	if err != nil {
		return tasks.Transfer{}, err
	}
	return transferOf(&t), nil
}

// Transfer implements transfers.
func (r *remote) Transfer(ctx context.Context, id string) (tasks.Transfer, error) {
	t, err := r.Client.Transfer(ctx, id)
	return transferOf(&t), err
}

// Newest implements transfers.
func (r *remote) Newest(ctx context.Context, limit int) ([]tasks.Transfer, error) {
	found, err := r.Transfers(ctx, limit)
	all := make([]tasks.Transfer, len(found))
	for i := range found {
		all[i] = transferOf(&found[i])
	}
	return all, err
}

// Explain implements transfers: the server has said already what a transfer waits for.
func (*remote) Explain(context.Context, []tasks.Transfer) error { return nil }

// Wait implements transfers. It waits for a server that is away.
func (r *remote) Wait(ctx context.Context, id string, see func(tasks.Transfer)) (tasks.Transfer, error) {
	t, err := r.Client.Wait(ctx, id, func(t client.Transfer) { see(transferOf(&t)) })
	return transferOf(&t), err
}

// Results implements recorded.
func (r *remote) Results(ctx context.Context, t tasks.Transfer, f baler.ResultFilter) iter.Seq2[tasks.ResultLine, error] {
	return func(yield func(tasks.ResultLine, error) bool) {
		for l, err := range r.Client.Results(ctx, t.UUID, filterOf(&f)) {
			if !yield(resultOf(&l), err) {
				return
			}
		}
	}
}

// Export implements recorded.
func (r *remote) Export(ctx context.Context, id string, format baler.ExportFormat, w io.Writer) (baler.ExportReport, error) {
	t, err := r.Transfer(ctx, id)
	if err != nil {
		return baler.ExportReport{}, err
	}
	done, err := r.Client.Export(ctx, id, string(format), w)
	t.State = tasks.State(done.State)
	return baler.ExportReport{Transfer: t, Files: done.Files, Results: done.Results}, err
}

// Failures implements recorded.
func (r *remote) Failures(ctx context.Context, t tasks.Transfer, f baler.ResultFilter, limit int) ([]tasks.FailureGroup, error) {
	found, err := r.Client.Failures(ctx, t.UUID, filterOf(&f), limit)
	groups := make([]tasks.FailureGroup, len(found))
	for i := range found {
		g := &found[i]
		groups[i] = tasks.FailureGroup{
			Outcome: tasks.Outcome(g.Outcome), Code: g.Code, Message: g.Message, Files: g.Files, Example: g.File,
			Path: bytesOr(g.PathBytes, g.Path), First: g.FirstAt, Last: g.LastAt,
		}
		for _, s := range t.Steps {
			if s.Name == g.Step {
				groups[i].Step = s.Number
			}
		}
	}
	return groups, err
}

// LiveWork implements recorded.
func (r *remote) LiveWork(ctx context.Context, t tasks.Transfer) (a tasks.LiveWork, err error) {
	now, err := r.Client.LiveWork(ctx, t.UUID)
	for _, w := range now.Running {
		a.Running = append(a.Running, tasks.RunningBatches(w))
	}
	for _, f := range now.Files {
		a.Files = append(a.Files, tasks.RunningFile{
			Worker: f.Worker, Step: f.Step, File: f.File, Path: f.Path, PathBytes: f.PathBytes, StartedAt: f.StartedAt,
			Progress: tasks.Progress(f.Progress),
		})
	}
	for _, f := range now.Failures {
		a.Failures = append(a.Failures, tasks.RecentFailure{
			File: f.File, Path: f.Path, PathBytes: f.PathBytes, Step: f.Step, Outcome: tasks.Outcome(f.Outcome), Code: f.Code,
			Message: f.Message, EndedAt: f.EndedAt,
		})
	}
	return a, err
}

// Retry implements recorded.
func (r *remote) Retry(ctx context.Context, t tasks.Transfer, f baler.ResultFilter) (int64, error) {
	return r.Client.Retry(ctx, t.UUID, filterOf(&f))
}

// CancelFiles implements recorded.
func (r *remote) CancelFiles(ctx context.Context, t tasks.Transfer, f baler.ResultFilter) (int64, error) {
	return r.Client.CancelFiles(ctx, t.UUID, filterOf(&f))
}

// RetryFinalizers implements recorded.
func (r *remote) RetryFinalizers(ctx context.Context, t tasks.Transfer) (int64, error) {
	return r.Client.RetryFinalizers(ctx, t.UUID)
}

// Cancel implements controls.
func (r *remote) Cancel(ctx context.Context, t tasks.Transfer) (bool, error) {
	now, err := r.Client.Cancel(ctx, t.UUID)
	return now.Changed, err
}

// Pause implements controls.
func (r *remote) Pause(ctx context.Context, t tasks.Transfer) (bool, error) {
	now, err := r.Client.Pause(ctx, t.UUID)
	return now.Changed, err
}

// Resume implements controls.
func (r *remote) Resume(ctx context.Context, t tasks.Transfer) (bool, error) {
	now, err := r.Client.Resume(ctx, t.UUID)
	return now.Changed, err
}

// Update implements controls.
func (r *remote) Update(ctx context.Context, t tasks.Transfer, c tasks.TransferChange) (bool, error) {
	var change client.Change
	if c.Weight != nil {
		change.Weight = *c.Weight
	}
	if c.StopAfter != nil {
		change.StopAfter = c.StopAfter.String()
	}
	if c.Deadline != nil {
		change.Deadline = c.Deadline.String()
	}
	_, err := r.Client.Update(ctx, t.UUID, change)
	return err == nil, err
}

// Decide implements controls.
func (r *remote) Decide(ctx context.Context, t tasks.Transfer, d tasks.Decision) (step string, err error) {
	decide := r.Approve
	if d.Reject {
		decide = r.Reject
	}
	_, err = decide(ctx, t.UUID, d.Step, d.Comment)
	return d.Step, err
}

// ExplainTime implements transfers: the server has said it with the transfer.
func (r *remote) ExplainTime(context.Context, *tasks.Transfer) error { return nil }

// wallTimeOf is where a transfer's time went, as the server describes it.
func wallTimeOf(c *client.TimeSpent) *tasks.WallTime {
	if c == nil {
		return nil
	}
	s := tasks.WallTimeSummary{
		Seconds: c.Seconds, Workers: c.Workers, Slots: c.Slots, HandlersAtOnce: c.HandlersAtOnce, Parts: partsOf(c.Parts),
	}
	for _, step := range c.Steps {
		s.Steps = append(s.Steps, tasks.StepTimeSummary{Step: step.Step, Parts: partsOf(step.Parts)})
	}
	return s.WallTime()
}

func partsOf(all []client.TimeShare) []tasks.PartSummary {
	parts := make([]tasks.PartSummary, len(all))
	for i, p := range all {
		parts[i] = tasks.PartSummary(p)
	}
	return parts
}

// transferOf is a transfer as the server describes it.
func transferOf(c *client.Transfer) tasks.Transfer {
	t := tasks.Transfer{
		ID: c.Number, UUID: c.ID, Name: c.Name, Key: c.Key, Via: tasks.Via(c.Via), State: tasks.State(c.State), Queue: c.Queue,
		Sources: c.Sources, Weight: max(c.Weight, 1), Selection: tasks.Selection(c.Selection), Files: c.Files, Bytes: c.Bytes,
		Finished: c.Finished, Emitted: c.Emitted, CreatedAt: c.CreatedAt, SealedAt: c.SealedAt, EndedAt: c.EndedAt, PausedAt: c.PausedAt,
		Trouble: c.Trouble, WaitingFor: c.WaitingFor, Stopped: c.Stopped,
		DeadlineAt: c.DeadlineAt, DeadlineExceeded: c.DeadlineExceeded, WallTime: wallTimeOf(c.WallTime),
		Took: time.Duration(c.Seconds * float64(time.Second)).Round(time.Millisecond), // by the server's clock
	}
	if limit, err := tasks.ParseStopAfter(c.StopAfter); err == nil { // a newer server may have others
		t.StopAfter = limit
	}
	if list, err := tasks.ParseListMark(c.ListPaths, c.ListDigest); err == nil {
		t.List = list
	}
	for i, path := range c.SourceBytes {
		t.Sources[i] = string(path)
	}
	for i := range c.Steps {
		s := &c.Steps[i]
		step := tasks.StepProgress{Number: i + 1, Name: s.Name, Selected: s.Selected, Reused: s.Reused, Counts: tasks.Counts(s.Results)}
		step.Approval = tasks.Approval(s.Approval)
		if i < len(c.Handlers) {
			step.Handler = c.Handlers[i]
		}
		t.Steps = append(t.Steps, step)
	}
	for i, s := range c.Finalizers {
		step := tasks.FinalizeStep{
			Number: i + 1, Name: s.Name, State: tasks.FinalizeState(s.State), Attempts: s.Attempts, Error: s.Error,
		}
		if s.Progress != nil {
			step.Progress = tasks.Progress(*s.Progress)
		}
		t.Finalizers = append(t.Finalizers, step)
	}
	return t
}

func filterOf(f *baler.ResultFilter) client.Filter {
	filter := client.Filter{Step: f.Step, File: f.File, Parent: f.Parent, Code: f.Code, Message: f.Message, Exactly: f.Exactly}
	for _, o := range f.Outcomes {
		filter.Outcomes = append(filter.Outcomes, string(o))
	}
	return filter
}

func resultOf(r *client.Result) tasks.ResultLine {
	return tasks.ResultLine{
		File: r.File, Path: r.Path, PathBytes: r.PathBytes, Parent: r.Parent, Member: r.Member, MemberBytes: r.RawMember, Step: r.Step,
		Outcome: tasks.Outcome(r.Outcome), ExitCode: r.ExitCode, Code: r.Code, Output: r.Output, Error: r.Error, Truncated: r.Truncated,
		Facts: r.Facts, Attempt: r.Attempt, Worker: r.Worker, StartedAt: r.StartedAt, EndedAt: r.EndedAt,
		ReusedFrom: r.ReusedFrom, ReusedFile: r.ReusedFile, RanAt: r.RanAt,
	}
}

func bytesOr(raw []byte, text string) string {
	if raw != nil {
		return string(raw)
	}
	return text
}
