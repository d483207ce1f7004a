package testservers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// SentinelMaster is the name under which the sentinels of StartSentinel know their master.
const SentinelMaster = "mymaster"

// StartSentinel runs a sentinel of a master. quorum sentinels must agree that the master is
// down before another server takes its place. They believe so after half a second of silence.
func StartSentinel(ctx context.Context, master *Server, quorum int) (*Server, error) {
	binary, err := RedisBinary()
	if err != nil {
		return nil, err
	}
	return start(ctx, &sentinelServer{redisServer: redisServer{binary: binary}, master: master.port, quorum: quorum})
}

type sentinelServer struct {
	redisServer

	master, quorum int
}

// prepare writes the file that a sentinel keeps its state in.
func (s *sentinelServer) prepare(_ context.Context, dir string) error {
	const text = "sentinel monitor %[1]s 127.0.0.1 %[2]d %[3]d\n" +
		"sentinel down-after-milliseconds %[1]s 500\n" +
		"sentinel failover-timeout %[1]s 3000\n"
	if err := os.WriteFile(sentinelFile(dir), fmt.Appendf(nil, text, SentinelMaster, s.master, s.quorum), 0o600); err != nil {
		return fmt.Errorf("write the file of a sentinel: %w", err)
	}
	return nil
}

func (s *sentinelServer) command(dir string, port int) (string, []string) {
	return s.binary, []string{
		sentinelFile(dir), "--sentinel", "--bind", "127.0.0.1", "--port", strconv.Itoa(port),
		"--unixsocket", redisSocket(dir), "--dir", dir,
	}
}

func sentinelFile(dir string) string { return filepath.Join(dir, "sentinel.conf") }
