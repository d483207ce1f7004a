package config

import (
	"fmt"
	"strings"

	"github.com/balerhq/baler/internal/errlist"
)

// Error is one error in the settings.
type Error struct {
	Source  string // where it was set: "baler.yaml:12", "BALER_ROOTS", "flag"; empty for a default
	Key     string // the setting, such as "worker.concurrency"; empty for an unknown variable
	Message string // what is wrong, and what to do
}

func (e *Error) Error() string {
	var b strings.Builder
	for _, s := range []string{e.Source, e.Key} {
		if s != "" {
			b.WriteString(s)
			b.WriteString(": ")
		}
	}
	b.WriteString(e.Message)
	return b.String()
}

// Errors are all errors in the settings. Load and Validate return them.
type Errors []*Error

func (es Errors) Error() string { return errlist.Text(es) }

// Unwrap gives the single errors to errors.Is and errors.As.
func (es Errors) Unwrap() []error { return errlist.Unwrap(es) }

// err returns es, or nil when es is empty.
func (es Errors) err() error {
	if len(es) == 0 {
		return nil
	}
	return es
}

func (es *Errors) addf(source, key, format string, args ...any) {
	*es = append(*es, &Error{Source: source, Key: key, Message: fmt.Sprintf(format, args...)})
}
