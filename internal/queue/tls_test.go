package queue

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testservers"
)

// secureRedis starts a Redis that accepts only TLS with client certificates, and returns
// its address.
func secureRedis(t *testing.T, files testkit.Certificates, args ...string) string {
	t.Helper()
	port := freePort(t)
	testkit.NewRedisServer(t, testkit.RedisOptions{Args: append(append(tlsArgs(files), "--port", "0", "--tls-port", port), args...)})
	return "127.0.0.1:" + port
}

func freePort(t *testing.T) string {
	t.Helper()
	port, release, err := testservers.HoldPort(t.Context())
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, release()) })
	return strconv.Itoa(port)
}

func tlsArgs(files testkit.Certificates) []string {
	return []string{
		"--tls-ca-cert-file", files.CA, "--tls-cert-file", files.Cert, "--tls-key-file", files.Key,
		"--tls-auth-clients", "yes", "--tls-replication", "yes",
	}
}

// answers opens the queue and uses it once the server is ready.
func answers(t *testing.T, cfg config.RedisSettings) {
	t.Helper()
	testkit.Eventually(t, 30*time.Second, func() error {
		q, err := open(t.Context(), cfg)
		if err != nil {
			return err
		}
		testkit.CloseAtEnd(t, q)
		return q.Client.Set(t.Context(), "a", "b", 0).Err()
	})
}

func TestTLS(t *testing.T) {
	t.Parallel()
	files := testkit.NewCertificates(t)
	address := secureRedis(t, files, "--requirepass", "hush")
	all := config.TLS{CA: files.CA, Cert: files.Cert, Key: files.Key}
	answers(t, config.RedisSettings{URL: "rediss://:hush@" + address + "/3", TLS: all})
	answers(t, config.RedisSettings{URL: "rediss://" + address, Password: "hush", TLS: all})
	other := testkit.NewCertificates(t)
	for name, c := range map[string]struct {
		url   string
		files config.TLS
		want  string
	}{
		"no client certificate": {"rediss://:hush@" + address, config.TLS{CA: files.CA}, "in BALER_REDIS_TLS_CERT, and its key in BALER_REDIS_TLS_KEY"},
		"a stranger's": {"rediss://:hush@" + address, config.TLS{CA: files.CA, Cert: other.Cert, Key: other.Key},
			"in BALER_REDIS_TLS_CERT, and its key in BALER_REDIS_TLS_KEY"},
		"another authority": {"rediss://:hush@" + address, config.TLS{CA: other.CA, Cert: files.Cert, Key: files.Key},
			"name the file of the authority that signed the server's certificate in BALER_REDIS_TLS_CA"},
		"another name": {"rediss://:hush@" + strings.Replace(address, "127.0.0.1", "localhost", 1), all, "give in BALER_REDIS_URL a name of the server"},
		"no TLS":       {"redis://:hush@" + address, config.TLS{}, "write rediss:// instead of redis://"},
		"no password":  {"rediss://" + address, all, "correct the user and password in BALER_REDIS_URL"},
		"no such file": {"rediss://" + address, config.TLS{CA: files.CA + ".old"}, "redis.tls.ca: "},
	} {
		q, err := open(t.Context(), config.RedisSettings{URL: c.url, TLS: c.files})
		if err == nil {
			testkit.Must(t, q.Close())
			t.Errorf("%s: connected", name)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the password shows: %v", name, err)
		}
	}
}

func TestTLSOfCluster(t *testing.T) {
	t.Parallel()
	files := testkit.NewCertificates(t)
	address := secureRedis(t, files, "--cluster-enabled", "yes", "--cluster-port", freePort(t), // the default may be in use
		"--cluster-announce-ip", "127.0.0.1", "--tls-cluster", "yes", "--requirepass", "hush")
	secure := config.TLS{CA: files.CA, Cert: files.Cert, Key: files.Key}
	node, err := secure.Load()
	testkit.Must(t, err)
	client := redis.NewClient(&redis.Options{Addr: address, Password: "hush", TLSConfig: node})
	testkit.CloseAtEnd(t, client)
	testkit.Must(t, client.ClusterAddSlotsRange(t.Context(), 0, 16383).Err())
	answers(t, config.RedisSettings{URL: "rediss-cluster://:hush@" + address, TLS: secure})
}

// The sentinels and the Redis behind them have passwords of their own.
func TestTLSAndPasswordsOfSentinel(t *testing.T) {
	t.Parallel()
	files := testkit.NewCertificates(t)
	master := secureRedis(t, files, "--requirepass", "masters")
	host, port, _ := strings.Cut(master, ":")
	sentinelPort, dir := freePort(t), t.TempDir()
	conf := filepath.Join(dir, "sentinel.conf")
	testkit.Must(t, os.WriteFile(conf, []byte(fmt.Sprintf("bind 127.0.0.1\ndir %s\nport 0\ntls-port %s\nrequirepass sentinels\n"+
		"sentinel monitor mymaster %s %s 1\nsentinel auth-pass mymaster masters\n", dir, sentinelPort, host, port)), 0o600))
	binary, err := testservers.RedisBinary()
	testkit.Must(t, err)
	sentinel, err := testservers.Launch(exec.Command(binary, append([]string{conf, "--sentinel"}, tlsArgs(files)...)...))
	testkit.Must(t, err)
	t.Cleanup(sentinel.Kill)
	url := "rediss-sentinel://:sentinels@127.0.0.1:" + sentinelPort + "/2?master=mymaster"
	secure := config.TLS{CA: files.CA, Cert: files.Cert, Key: files.Key}
	answers(t, config.RedisSettings{URL: url, Password: "masters", TLS: secure})
	q, err := open(t.Context(), config.RedisSettings{URL: url, TLS: secure})
	if err == nil {
		testkit.Must(t, q.Close())
		t.Error("connected to the master without its password")
	}
}
