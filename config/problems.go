package config

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong with the settings.
type Problem struct {
	Source  string // where it was set: "baler.yaml:12", "BALER_ROOTS", "flag"; empty when nobody set it
	Key     string // the setting, as "worker.concurrency"; empty when it is none
	Message string // what is wrong, and what to do
}

func (p *Problem) Error() string {
	var b strings.Builder
	for _, s := range []string{p.Source, p.Key} {
		if s != "" {
			b.WriteString(s)
			b.WriteString(": ")
		}
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems is everything wrong at once. It is what Load and Validate return.
type Problems []*Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the single problems to errors.Is and errors.As.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// err is nil when there are none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

func (ps *Problems) add(source, key, format string, args ...any) {
	*ps = append(*ps, &Problem{Source: source, Key: key, Message: fmt.Sprintf(format, args...)})
}
