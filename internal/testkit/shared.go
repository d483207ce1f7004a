package testkit

import (
	"context"
	"errors"
	"fmt"
	"github.com/balerhq/baler/internal/testservers"
	"os"
	"sync"
)

// shared are the servers of this test process. Tests meet nowhere but in their
// process, so this is the one place for it.
//
//nolint:gochecknoglobals // see above
var shared started

// started are servers, started when first asked for and live until close.
type started struct {
	mu           sync.Mutex
	redis, mysql *testservers.Server
}

// redisURL names the Redis that this process's tests share.
func (s *started) redisURL(ctx context.Context) (string, error) {
	return s.url(ctx, testservers.RedisVariable, &s.redis, func(ctx context.Context) (*testservers.Server, error) {
		return testservers.StartRedis(ctx, testservers.RedisOptions{})
	})
}

// mysqlURL names the MySQL that this process's tests share.
func (s *started) mysqlURL(ctx context.Context) (string, error) {
	return s.url(ctx, testservers.MySQLVariable, &s.mysql, testservers.StartMySQL)
}

func (s *started) url(
	ctx context.Context, variable string, own **testservers.Server, start func(context.Context) (*testservers.Server, error),
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
	for _, own := range []**testservers.Server{&s.redis, &s.mysql} {
		if *own != nil {
			errs = append(errs, (*own).Close())
			*own = nil
		}
	}
	return errors.Join(errs...)
}
