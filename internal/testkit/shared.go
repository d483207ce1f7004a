package testkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/balerhq/baler/internal/testservers"
)

// shared are the servers of this test process. The tests of a package have only
// their process in common, so this is a global variable.
//
//nolint:gochecknoglobals // see above
var shared lazyServers

// lazyServers start when a test first needs them and run until close.
type lazyServers struct {
	mu           sync.Mutex
	redis, mysql *testservers.Server
}

// redisURL returns the URL of the Redis that this process's tests share.
func (s *lazyServers) redisURL(ctx context.Context) (string, error) {
	return s.url(ctx, testservers.RedisVariable, &s.redis, func(ctx context.Context) (*testservers.Server, error) {
		return testservers.StartRedis(ctx, testservers.RedisOptions{})
	})
}

// mysqlURL returns the URL of the MySQL that this process's tests share.
func (s *lazyServers) mysqlURL(ctx context.Context) (string, error) {
	return s.url(ctx, testservers.MySQLVariable, &s.mysql, func(ctx context.Context) (*testservers.Server, error) {
		return testservers.StartMySQLInMemory(ctx)
	})
}

func (s *lazyServers) url(
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

func (s *lazyServers) close() error {
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
