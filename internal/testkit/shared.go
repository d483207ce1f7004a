package testkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/balerhq/baler/internal/servers"
)

// shared are the servers of this test process. Tests meet nowhere but in their
// process, so this is the one place for it.
//
//nolint:gochecknoglobals // see above
var shared started

// started are servers, started when first asked for and live until close.
type started struct {
	mu           sync.Mutex
	redis, mysql *servers.Server
}

// redisURL names the Redis that this process's tests share.
func (s *started) redisURL(ctx context.Context) (string, error) {
	return s.url(ctx, servers.RedisVariable, &s.redis, func(ctx context.Context) (*servers.Server, error) {
		return servers.StartRedis(ctx, servers.RedisOptions{})
	})
}

// mysqlURL names the MySQL that this process's tests share.
func (s *started) mysqlURL(ctx context.Context) (string, error) {
	return s.url(ctx, servers.MySQLVariable, &s.mysql, servers.StartMySQL)
}

func (s *started) url(
	ctx context.Context, variable string, own **servers.Server, start func(context.Context) (*servers.Server, error),
) (string, error) {
	if url := os.Getenv(variable); url != "" {
		return url, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if *own == nil {
		fresh, err := start(ctx)
		if err != nil {
			return "", fmt.Errorf("%w (run `make test`, which installs what is missing, or set %s)", err, variable)
		}
		*own = fresh
	}
	return (*own).URL(), nil
}

func (s *started) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, own := range []**servers.Server{&s.redis, &s.mysql} {
		if *own != nil {
			errs = append(errs, (*own).Close())
			*own = nil
		}
	}
	return errors.Join(errs...)
}
