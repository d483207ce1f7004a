package coprocess

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/command"
)

// Times of a child's life.
const (
	readyTime  = time.Minute     // until it is ready: imports may be heavy
	pingTime   = 5 * time.Second // until it answers a ping
	drainTime  = time.Second     // for what it wrote before it ended, and somebody else holds open
	finishTime = 2 * time.Second // to end in order when its input has ended
)

// child is a process that speaks the protocol. One batch at a time uses it.
type child struct {
	name     string
	process  *command.Process
	stdin    *os.File
	stdout   *os.File
	messages chan received
	stderr   *errorOutput
	gone     chan struct{} // closed by end
	endOnce  sync.Once

	batches int
	number  int64 // of the last batch or ping
	idle    time.Time
}

// received is a message, or why there are no more.
type received struct {
	message
	err error
}

// errEnded says that a child's messages have ended.
var errEnded = errors.New("the child process closed its standard output")

// startChild starts a child and waits until it is ready.
func startChild(ctx context.Context, s *spec) (*child, error) {
	p, err := program(s)
	if err != nil {
		return nil, err
	}
	inR, inW, err := os.Pipe()
	if err != nil {
		return nil, handlers.RetryLater(handlers.CodeIO, err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, handlers.RetryLater(handlers.CodeIO, errors.Join(err, inR.Close(), inW.Close()))
	}
	c := &child{
		name: p.Name, stdin: inW, stdout: outR, messages: make(chan received), stderr: &errorOutput{}, gone: make(chan struct{}),
	}
	if s.script != "" {
		c.name = s.Script
	}
	p.Stdin = inR
	c.process, err = p.Start(outW, c.stderr)
	err = errors.Join(err, inR.Close(), outW.Close()) // the child has its own
	if c.process == nil {
		_ = errors.Join(inW.Close(), outR.Close()) // nothing was written
		return nil, err
	}
	go c.read()
	go func() {
		<-c.process.Ended()
		_ = outR.SetReadDeadline(time.Now().Add(drainTime)) // its children may hold the stream open; it fails when closed
	}()
	if err := c.awaitReady(ctx); err != nil {
		c.kill()
		return nil, err
	}
	return c, nil
}

func program(s *spec) (p command.Program, err error) {
	p.Dir, p.Limits.Memory = s.dir, int64(s.Memory)
	if p.Env, err = command.Environment(s.Env); err != nil {
		return p, handlers.Fail(handlers.CodeBadArgs, err)
	}
	p.Env = append(p.Env, fmt.Sprintf("BALER_PROTOCOL=%d", protocolVersion))
	words := []string(s.Command)
	if s.script != "" {
		dir, err := sdkFolder()
		if err != nil {
			return p, handlers.RetryLater(handlers.CodeIO, err)
		}
		words = s.Interpreter
		if len(words) == 0 {
			words = []string{interpreter(s.script)}
		}
		library := "/baler.mjs"
		if interpreter(s.script) == "python3" {
			library = "/baler.py"
			p.Env = append(p.Env, "PYTHONPATH="+pythonPath(dir, p.Env))
		}
		words = append(append([]string{}, words...), dir+library, "run", s.script)
	}
	p.Name, p.Args = words[0], words[1:]
	return p, nil
}

// pythonPath puts the library's folder before those that the step names.
func pythonPath(dir string, env []string) string {
	for _, e := range slices.Backward(env) {
		if of, ok := strings.CutPrefix(e, "PYTHONPATH="); ok && of != "" {
			return dir + string(filepath.ListSeparator) + of
		}
	}
	return dir
}

// read passes messages on until the stream ends. Nobody listens any more once the child is
// ended.
func (c *child) read() {
	defer close(c.messages)
	lines := bufio.NewReaderSize(c.stdout, 64<<10)
	for {
		line, err := readLine(lines)
		r := received{err: err}
		if err == nil {
			if err := json.Unmarshal(line, &r.message); err != nil || r.Type == "" {
				r.err = &nonsenseError{string(line[:min(len(line), 200)])}
			}
		}
		select {
		case c.messages <- r:
		case <-c.gone:
			return
		}
		if r.err != nil {
			return
		}
	}
}

// nonsenseError is a line that is no message.
type nonsenseError struct{ line string }

func (e *nonsenseError) Error() string {
	return fmt.Sprintf("the child process wrote %q to its standard output, which is no message of the protocol", e.line)
}

// readLine reads a line that is not too long.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case len(line) > maxLine:
			return nil, &nonsenseError{string(line[:100]) + "… (a line of more than 16 MiB)"}
		case errors.Is(err, bufio.ErrBufferFull):
		case len(bytes.TrimSpace(line)) > 0:
			return nil, &nonsenseError{string(line[:min(len(line), 200)]) + " (half a line)"}
		default:
			return nil, errEnded
		}
	}
}

