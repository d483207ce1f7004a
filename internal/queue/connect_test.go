package queue

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

func TestSocket(t *testing.T) {
	t.Parallel()
	address := testkit.Redis(t)
	client := testkit.RedisClient(t, address, nil)
	socket, err := client.ConfigGet(t.Context(), "unixsocket").Result()
	testkit.Must(t, err)
	testkit.Must(t, client.Set(t.Context(), "a", "b", 0).Err())
	u, err := url.Parse(address)
	testkit.Must(t, err)
	q, err := open(t.Context(), config.RedisSettings{URL: "unix://" + socket["unixsocket"] + "?db=" + u.Path[1:]})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, q)
	if got, err := q.Client.Get(t.Context(), "a").Result(); err != nil || got != "b" {
		t.Errorf("read %q, %v", got, err)
	}
}

// open connects, and makes sure that Redis answers.
func open(ctx context.Context, cfg config.RedisSettings) (*Conn, error) {
	q, err := Connect(cfg, nil)
	if err != nil {
		return nil, err
	}
	if err := q.Ping(ctx); err != nil {
		return nil, errors.Join(err, q.Close())
	}
	return q, nil
}
