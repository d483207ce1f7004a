package bench_test

import (
	"net/url"
	"testing"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/bench"
	"github.com/balerhq/baler/internal/testkit"
)

// Bench connects as the settings say: to a Redis by its socket, and to a MySQL that asks
// for a client's certificate.
func TestServersBySocketAndTLS(t *testing.T) {
	t.Parallel()
	files := testkit.NewCertificates(t)
	database := testkit.NewMySQLWithTLS(t, files)
	redis, err := url.Parse(testkit.Redis(t))
	testkit.Must(t, err)
	socket, err := testkit.RedisClient(t, redis.String(), nil).ConfigGet(t.Context(), "unixsocket").Result()
	testkit.Must(t, err)

	o := options(t, "unix://"+socket["unixsocket"]+"?db="+redis.Path[1:], database.String())
	o.Config.Database.TLS = config.TLS{CA: files.CA, Cert: files.Cert, Key: files.Key}
	place, err := bench.Open(t.Context(), o)
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, place)
	m, err := place.Machine(t.Context())
	if err != nil || m.Redis == "" || m.Database == "" {
		t.Errorf("measured on %+v, %v", m, err)
	}
}
