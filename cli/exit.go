package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/internal/db"
)

// The codes that the program exits with; docs/cli.md promises them.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitFailures    = 3 // done, but some files failed
	exitInterrupted = 130
)

// codeError is the exit code of an error that has been reported already.
type codeError int

func (c codeError) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// usageError is an invalid command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// isInterrupt reports whether a command ended with err because of a signal. SQLite has an
// error of its own for that.
func isInterrupt(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(db.Interrupted(ctx, err), context.Canceled)
}

// exit reports an error and returns the exit code for it.
func (p *program) exit(ctx context.Context, cmd *cobra.Command, err error) int {
	if _, said := errors.AsType[codeError](err); (err == nil || said) && p.stdout.err != nil {
		err = fmt.Errorf("write output: %w", p.stdout.err)
	}
	if err == nil {
		return exitOK
	}
	p.jsonLog = p.jsonLog || p.asksJSONLog(cmd)
	if code, ok := errors.AsType[codeError](err); ok {
		return int(code)
	}
	if isInterrupt(ctx, err) {
		p.notef("Interrupted.")
		return exitInterrupted
	}
	// Errors before a command has begun are cobra's: they concern the command line.
	usage := ""
	if _, ok := errors.AsType[usageError](err); ok || !p.began {
		usage = cmd.UseLine()
	}
	if errors.Is(err, baler.ErrEmptyRef) {
		usage = cmd.UseLine()
	}
	text := err.Error()
	if number, ok := errors.AsType[*strconv.NumError](err); ok {
		reason := "it is not a whole number"
		if errors.Is(number, strconv.ErrRange) {
			reason = "the number is too large"
		}
		text = strings.Replace(text, number.Error(), reason, 1)
	}
	var said []string // two parts of a command may fail for the same reason
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		if !slices.Contains(said, line) {
			said = append(said, line)
			p.complain(line, usage)
		}
	}
	if usage == "" {
		return exitError
	}
	if !p.json {
		p.notef("usage: %s\nSee '%s --help'.", usage, cmd.CommandPath())
	}
	return exitUsage
}
