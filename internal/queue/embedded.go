package queue

import (
	"crypto/rand"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
)

// embeddedRedis is a Redis inside this process, on a loopback port with a password
// that never leaves the process.
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

// age makes keys expire, because miniredis does not use the clock.
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
