package baler

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/queue"
)

// redisQueue holds the connections to Redis.
type redisQueue struct {
	where    string
	opt      asynq.RedisConnOpt
	client   redis.UniversalClient // for workers and questions
	sender   redis.UniversalClient // gathers concurrent enqueues into pipelines
	producer *queue.Producer
	embedded *embeddedRedis // nil for a server
}

// openQueue connects, and makes sure that Redis answers.
func openQueue(ctx context.Context, cfg config.Redis) (*redisQueue, error) {
	u, err := config.ParseRedis(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("BALER_REDIS_URL %w", err)
	}
	q := &redisQueue{where: u.Redacted()}
	if u.Mode == config.Embedded {
		if q.embedded, err = startEmbedded(); err != nil {
			return nil, err
		}
		q.opt = q.embedded.opt()
	} else {
		q.opt = connOpt(u, cfg.PoolSize)
	}
	q.client = newClient(q.opt)
	q.sender = newClient(q.opt)
	queue.AddPipelineHook(q.sender)
	q.producer = queue.NewProducer(q.sender)
	if err := q.ping(ctx); err != nil {
		return nil, errors.Join(err, q.close())
	}
	return q, nil
}

// pingTime bounds how long an answer of Redis is waited for.
const pingTime = 5 * time.Second

func (q *redisQueue) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	if err := q.client.Ping(ctx).Err(); err != nil {
		//nolint:staticcheck // Redis is a name
		return fmt.Errorf("Redis at %s does not answer: %w (set BALER_REDIS_URL, or start Redis)", q.where, err)
	}
	return nil
}

func (q *redisQueue) close() error {
	errs := []error{ignoreClosed(q.client.Close()), ignoreClosed(q.sender.Close())}
	if q.embedded != nil {
		q.embedded.close()
	}
	return errors.Join(errs...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, redis.ErrClosed) {
		return nil
	}
	return err
}

// connOpt says to asynq how Redis is reached.
func connOpt(u config.RedisURL, pool int) asynq.RedisConnOpt {
	var secure *tls.Config
	if u.TLS {
		host, _, _ := net.SplitHostPort(u.Addrs[0]) // config has put a port to each
		secure = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	switch u.Mode {
	case config.Sentinel:
		return asynq.RedisFailoverClientOpt{
			MasterName: u.Master, SentinelAddrs: u.Addrs, SentinelUsername: u.User, SentinelPassword: u.Password,
			DB: u.DB, PoolSize: pool, TLSConfig: secure,
		}
	case config.Cluster:
		return asynq.RedisClusterClientOpt{Addrs: u.Addrs, Username: u.User, Password: u.Password, TLSConfig: secure}
	default:
		return asynq.RedisClientOpt{
			Addr: u.Addrs[0], Username: u.User, Password: u.Password, DB: u.DB, PoolSize: pool, TLSConfig: secure,
		}
	}
}

// newClient makes the client that asynq would make.
func newClient(opt asynq.RedisConnOpt) redis.UniversalClient {
	return opt.MakeRedisClient().(redis.UniversalClient) //nolint:forcetypeassert // all three kinds are
}

// embeddedRedis is a Redis inside this process, on a loopback port that only this
// process knows the password of.
type embeddedRedis struct {
	server   *miniredis.Miniredis
	password string
	stop     chan struct{}
	once     sync.Once
	ended    sync.WaitGroup
}

func startEmbedded() (*embeddedRedis, error) {
	e := &embeddedRedis{server: miniredis.NewMiniRedis(), password: rand.Text(), stop: make(chan struct{})}
	e.server.RequireAuth(e.password)
	if err := e.server.StartAddr(net.JoinHostPort("127.0.0.1", "0")); err != nil {
		return nil, fmt.Errorf("start embedded Redis: %w", err)
	}
	e.ended.Go(e.age)
	return e, nil
}

// age lets keys expire: miniredis does not look at the clock by itself.
func (e *embeddedRedis) age() {
	const tick = time.Second
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			e.server.FastForward(tick)
		case <-e.stop:
			return
		}
	}
}

func (e *embeddedRedis) opt() asynq.RedisConnOpt {
	return asynq.RedisClientOpt{Addr: e.server.Addr(), Password: e.password}
}

func (e *embeddedRedis) close() {
	e.once.Do(func() {
		close(e.stop)
		e.ended.Wait()
		e.server.Close()
	})
}
