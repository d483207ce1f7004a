package testkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/balerhq/baler/internal/testkit/server"
)

// shared are the servers of this test process. Tests meet nowhere but in their
// process, so this is the one place for it.
//
//nolint:gochecknoglobals // see above
var shared servers

// servers are started when first asked for and live until close.
type servers struct {
	mu           sync.Mutex
	redis, mysql *server.Server
}

// redisURL names the Redis that this process's tests share.
func (s *servers) redisURL(ctx context.Context) (string, error) {
	return s.url(ctx, server.RedisVariable, &s.redis, func(ctx context.Context) (*server.Server, error) {
		return server.StartRedis(ctx, server.RedisOptions{})
	})
}

// mysqlURL names the MySQL that this process's tests share.
func (s *servers) mysqlURL(ctx context.Context) (string, error) {
	return s.url(ctx, server.MySQLVariable, &s.mysql, server.StartMySQL)
}

func (s *servers) url(
	ctx context.Context, variable string, own **server.Server, start func(context.Context) (*server.Server, error),
) (string, error) {
	if url := os.Getenv(variable); url != "" {
		return url, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if *own == nil {
		started, err := start(ctx)
		if err != nil {
			return "", fmt.Errorf("%w (run `make test`, which installs what is missing, or set %s)", err, variable)
		}
		*own = started
	}
	return (*own).URL(), nil
}

func (s *servers) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, own := range []**server.Server{&s.redis, &s.mysql} {
		if *own != nil {
			errs = append(errs, (*own).Close())
			*own = nil
		}
	}
	return errors.Join(errs...)
}
