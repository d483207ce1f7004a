package testservers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	startTries   = 3                // a port may be snatched away
	startTimeout = 60 * time.Second // crash recovery on a slow disk included
	probeEvery   = 10 * time.Millisecond
	probeTimeout = 5 * time.Second
	logTail      = 2 << 10
)

// kind is what one sort of server does in its own way. Everything lies below dir.
type kind interface {
	prepare(ctx context.Context, dir string) error   // once, before the first start
	command(dir string, port int) (string, []string) // the binary and its arguments
	probe(ctx context.Context, dir string) error     // nil when it serves
	url(port int) string                             // where it serves
}

// Server is a throwaway server: running, killed or paused. Its methods may be
// called from several goroutines.
type Server struct {
	kind kind
	dir  string
	port int
	let  func() error // the port go

	mu   sync.Mutex
	proc *Process // nil once closed
}

// start runs a server of a kind on a free port, with a folder of its own.
func start(ctx context.Context, k kind) (*Server, error) {
	// A short name at the top of the temporary folder: paths of Unix sockets have
	// little more than a hundred bytes.
	dir, err := os.MkdirTemp("", "baler")
	if err != nil {
		return nil, fmt.Errorf("make server folder: %w", err)
	}
	s := &Server{kind: k, dir: dir}
	if err := s.boot(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) boot(ctx context.Context) error {
	if err := s.kind.prepare(ctx, s.dir); err != nil {
		return err
	}
	var failed error
	for range startTries {
		var err error
		if s.port, s.let, err = HoldPort(ctx); err != nil {
			return err
		}
		if failed = s.up(ctx); failed == nil {
			return nil
		}
		failed = errors.Join(failed, s.let())
		if ctx.Err() != nil {
			return failed
		}
	}
	return failed
}

// up starts the process and returns when it serves.
func (s *Server) up(ctx context.Context) error {
	binary, args := s.kind.command(s.dir, s.port)
	p, err := launch(s.log(), binary, args...)
	if err != nil {
		return err
	}
	if err := s.await(ctx, p); err != nil {
		p.Kill()
		return fmt.Errorf("%s on port %d: %w; the end of its log:\n%s", binary, s.port, err, tail(s.log()))
	}
	s.proc = p
	return nil
}

// await asks until the server answers. The probe goes through a socket in the
// server's own folder, so that it cannot be answered by a stranger who got hold
// of the port.
func (s *Server) await(ctx context.Context, p *Process) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	again := time.NewTicker(probeEvery)
	defer again.Stop()
	for {
		err := s.kind.probe(ctx, s.dir)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("ended while starting: %w", p.err)
		case <-ctx.Done():
			return fmt.Errorf("does not answer: %w", errors.Join(ctx.Err(), err))
		case <-again.C:
		}
	}
}

// URL is where the server serves: the same through its whole life.
func (s *Server) URL() string { return s.kind.url(s.port) }

// Kill ends the process at once, as a power cut would, and keeps its data.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		s.proc.Kill()
	}
}

// Restart kills the process if it runs, and starts it again on the same port and
// the same data. It returns when the server serves.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return errors.New("restart: the server is closed")
	}
	s.proc.Kill()
	return s.up(ctx)
}

// PID is the number of the process; 0 once closed.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return 0
	}
	return s.proc.PID()
}

// Close ends the process and removes its folder. Closing twice is fine.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return nil
	}
	s.proc.Kill()
	s.proc = nil
	if err := errors.Join(s.let(), os.RemoveAll(s.dir)); err != nil {
		return fmt.Errorf("clean up after a server: %w", err)
	}
	return nil
}

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

// tail is the end of a file, for a person to read.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-logTail):])
}
