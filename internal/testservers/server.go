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
	startAttempts = 3                // another process may take the port
	startTimeout  = 60 * time.Second // includes crash recovery on a slow disk
	probeEvery    = 10 * time.Millisecond
	probeTimeout  = 5 * time.Second
	logTail       = 2 << 10
)

// program has what differs between Redis and MySQL. All files are below dir.
type program interface {
	prepare(ctx context.Context, dir string) error   // once, before the first start
	command(dir string, port int) (string, []string) // the binary and its arguments
	probe(ctx context.Context, dir string) error     // nil when the server accepts connections
	url(port int) string                             // the address
}

// Server is a temporary server: running, killed or paused. Its methods are safe for
// concurrent use.
type Server struct {
	program     program
	dir         string
	port        int
	releasePort func() error

	mu   sync.Mutex
	proc *Process // nil once closed
}

// start runs a program on a free port with a folder of its own.
func start(ctx context.Context, p program) (*Server, error) { return startBelow(ctx, "", p) }

// startBelow makes the server's folder in another one; empty for the one of temporary files.
func startBelow(ctx context.Context, parent string, p program) (*Server, error) {
	// The path must be short: paths of Unix sockets are limited to about a hundred
	// bytes.
	dir, err := os.MkdirTemp(parent, "baler")
	if err != nil {
		return nil, fmt.Errorf("make server folder: %w", err)
	}
	s := &Server{program: p, dir: dir}
	if err := s.boot(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (s *Server) boot(ctx context.Context) error {
	if err := s.program.prepare(ctx, s.dir); err != nil {
		return err
	}
	var failed error
	for range startAttempts {
		var err error
		if s.port, s.releasePort, err = HoldPort(ctx); err != nil {
			return err
		}
		if failed = s.up(ctx); failed == nil {
			return nil
		}
		failed = errors.Join(failed, s.releasePort())
		if ctx.Err() != nil {
			return failed
		}
	}
	return failed
}

// up starts the process and returns when it accepts connections.
func (s *Server) up(ctx context.Context) error {
	binary, args := s.program.command(s.dir, s.port)
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

// await probes the server until it answers. The probe uses the socket in the
// server's folder, so that no other process which has taken the port can answer.
func (s *Server) await(ctx context.Context, p *Process) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	again := time.NewTicker(probeEvery)
	defer again.Stop()
	for {
		err := s.program.probe(ctx, s.dir)
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

// URL is the server's address, which a restart does not change.
func (s *Server) URL() string { return s.program.url(s.port) }

// Kill ends the process with SIGKILL and keeps its data.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		s.proc.Kill()
	}
}

// Restart kills the process if it runs, and starts it again with the same port and
// data. It returns when the server accepts connections.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return errors.New("restart: the server is closed")
	}
	s.proc.Kill()
	return s.up(ctx)
}

// PID is the process ID; 0 after Close.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return 0
	}
	return s.proc.PID()
}

// Close kills the process and removes its folder. A second Close does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return nil
	}
	s.proc.Kill()
	s.proc = nil
	if err := errors.Join(s.releasePort(), os.RemoveAll(s.dir)); err != nil {
		return fmt.Errorf("clean up after a server: %w", err)
	}
	return nil
}

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

// tail returns the end of a file, or the error of reading it.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-logTail):])
}
