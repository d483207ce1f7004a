package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

// limitFlags are the flags of baler limit.
type limitFlags struct {
	transfer, queue, handler, name string

	change tasks.LimitChange
}

func (p *program) limitCommand() *cobra.Command {
	var f limitFlags
	cmd := &cobra.Command{
		Use:   "limit",
		Short: "Show or set global concurrency and rate limits",
		Long: `Limit sets how many batches all workers together may run at once, how many files
they may start per second, and how many batches may run at once on one host:
globally, for a queue, for a transfer, for all batches of a handler, or for all
steps that use a name, such as "limits: [gpu]" in a recipe. If several limits
apply to a batch, all of them hold. 0 or none removes a limit; a limit that is
not given stays. Without a number it lists the limits.

A change takes effect within about five seconds; running batches finish.`,
		Example: `  baler limit
  baler limit --in-flight 4 --files-per-second 100
  baler limit --queue low --in-flight 1
  baler limit --name gpu --in-flight 2
  baler limit --handler exec --per-host 1
  baler limit --in-flight none`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			given := 0
			for _, of := range []string{f.transfer, f.queue, f.handler, f.name} {
				given += min(len(of), 1)
			}
			if given > 1 {
				return usagef("give one of --transfer, --queue, --handler and --name")
			}
			return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
				return p.limit(ctx, b, &f)
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(wholeLimit(&f.change.InFlight), "in-flight", "run at most `N` batches at once; 0 or none for no limit")
	flags.Var(&limitValue{set: func(v float64) error {
		f.change.FilesPerSecond = &v
		return nil
	}}, "files-per-second", "start at most `N` files per second; 0 or none for no limit")
	flags.Var(wholeLimit(&f.change.PerHost), "per-host", "run at most `N` batches at once on each host; 0 or none for no limit")
	flags.StringVar(&f.transfer, "transfer", "", "limit only the transfer with this `ID`")
	flags.Var(checked{&f.queue, tasks.CheckQueue}, "queue", "limit only the queue of this `NAME`")
	flags.Var(checked{&f.handler, tasks.CheckLimitName}, "handler", "limit only the batches of the handler of this `NAME`")
	flags.Var(checked{&f.name, tasks.CheckLimitName}, "name", "limit only the batches of steps that use this `NAME`")
	completeBy(cmd, "transfer", p.completeTransfers(1))
	completeBy(cmd, "queue", p.completeQueues())
	return cmd
}

// wholeLimit is a flag whose value is a whole number from 0, or none.
func wholeLimit(to **int) *limitValue {
	return &limitValue{set: func(v float64) error {
		n := int(v)
		if float64(n) != v {
			return errors.New("give a whole number, or none")
		}
		*to = &n
		return nil
	}}
}

// limitValue is a flag whose value is a number from 0, or none, which means 0.
type limitValue struct {
	text string
	set  func(float64) error
}

func (u *limitValue) Set(s string) error {
	v, err := strconv.ParseFloat(s, 64)
	if s == "none" {
		v, err = 0, nil
	}
	if err != nil || !(v >= 0 && v <= math.MaxInt32) {
		return errors.New("give a number from 0, or none")
	}
	u.text = s
	return u.set(v)
}

func (u *limitValue) String() string { return u.text }

// Type names the kind of value to cobra.
func (*limitValue) Type() string { return "number" }

// limitObject is a limit in JSON.
type limitObject struct {
	Type           string      `json:"type"` // always "limit"
	Scope          tasks.Scope `json:"scope"`
	Name           string      `json:"name,omitempty"`
	InFlight       int         `json:"in_flight,omitempty"`
	FilesPerSecond float64     `json:"files_per_second,omitempty"`
	PerHost        int         `json:"per_host,omitempty"`
	InUse          int         `json:"in_use"`            // batches of it that workers run or have reserved
	Trouble        string      `json:"trouble,omitempty"` // why its row in the database cannot be read
	Note           string      `json:"note,omitempty"`    // why it may be a mistake
}

func (p *program) limit(ctx context.Context, b system, f *limitFlags) error {
	scope, name := tasks.ScopeAll, ""
	switch {
	case f.queue != "":
		scope, name = tasks.ScopeQueue, f.queue
	case f.transfer != "":
		t, err := b.FindTransfer(ctx, f.transfer)
		if err != nil {
			return err
		}
		if t.State.Ended() && !f.change.Empty() {
			return errors.New(endedAlready(&t))
		}
		scope, name = tasks.ScopeTransfer, t.UUID
	case f.handler != "":
		scope, name = tasks.ScopeHandler, f.handler
	case f.name != "":
		scope, name = tasks.ScopeName, f.name
	}
	if f.change.Empty() {
		return p.listLimits(ctx, b, func(c *tasks.Limit) bool {
			return scope == tasks.ScopeAll || c.Scope == scope && c.Name == name
		})
	}
	c, err := b.SetLimit(ctx, scope, name, f.change)
	switch {
	case err != nil:
		return err
	case p.json:
		workers, err := b.Workers(ctx)
		if err != nil {
			return err
		}
		return p.object(limitObject{"limit", c.Scope, c.Name, c.InFlight, c.FilesPerSecond, c.PerHost, inUse(workers, &c), "", c.Note})
	case c.Unlimited():
		p.printf("No limit on %s. Takes effect within seconds.", over(&c))
	default:
		p.printf("Limit on %s: in flight %s, files per second %s, on one host %s. Takes effect within seconds.",
			over(&c), orNone(float64(c.InFlight)), orNone(c.FilesPerSecond), orNone(float64(c.PerHost)))
	}
	p.noteLimit(&c)
	return nil
}

// noteLimit says why a limit may be a mistake.
func (p *program) noteLimit(c *tasks.Limit) {
	if c.Note != "" {
		p.notef("note: the limit on %s: %s", over(c), printable(c.Note))
	}
}

func (p *program) listLimits(ctx context.Context, b system, shown func(*tasks.Limit) bool) error {
	all, err := b.Limits(ctx)
	if err != nil {
		return err
	}
	workers, err := b.Workers(ctx)
	if err != nil {
		return err
	}
	list := newTable(column{title: "SCOPE", shrink: end}, numbers("IN FLIGHT"), numbers("IN USE"), numbers("FILES/S"), numbers("PER HOST"))
	for i := range all {
		c := &all[i]
		if !shown(c) || c.Unlimited() { // it has only a weight
			continue
		}
		used := inUse(workers, c)
		if p.json {
			o := limitObject{"limit", c.Scope, c.Name, c.InFlight, c.FilesPerSecond, c.PerHost, used, c.Trouble, c.Note}
			if err := p.object(o); err != nil {
				return err
			}
			continue
		}
		if c.Trouble != "" {
			p.notef("the limit on %s: %s", over(c), printable(c.Trouble))
		}
		p.noteLimit(c)
		list.row(over(c), orNone(float64(c.InFlight)), count(int64(used)), orNone(c.FilesPerSecond), orNone(float64(c.PerHost)))
	}
	switch {
	case p.json:
	case len(list.rows) == 0:
		p.printf("No limits are set.")
	default:
		list.within(tableWidth(p.stdout)).write(p.stdout)
	}
	return nil
}

// inUse returns how many batches of a limit the workers run or have reserved.
func inUse(workers []tasks.Worker, c *tasks.Limit) int {
	n := 0
	for i := range workers {
		n += workers[i].LimitsInUse[c.Key()]
	}
	return n
}

func over(c *tasks.Limit) string {
	if c.Scope == tasks.ScopeAll {
		return "everything"
	}
	return fmt.Sprintf("%s %s", c.Scope, printable(c.Name))
}

func orNone(v float64) string {
	if v == 0 {
		return "none"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
