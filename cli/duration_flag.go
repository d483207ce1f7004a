package cli

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/balerhq/baler/tasks"
)

// durationFlag is a flag whose value is a time, also in days.
type durationFlag struct{ to *time.Duration }

// durationVar adds a durationFlag with a default.
func durationVar(flags *pflag.FlagSet, to *time.Duration, name string, value time.Duration, usage string) {
	*to = value
	flags.Var(durationFlag{to}, name, usage)
}

func (d durationFlag) Set(s string) (err error) {
	*d.to, err = tasks.ParseDuration(s)
	return err
}

func (d durationFlag) String() string {
	if d.to == nil || *d.to == 0 { // pflag calls String of the zero value
		return "0" // which pflag takes for no default
	}
	return tasks.FormatDuration(*d.to)
}

// Type names the kind of value to cobra.
func (durationFlag) Type() string { return "duration" }
