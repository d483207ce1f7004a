package testkit

import (
	"testing"

	"github.com/balerhq/baler/internal/testservers"
)

// RedisOptions change the settings of a private Redis.
type RedisOptions = testservers.RedisOptions

// PrivateServer is a server for one test, which may kill, pause and restart it. When an operation
// on it fails, the test ends.
type PrivateServer struct {
	t      testing.TB
	server *testservers.Server
}

// NewRedisServer starts a Redis for this test only.
func NewRedisServer(t testing.TB, opts RedisOptions) *PrivateServer {
	t.Helper()
	s, err := testservers.StartRedis(t.Context(), opts)
	return own(t, s, err)
}

// NewMySQLServer starts a MySQL for this test only; its URL names an empty database.
// Committed transactions survive a Kill. args are options of the server, such as
// --max-allowed-packet=1M.
func NewMySQLServer(t testing.TB, args ...string) *PrivateServer {
	t.Helper()
	s, err := testservers.StartMySQLInMemory(t.Context(), args...)
	return own(t, s, err)
}

func own(t testing.TB, s *testservers.Server, err error) *PrivateServer {
	t.Helper()
	if err != nil {
		t.Fatalf("start a private server: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stop a private server: %v", err)
		}
	})
	return &PrivateServer{t: t, server: s}
}

// URL is the server's address, which a restart does not change.
func (s *PrivateServer) URL() string { return s.server.URL() }

// Kill ends the process with SIGKILL and keeps its data. A second Kill
// does nothing.
func (s *PrivateServer) Kill() { s.server.Kill() }

// Restart starts the process again with the same port and data, and kills it
// first when it runs. It returns when the server accepts connections.
func (s *PrivateServer) Restart() {
	s.t.Helper()
	if err := s.server.Restart(s.t.Context()); err != nil {
		s.t.Fatalf("restart a private server: %v", err)
	}
}

// Pause stops the process: its connections stay open, and it answers nothing.
func (s *PrivateServer) Pause() {
	s.t.Helper()
	if err := s.server.Pause(); err != nil {
		s.t.Fatalf("pause a private server: %v", err)
	}
}

// Resume continues a paused process.
func (s *PrivateServer) Resume() {
	s.t.Helper()
	if err := s.server.Resume(); err != nil {
		s.t.Fatalf("resume a private server: %v", err)
	}
}