// next is the next message within some time.
func (c *child) next(ctx context.Context, within time.Duration) (message, error) {
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case r := <-c.messages:
		return r.message, r.err
	case <-t.C:
		return message{}, fmt.Errorf("the child process sent no message for %s", within)
	case <-ctx.Done():
		return message{}, ctx.Err()
	}
}

func (c *child) awaitReady(ctx context.Context) error {
	m, err := c.next(ctx, readyTime)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && m.Type != typeReady:
		err = fmt.Errorf("the child process began with a message of type %q instead of ready", m.Type)
	case err == nil && m.Protocol != protocolVersion:
		err = fmt.Errorf("the child process speaks version %d of the protocol; this Baler speaks %d", m.Protocol, protocolVersion)
	}
	if err == nil {
		return nil
	}
	if end := c.kill(); end != nil {
		err = fmt.Errorf("%w (%v)", err, end)
	}
	return handlers.RetryLater(CodeNotReady, fmt.Errorf("%s: not ready: %w%s", c.name, err, c.stderr.tail()))
}

// healthy reports whether a child that had nothing to do still answers.
func (c *child) healthy(ctx context.Context) bool {
	c.number++
	if !c.send(append(appendJSON(nil, map[string]any{"type": typePing, "ping": c.number}), '\n')) {
		return false
	}
	for {
		m, err := c.next(ctx, pingTime)
		if err != nil {
			return false
		}
		if m.Type == typePong && m.Ping == c.number {
			return true
		}
	}
}

// send writes a short message.
func (c *child) send(line []byte) bool {
	_ = c.stdin.SetWriteDeadline(time.Now().Add(pingTime)) // pipes have deadlines
	defer func() { _ = c.stdin.SetWriteDeadline(time.Time{}) }()
	_, err := c.stdin.Write(line)
	return err == nil
}

// end lets a child end in order.
func (c *child) end() { c.stop(finishTime) }

// kill ends a child now. One that crashed closes its streams a moment before its end: that
// end is returned.
func (c *child) kill() *os.ProcessState { return c.stop(50 * time.Millisecond) }

// stop waits for a child to end by itself, and returns how it did; nil when it had to be
// killed, or has been stopped before.
func (c *child) stop(wait time.Duration) (byItself *os.ProcessState) {
	c.endOnce.Do(func() {
		_ = c.stdin.Close() // nothing is lost: no batch waits
		close(c.gone)
		t := time.NewTimer(wait)
		defer t.Stop()
		ended := false
		select {
		case <-c.process.Ended():
			ended = true
		case <-t.C:
		}
		if end, err := c.process.End(0); err == nil && ended {
			byItself = end
		}
		_ = c.stdout.Close() // only read from
	})
	return byItself
}

// errorOutput is what a child writes to standard error: it goes to the job at work, and else
// its end is kept.
type errorOutput struct {
	mu   sync.Mutex
	job  *handlers.Job
	last []byte
}

// keptErrors is how much is kept.
const keptErrors = 8 << 10

func (o *errorOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.job != nil {
		o.job.WriteError(p)
		return len(p), nil
	}
	o.last = append(o.last, p...)
	if len(o.last) > 2*keptErrors {
		o.last = append(o.last[:0], o.last[len(o.last)-keptErrors:]...)
	}
	return len(p), nil
}

func (o *errorOutput) of(job *handlers.Job) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.job = job
}

// tail is what was kept, as the end of a message.
func (o *errorOutput) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := strings.TrimSpace(string(o.last[max(0, len(o.last)-keptErrors):]))
	if text == "" {
		return ""
	}
	return "\n" + text
}

var _ io.Writer = (*errorOutput)(nil)
