package main

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

// limitFlags are what baler limit was given.
type limitFlags struct {
	transfer, queue string
	inFlight        *int
	filesPerSecond  *float64
}

func (p *program) limitCommand() *cobra.Command {
	var f limitFlags
	cmd := &cobra.Command{
		Use:   "limit",
		Short: "Show and set what all workers together may do",
		Long: `Limit sets how many batches may be in flight at once, and how many files may be
begun a second, by all workers together: over everything, in a queue, or of a
transfer. Where several concern a batch, each holds. 0 or none removes a limit; one
that is not named stays. Without either it shows what is set.

Workers hear of it within about five seconds; what is in hand goes on.`,
		Example: `  baler limit
  baler limit --in-flight 4 --files-per-second 100
  baler limit --queue low --in-flight 1
  baler limit --in-flight none`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.transfer != "" && f.queue != "" {
				return usagef("give --transfer or --queue, not both")
			}
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				return p.limit(ctx, b, &f)
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(&limitValue{set: func(v float64) error {
		n := int(v)
		if float64(n) != v {
			return errors.New("give a whole number, or none")
		}
		f.inFlight = &n
		return nil
	}}, "in-flight", "`N` batches that run at once; 0 or none for no limit")
	flags.Var(&limitValue{set: func(v float64) error {
		f.filesPerSecond = &v
		return nil
	}}, "files-per-second", "`N` files that are begun a second; 0 or none for no limit")
	flags.StringVar(&f.transfer, "transfer", "", "of the transfer with this `ID` only")
	flags.StringVar(&f.queue, "queue", "", "in the queue of this `NAME` only")
	return cmd
}

// limitValue is a flag's number from 0, of which none is another word for 0.
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
	Held           int         `json:"held"` // batches that workers have or may take of it
}

func (p *program) limit(ctx context.Context, b *baler.Baler, f *limitFlags) error {
	scope, name := tasks.ScopeAll, ""
	switch {
	case f.queue != "":
		scope, name = tasks.ScopeQueue, f.queue
	case f.transfer != "":
		t, err := b.Transfer(ctx, f.transfer)
		if err != nil {
			return err
		}
		if t.State.Ended() && (f.inFlight != nil || f.filesPerSecond != nil) {
			return errors.New(endedAlready(&t))
		}
		scope, name = tasks.ScopeTransfer, t.UUID
	}
	if f.inFlight == nil && f.filesPerSecond == nil {
		return p.listLimits(ctx, b, func(c *tasks.Limit) bool {
			return f.queue == "" && f.transfer == "" || c.Scope == scope && c.Name == name
		})
	}
	c, err := b.SetLimit(ctx, scope, name, f.inFlight, f.filesPerSecond)
	switch {
	case err != nil:
		return err
	case p.json:
		return p.object(limitObject{"limit", c.Scope, c.Name, c.InFlight, c.FilesPerSecond, 0})
	case c.InFlight == 0 && c.FilesPerSecond == 0:
		p.printf("No limit over %s. Workers hear of it within seconds.", over(&c))
	default:
		p.printf("Limit over %s: in flight %s, files a second %s. Workers hear of it within seconds.",
			over(&c), orNone(float64(c.InFlight)), orNone(c.FilesPerSecond))
	}
	return nil
}

func (p *program) listLimits(ctx context.Context, b *baler.Baler, shown func(*tasks.Limit) bool) error {
	all, err := b.Limits(ctx)
	if err != nil {
		return err
	}
	workers, err := b.Workers(ctx)
	if err != nil {
		return err
	}
	list := newTable(words("OVER"), numbers("IN FLIGHT"), numbers("HELD"), numbers("FILES/S"))
	for i := range all {
		c := &all[i]
		if !shown(c) {
			continue
		}
		held := 0
		for _, w := range workers {
			held += w.LimitsInUse[c.Key()]
		}
		if p.json {
			if err := p.object(limitObject{"limit", c.Scope, c.Name, c.InFlight, c.FilesPerSecond, held}); err != nil {
				return err
			}
			continue
		}
		list.row(over(c), orNone(float64(c.InFlight)), count(int64(held)), orNone(c.FilesPerSecond))
	}
	switch {
	case p.json:
	case len(list.rows) == 0:
		p.printf("There is no limit.")
	default:
		list.write(p.stdout)
	}
	return nil
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
