package cli

import (
	"io"
	"os"

	"github.com/balerhq/baler/tasks"
)

// color is how text is set off on a terminal: the parameters of SGR (ECMA-48); empty: not.
type color string

const (
	plain   color = ""
	green   color = "32"
	yellow  color = "33"
	red     color = "31"
	cyan    color = "36"
	magenta color = "35"
	dim     color = "2"
	bold    color = "1"
)

// paint sets a text off, if on.
func (c color) paint(text string, on bool) string {
	if !on || c == plain || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// colorOf is the color of an outcome.
func colorOf(o tasks.Outcome) color {
	switch o {
	case tasks.OutcomeSucceeded:
		return green
	case tasks.OutcomeWarning:
		return yellow
	case tasks.OutcomeSkipped:
		return cyan
	case tasks.OutcomeFailed, tasks.OutcomeError, tasks.OutcomeTimedOut:
		return red
	case tasks.OutcomeCanceled:
		return magenta
	}
	return plain
}

// colorOfState is the color of a transfer's state, as stateOf names it.
func colorOfState(t *tasks.Transfer) color {
	switch {
	case t.Trouble != "", t.Stopped != "", failuresOf(t) > 0, len(t.FailedFinalizers()) > 0:
		return red
	case t.State == tasks.StateCompleted:
		return green
	case t.State == tasks.StateCanceled:
		return magenta
	case t.State == tasks.StateInterrupted, paused(t), t.WaitingFor != "":
		return yellow
	}
	return cyan
}

// colorful are the values of --color.
const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

// colors reports whether text on an output has colors: as --color says, else as NO_COLOR
// (https://no-color.org) and CLICOLOR_FORCE (https://bixense.com/clicolors) do, else on a
// terminal that is not dumb.
func (p *program) colors(w io.Writer) bool {
	switch force := p.variable("CLICOLOR_FORCE"); {
	case p.color == colorAlways:
		return true
	case p.color == colorNever, p.variable("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	}
	_, onTerminal := terminal(fileOf(w))
	return onTerminal && p.variable("TERM") != "dumb"
}

// fileOf is what an output of the program writes to.
func fileOf(w io.Writer) io.Writer {
	switch o := w.(type) {
	case *output:
		return o.w
	case *console:
		return o.w
	}
	return w
}

// sizeOf is the size of a terminal; ok is false for anything else.
func sizeOf(w io.Writer) (width, height int, ok bool) {
	f, isFile := fileOf(w).(*os.File)
	if !isFile {
		return 0, 0, false
	}
	return fileSize(f)
}
