//go:build !unix

package testservers

import (
	"errors"
	"fmt"
)

// Pause fails: this system has no signal that stops a process.
func (s *Server) Pause() error { return fmt.Errorf("pause the server: %w", errors.ErrUnsupported) }

// Resume fails like Pause.
func (s *Server) Resume() error { return fmt.Errorf("resume the server: %w", errors.ErrUnsupported) }
