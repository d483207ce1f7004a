package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testservers"
)

// The queues of measurements. Other queues on a given Redis are not changed.
const (
	benchQueue    = "bench"
	baselineQueue = "bench-baseline"
)

// Env is the environment of measurements: a folder, a Redis and a MySQL.
type Env struct {
	o           Options
	dir         string
	redis       *testservers.Server // nil for a given server
	mysql       *testservers.Server // nil for a given server
	redisURL    string
	databaseURL string
	databases   int // made so far, on a server of our own
}

// Open starts the servers that are not given. Close the Env, also after an error elsewhere.
// It leaves nothing behind, except transfers in a given database.
func Open(ctx context.Context, o Options) (*Env, error) {
	dir, err := os.MkdirTemp("", "baler-bench")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real // the files of a transfer have no links in their paths
	}
	p := &Env{o: o, dir: dir, redisURL: o.Config.Redis.URL, databaseURL: o.Config.Database.URL}
	if err := p.open(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Env) open(ctx context.Context) (err error) {
	if !p.o.givenRedis() {
		p.o.Say("Starting a throwaway Redis.")
		if p.redis, err = testservers.StartRedis(ctx, testservers.RedisOptions{}); err != nil {
			return fmt.Errorf("%w (install redis-server, or give --redis)", err)
		}
		p.redisURL = p.redis.URL()
	}
	if !p.o.givenDatabase() {
		p.o.Say("Starting a throwaway MariaDB or MySQL.")
		if p.mysql, err = testservers.StartMySQL(ctx, p.o.Database...); err != nil {
			return fmt.Errorf("%w (install mariadb-server, or give --database)", err)
		}
		return nil
	}
	return p.mayUse(ctx)
}

// Close stops the servers that Open started, and deletes the queues of measurements from a
// given Redis.
func (p *Env) Close() error {
	var errs []error
	switch {
	case p.redis != nil:
		errs = append(errs, p.redis.Close())
	case p.o.givenRedis():
		p.dropQueues()
	}
	if p.mysql != nil {
		errs = append(errs, p.mysql.Close())
	}
	if err := os.RemoveAll(p.dir); err != nil {
		errs = append(errs, fmt.Errorf("remove what was measured with: %w", err))
	}
	return errors.Join(errs...)
}

// connectRedis connects to the Redis of the measurement by the settings: with TLS, by a
// socket, or through Sentinel.
func (p *Env) connectRedis() (*queue.Conn, error) {
	cfg := p.o.Config.Redis
	cfg.URL = p.redisURL
	return queue.Connect(cfg, p.o.Log)
}

func (p *Env) dropQueues() {
	q, err := p.connectRedis()
	if err != nil {
		return // nothing was measured there
	}
	defer q.Close()
	inspector := asynq.NewInspectorFromRedisClient(q.Client)
	for _, q := range []string{benchQueue, baselineQueue} {
		_ = inspector.DeleteQueue(q, true) // it may not be there, and costs nothing if it stays
	}
}

// pids returns the processes of the servers that Open started, by kind.
func (p *Env) pids() map[string][]int {
	pids := make(map[string][]int)
	if p.redis != nil {
		pids["redis"] = []int{p.redis.PID()}
	}
	if p.mysql != nil {
		pids["mariadb"] = []int{p.mysql.PID()}
	}
	return pids
}

// empty removes all data from the servers that Open started, so that all measurements begin
// in the same state.
func (p *Env) empty(ctx context.Context) error {
	if p.redis != nil {
		if err := flush(ctx, p.redisURL); err != nil {
			return err
		}
	}
	if p.mysql == nil {
		return nil
	}
	old := p.databaseURL
	p.databases++
	p.databaseURL = databaseURL(p.mysql.URL(), fmt.Sprintf("bench_%d", p.databases))
	if p.databases > 1 {
		return replaceDatabase(ctx, old, p.databaseURL)
	}
	return replaceDatabase(ctx, "", p.databaseURL)
}

func flush(ctx context.Context, url string) error {
	o, err := redis.ParseURL(url)
	if err != nil {
		return fmt.Errorf("empty Redis: %w", err)
	}
	client := redis.NewClient(o)
	defer client.Close()
	if err := client.FlushDB(ctx).Err(); err != nil {
		return fmt.Errorf("empty Redis: %w", err)
	}
	return nil
}

func (p *Env) path(name string) string { return filepath.Join(p.dir, name) }
