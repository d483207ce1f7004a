package cli

import (
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// narrowestLive is the width of the narrowest terminal with a live view.
const narrowestLive = 20

// redrawEvery is the time between two frames; a frame that is the same is not written.
const redrawEvery = 200 * time.Millisecond

// Escape sequences of terminals (ECMA-48, and the private modes of xterm).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // another screen, without a cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l" // the screen as it was
	beginFrame  = "\x1b[?2026h\x1b[H"    // shown at once, where terminals can; from the top
	endFrame    = "\x1b[J\x1b[?2026l"    // nothing below it
	endLine     = "\x1b[K"               // nothing to the right
)

// live is a terminal on which frames are drawn, one over the other.
type live struct {
	w      io.Writer
	size   func() (width, height int)
	colors bool

	mu    sync.Mutex
	draw  func(*canvas)
	shown string
	notes []string // that came meanwhile; they are written when the screen is as before
	noted time.Time
}

// openLive takes over the terminal until close. quit is called when the person presses q or
// Ctrl-C. ok is false when there is no terminal for it.
func (p *program) openLive(quit func(interrupted bool)) (l *live, closeLive func(), ok bool) {
	width, height, isTerminal := sizeOf(p.stdout)
	if !isTerminal || width < narrowestLive || height < 3 || p.variable("TERM") == "dumb" {
		return nil, nil, false
	}
	l = &live{w: p.stdout, colors: p.colors(p.stdout), size: func() (int, int) {
		if w, h, ok := sizeOf(p.stdout); ok {
			width, height = w, h
		}
		return width, height
	}}
	restore := func() {}
	if in, isFile := p.stdin.(*os.File); isFile && term.IsTerminal(int(in.Fd())) {
		if before, err := term.MakeRaw(int(in.Fd())); err == nil {
			restore = func() { _ = term.Restore(int(in.Fd()), before) }
			go readKeys(in, quit) // it ends with the process
		}
	}
	_, _ = io.WriteString(l.w, enterScreen)
	p.stderr.setBar(l)
	return l, func() {
		p.stderr.setBar(nil)
		_, _ = io.WriteString(l.w, leaveScreen)
		restore()
		for _, n := range l.notes {
			_, _ = io.WriteString(p.stderr, n)
		}
	}, true
}

// readKeys calls quit for q and Ctrl-C.
func readKeys(in io.Reader, quit func(interrupted bool)) {
	key := make([]byte, 1)
	for {
		if _, err := in.Read(key); err != nil {
			return
		}
		switch key[0] {
		case 'q', 'Q':
			quit(false)
		case 3: // Ctrl-C, which a raw terminal does not turn into a signal
			quit(true)
		}
	}
}

// Write takes notes that come while the screen is taken.
func (l *live) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notes, l.noted = append(l.notes, string(text)), time.Now()
	return len(text), nil
}

// noteShown is how long a note stays on the screen.
const noteShown = 30 * time.Second

// recentNote is the last note, unless it is old.
func (l *live) recentNote() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.notes) == 0 || time.Since(l.noted) > noteShown {
		return ""
	}
	return strings.TrimSpace(l.notes[len(l.notes)-1])
}

// show sets what is drawn from now on, and draws it.
func (l *live) show(draw func(*canvas)) {
	l.mu.Lock()
	l.draw = draw
	l.mu.Unlock()
	l.redraw()
}

// run draws again until ctx ends, because time goes on and the size may change.
func (l *live) run(ctx context.Context) {
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.redraw()
		}
	}
}

func (l *live) redraw() {
	l.mu.Lock()
	draw := l.draw
	l.mu.Unlock()
	if draw == nil {
		return
	}
	width, height := l.size()
	c := canvas{width: width, height: height, colors: l.colors}
	draw(&c)
	frame := c.frame()
	l.mu.Lock()
	defer l.mu.Unlock()
	if frame != l.shown {
		l.shown = frame
		_, _ = io.WriteString(l.w, frame) // output remembers the error
	}
}

// frame is the text that puts the lines on a terminal.
func (c *canvas) frame() string {
	lines := c.lines[:min(len(c.lines), c.height)]
	return beginFrame + strings.Join(lines, endLine+"\r\n") + endLine + endFrame
}
