package config

import (
	"fmt"
	"strings"

	"github.com/balerhq/baler/internal/errlist"
)

// Error is one thing wrong with the settings.
type Error struct {
	Source  string // where it was set: "baler.yaml:12", "BALER_ROOTS", "flag"; empty when nobody set it
	Key     string // the setting, as "worker.concurrency"; empty when it is none
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

// Errors is everything wrong at once. It is what Load and Validate return.
type Errors []*Error

func (es Errors) Error() string { return errlist.Text(es) }

// Unwrap gives the single problems to errors.Is and errors.As.
func (es Errors) Unwrap() []error { return errlist.Unwrap(es) }

// err is nil when there are none.
func (es Errors) err() error {
	if len(es) == 0 {
		return nil
	}
	return es
}

func (es *Errors) addf(source, key, format string, args ...any) {
	*es = append(*es, &Error{Source: source, Key: key, Message: fmt.Sprintf(format, args...)})
}
