package cli

import (
	"errors"
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

// ageFlag is a durationFlag of how long ago something was. What is to come has no age: with less
// than 0, --older-than would mean everything.
type ageFlag struct{ durationFlag }

func (a ageFlag) Set(s string) error {
	d, err := tasks.ParseDuration(s)
	if err == nil && d < 0 {
		err = errors.New("an age is not below 0; write it as 90d, 36h or 30m")
	}
	if err == nil {
		*a.to = d
	}
	return err
}
