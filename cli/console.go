package cli

import (
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// console is standard error. While it shows a progress bar, text is written above the
// bar.
type console struct {
	mu  sync.Mutex
	w   io.Writer
	bar io.Writer // nil without a bar
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

// setBar sets the bar of the console; nil removes it.
func (c *console) setBar(bar io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bar = bar
}

// output is standard output. It keeps the first error, for example of a full disk, so that
// callers need not check every line.
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

// plainWidth is the width of tables when there is no terminal.
const plainWidth = 80

// tableWidth is the maximal width of tables on the output.
func tableWidth(w io.Writer) int {
	if width, ok := terminal(fileOf(w)); ok {
		return width
	}
	return plainWidth
}

// narrowestTerminal is the width of the narrowest terminal on which a display is redrawn.
const narrowestTerminal = 40

// canDraw reports whether w is a terminal on which a display can be redrawn in place. It is
// false for a dumb terminal, which cannot move its cursor, for
// one without a width, and for a narrow one, on which lines would wrap.
func (p *program) canDraw(w io.Writer) bool {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) || p.variable("TERM") == "dumb" {
		return false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return err == nil && width >= narrowestTerminal
}

// terminal reports whether the output is a terminal, and its width in columns.
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

// fileSize is the size of a terminal; ok is false for any other file.
func fileSize(f *os.File) (width, height int, ok bool) {
	if !term.IsTerminal(int(f.Fd())) {
		return 0, 0, false
	}
	width, height, err := term.GetSize(int(f.Fd()))
	return width, height, err == nil && width > 0 && height > 0
}
