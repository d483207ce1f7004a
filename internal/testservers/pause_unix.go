//go:build unix

package testservers

import (
	"errors"
	"syscall"
)

// Pause stops the process in its tracks: connections stay open and nothing answers.
func (s *Server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return errors.New("signal: the server is closed")
	}
	return s.proc.Signal(sig)
}
