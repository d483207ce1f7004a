package cli

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

// system is what commands read and steer: directly, by database and queue, or through a
// server. Its methods are those of baler.Baler, with the same errors for people.
type system interface {
	transfers
	recorded
	controls
	fleet
	schedules
}

type transfers interface {
	FindTransfer(ctx context.Context, ref string) (tasks.Transfer, error)
	Transfer(ctx context.Context, id string) (tasks.Transfer, error)

	// Newest lists the newest transfers with what they wait for.
	Newest(ctx context.Context, limit int) ([]tasks.Transfer, error)

	Explain(ctx context.Context, ts []tasks.Transfer) error
	ExplainTime(ctx context.Context, t *tasks.Transfer) error
	Wait(ctx context.Context, id string, see func(tasks.Transfer)) (tasks.Transfer, error)
}

type recorded interface {
	Results(ctx context.Context, t tasks.Transfer, f baler.ResultFilter) iter.Seq2[tasks.ResultLine, error]
	Export(ctx context.Context, id string, format baler.ExportFormat, w io.Writer) (baler.ExportReport, error)
	Failures(ctx context.Context, t tasks.Transfer, f baler.ResultFilter, limit int) ([]tasks.FailureGroup, error)
	LiveWork(ctx context.Context, t tasks.Transfer) (tasks.LiveWork, error)
	Retry(ctx context.Context, t tasks.Transfer, f baler.ResultFilter) (int64, error)
	CancelFiles(ctx context.Context, t tasks.Transfer, f baler.ResultFilter) (int64, error)
	RetryFinalizers(ctx context.Context, t tasks.Transfer) (int64, error)
}

type controls interface {
	Cancel(ctx context.Context, t tasks.Transfer) (bool, error)
	Pause(ctx context.Context, t tasks.Transfer) (bool, error)
	Resume(ctx context.Context, t tasks.Transfer) (bool, error)
	Update(ctx context.Context, t tasks.Transfer, c tasks.TransferChange) (bool, error)
	Decide(ctx context.Context, t tasks.Transfer, d tasks.Decision) (string, error)
}

type fleet interface {
	Workers(ctx context.Context) ([]tasks.Worker, error)
	SetWorkerState(ctx context.Context, name string, desired tasks.DesiredState) error
	SetWorkerLogLevel(ctx context.Context, name, level string) error
	Queues(ctx context.Context) ([]baler.QueueStats, error)
	PauseQueue(ctx context.Context, name string, pause bool) error
	Limits(ctx context.Context) ([]tasks.Limit, error)
	SetLimit(ctx context.Context, scope tasks.Scope, name string, change tasks.LimitChange) (tasks.Limit, error)
}

type schedules interface {
	Schedules(ctx context.Context) ([]baler.Schedule, error)
	AddSchedule(ctx context.Context, s baler.Schedule) (baler.Schedule, error)
	RemoveSchedule(ctx context.Context, name string) error
	PauseSchedule(ctx context.Context, name string, pause bool) error
	RunSchedule(ctx context.Context, name string) error
}

// direct is a system that this process opens itself.
type direct struct{ *baler.Baler }

func (d direct) Newest(ctx context.Context, limit int) ([]tasks.Transfer, error) {
	all, err := d.Transfers(ctx, 0, limit)
	if err != nil {
		return nil, err
	}
	return all, d.Explain(ctx, all)
}

// FindTransfer implements transfers.
func (d direct) FindTransfer(ctx context.Context, ref string) (tasks.Transfer, error) {
	t, err := d.Baler.FindTransfer(ctx, ref)
	if isNotFound(err) {
		err = fmt.Errorf("%w%s", err, suggestTransfer(ctx, ref, func(ctx context.Context, limit int) ([]tasks.Transfer, error) {
			return d.Transfers(ctx, 0, limit)
		}))
	}
	return t, err
}

// withSystem is with for a command that also works through a server. The settings say
// which, except for what a server decides itself.
func (p *program) withSystem(cmd *cobra.Command, open opener, do func(context.Context, system, config.Config) error) error {
	cfg, err := p.settings(cmd)
	if err != nil {
		return err
	}
	if cfg.Server == "" {
		return p.with(cmd, open, func(ctx context.Context, b *baler.Baler, cfg config.Config) error { return do(ctx, direct{b}, cfg) })
	}
	r, err := p.openRemote(cfg)
	if err != nil {
		return err
	}
	defer r.close()
	cfg.Redis.URL, cfg.Database.URL = "", "" // those of the server are its own
	return r.explain(do(cmd.Context(), r, cfg))
}
