//go:build unix

package testservers

import (
	"errors"
	"syscall"
)

// Pause stops the process: its connections stay open, and it answers nothing.
func (s *Server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume continues a paused process.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return errors.New("signal: the server is closed")
	}
	return s.proc.Signal(sig)
}
