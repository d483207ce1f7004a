package cli

import (
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// console is standard error. While a progress bar stands on it, what is written
// goes above the bar.
type console struct {
	mu  sync.Mutex
	w   io.Writer
	bar io.Writer // nil when none stands
}

func newConsole(w io.Writer) *console { return &console{w: w} }

func (c *console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar != nil {
		if n, err := c.bar.Write(b); err == nil {
			return n, nil
		}
	}
	return c.w.Write(b)
}

// setBar puts a bar on the console, nil takes it away.
func (c *console) setBar(bar io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bar = bar
}

// output is standard output. It remembers the first error, so that a full disk
// under a report is noticed without looking at every line.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// plainWidth is the width of tables where there is no terminal.
const plainWidth = 80

// tableWidth is how wide tables may be on what somebody reads.
func tableWidth(w io.Writer) int {
	switch o := w.(type) {
	case *output:
		w = o.w
	case *console:
		w = o.w
	}
	if width, ok := terminal(w); ok {
		return width
	}
	return plainWidth
}

// narrowestTerminal is the narrowest one on which something is drawn in place.
const narrowestTerminal = 40

// canDraw reports whether w is a terminal on which something can be drawn again and
// again in one place, and how many columns wide. A dumb one cannot move its cursor, one
// without a width cannot be drawn on, and on a narrow one lines would wrap.
func (p *program) canDraw(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) || p.variable("TERM") == "dumb" {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return width, err == nil && width >= narrowestTerminal
}

// terminal reports whether somebody watches, and how many columns wide.
func terminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	return width, true
}
