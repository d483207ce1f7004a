package testkit

import (
	"github.com/balerhq/baler/internal/testservers"
	"testing"
)

// RedisOptions change what a private Redis is by default.
type RedisOptions = testservers.RedisOptions

// Server is a private server that a test may treat badly. What goes wrong with it
// that the test did not ask for fails the test.
type Server struct {
	t      testing.TB
	server *testservers.Server
}

// NewRedisServer starts a Redis for this test alone.
func NewRedisServer(t testing.TB, opts RedisOptions) *Server {
	t.Helper()
	s, err := testservers.StartRedis(t.Context(), opts)
	return own(t, s, err)
}

// NewMySQLServer starts a MySQL for this test alone; its URL names an empty
// database. What was committed survives a Kill.
func NewMySQLServer(t testing.TB) *Server {
	t.Helper()
	s, err := testservers.StartMySQL(t.Context())
	return own(t, s, err)
}

func own(t testing.TB, s *testservers.Server, err error) *Server {
	t.Helper()
	if err != nil {
		t.Fatalf("start a private server: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stop a private server: %v", err)
		}
	})
	return &Server{t: t, server: s}
}

// URL is where the server serves; a restart does not change it.
func (s *Server) URL() string { return s.server.URL() }

// Kill ends the process at once, with no time to tidy up, and keeps its data.
// Killing a dead server is fine.
func (s *Server) Kill() { s.server.Kill() }

// Restart starts the process again on the same port and the same data, killing
// it first if it runs. It returns when the server serves.
func (s *Server) Restart() {
	s.t.Helper()
	if err := s.server.Restart(s.t.Context()); err != nil {
		s.t.Fatalf("restart a private server: %v", err)
	}
}

// Pause stops the process in its tracks: its connections stay open and it
// answers nothing.
func (s *Server) Pause() {
	s.t.Helper()
	if err := s.server.Pause(); err != nil {
		s.t.Fatalf("pause a private server: %v", err)
	}
}

// Resume lets a paused process go on where it was.
func (s *Server) Resume() {
	s.t.Helper()
	if err := s.server.Resume(); err != nil {
		s.t.Fatalf("resume a private server: %v", err)
	}
}
