package queue

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/signing"
)

// Conn holds the connections to Redis. Make one with Open or Connect.
type Conn struct {
	Address  string                // for people: the URL without its password
	Client   redis.UniversalClient // for workers and queries
	Producer *Producer
	Opt      asynq.RedisConnOpt // for asynq's own connections

	sender   redis.UniversalClient // gathers concurrent enqueues into pipelines
	embedded *embeddedRedis        // nil for a server
	user     string                // of the servers' ACL
	secure   bool                  // the connections use TLS
}

// Connect prepares the connections: they are made when they are used. A nil log discards.
func Connect(cfg config.RedisSettings, log *slog.Logger) (*Conn, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	LogThrough(log)
	u, err := config.ParseRedis(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("BALER_REDIS_URL %w", err)
	}
	keys, err := cfg.ReadSigningKeys()
	if err != nil {
		return nil, err
	}
	q := &Conn{Address: u.Redacted(), user: redisUser(u, cfg)}
	if u.Mode == config.Embedded {
		if q.embedded, err = startEmbedded(); err != nil {
			return nil, err
		}
		q.Opt = q.embedded.opt()
	} else {
		secure, err := cfg.TLS.Load()
		if err != nil {
			return nil, fmt.Errorf("redis.%w", err)
		}
		if secure == nil && u.TLS {
			// No ServerName: each connection verifies the name of the host that it dials.
			secure = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		q.Opt, q.secure = connOpt(u, cfg, secure), secure != nil
	}
	q.Client = newClient(q.Opt)
	if q.embedded == nil { // no other process can write to an embedded queue, and it has no accounts
		q.Client.AddHook(refusalHook{q.user})
		q.Client.AddHook(NewOversizeHook())
	}
	q.sender = newClient(q.Opt)
	if q.embedded == nil {
		q.sender.AddHook(refusalHook{q.user})
	}
	AddPipelineHook(q.sender)
	q.Producer = NewProducer(q.sender)
	q.Producer.Keys = signing.New(keys)
	q.Producer.sending = outage.New(log, outage.Redis, "enqueue")
	q.Producer.asking = outage.New(log, outage.Redis, "ask for batches")
	q.Producer.repairing = outage.New(log, outage.Redis, "repair groups")
	return q, nil
}

// pingTime bounds one Ping.
const pingTime = 5 * time.Second

// Ping returns an error when Redis does not answer within five seconds.
func (q *Conn) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	if err := q.ping(ctx); err != nil {
		if q.Embedded() {
			return fmt.Errorf("the embedded queue of this process does not answer: %w", err)
		}
		f := q.pingFault(err)
		//nolint:staticcheck // Redis is a name
		return fmt.Errorf("Redis at %s %s: %w (%s)", q.Address, f.what, err, f.hint)
	}
	return nil
}

// Embedded reports whether the queue lives in this process and ends with it.
func (q *Conn) Embedded() bool { return q.embedded != nil }

// Close closes the connections, and ends an embedded queue. Closing twice is fine.
func (q *Conn) Close() error {
	errs := []error{ignoreClosed(q.Client.Close()), ignoreClosed(q.sender.Close())}
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

// redisUser is the account with which this process logs in to the servers.
func redisUser(u config.RedisURL, cfg config.RedisSettings) string {
	if u.Mode == config.Sentinel { // the URL has the account of the sentinels
		return cmp.Or(cfg.Username, "default")
	}
	return cmp.Or(u.User, cfg.Username, "default")
}

// connOpt translates a Redis URL and what belongs to it into asynq's options.
func connOpt(u config.RedisURL, cfg config.RedisSettings, secure *tls.Config) asynq.RedisConnOpt {
	user, password := cmp.Or(u.User, cfg.Username), cmp.Or(u.Password, cfg.Password)
	switch {
	case u.Mode == config.Sentinel:
		return asynq.RedisFailoverClientOpt{
			MasterName: u.Master, SentinelAddrs: u.Addrs, SentinelUsername: u.User, SentinelPassword: u.Password,
			Username: cfg.Username, Password: cfg.Password, DB: u.DB, PoolSize: cfg.PoolSize, TLSConfig: secure,
		}
	case u.Mode == config.Cluster:
		return clusterOpt{redis.ClusterOptions{
			Addrs: u.Addrs, Username: user, Password: password, PoolSize: cfg.PoolSize, TLSConfig: secure,
		}}
	case u.Socket != "":
		return asynq.RedisClientOpt{
			Network: "unix", Addr: u.Socket, Username: user, Password: password, DB: u.DB, PoolSize: cfg.PoolSize,
		}
	}
	return asynq.RedisClientOpt{
		Addr: u.Addrs[0], Username: user, Password: password, DB: u.DB, PoolSize: cfg.PoolSize, TLSConfig: secure,
	}
}

// newClient makes the client that asynq would make.
func newClient(opt asynq.RedisConnOpt) redis.UniversalClient {
	return opt.MakeRedisClient().(redis.UniversalClient) //nolint:forcetypeassert // all three kinds are
}
