package testkit

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/testservers"
)

// RedisFailover are several Redis servers of which one takes the place of another that dies.
type RedisFailover struct {
	URL string // for Baler's configuration

	t       testing.TB
	admin   *url.Userinfo             // nil: everybody may do everything
	servers map[string]*PrivateServer // by host and port
	master  func() string             // host and port of the server that has the keys of a queue
}

// formed bounds the time in which servers find each other.
const formed = time.Minute

// replicating adds the settings of servers that copy each other, so that a copy begins at once.
func replicating(args ...string) []string {
	return append(args, "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
}

// NewRedisSentinel starts a master, a replica and three sentinels for this test only.
func NewRedisSentinel(t testing.TB) *RedisFailover {
	t.Helper()
	f := &RedisFailover{t: t, servers: make(map[string]*PrivateServer)}
	master := f.start(replicating()...)
	host, port := split(t, master)
	f.start(replicating("--replicaof", host+" "+port)...)
	var sentinels []string
	for range 3 {
		s, err := testservers.StartSentinel(t.Context(), f.servers[master].server, 2)
		own(t, s, err)
		sentinels = append(sentinels, hostOf(t, s.URL()))
	}
	client := redis.NewSentinelClient(&redis.Options{Addr: sentinels[0]})
	CloseAtEnd(t, client)
	for _, address := range sentinels {
		f.await(address, func(ctx context.Context, c *redis.Client) error {
			return each(ctx, c, "INFO", "sentinel", "slaves=1,sentinels=3", "status=ok")
		})
	}
	f.master = func() string {
		addr, err := client.GetMasterAddrByName(t.Context(), testservers.SentinelMaster).Result()
		Must(t, err)
		return net.JoinHostPort(addr[0], addr[1])
	}
	f.URL = "redis-sentinel://" + strings.Join(sentinels, ",") + "/0?master=" + testservers.SentinelMaster
	return f
}

// NewRedisCluster starts a cluster of three masters with a replica each for this test only.
func NewRedisCluster(t testing.TB) *RedisFailover {
	t.Helper()
	return newRedisCluster(&RedisFailover{t: t, servers: make(map[string]*PrivateServer)})
}

// NewRedisClusterWithACL is NewRedisCluster with the accounts of an ACL file, one of which, the
// administrator, may do everything.
func NewRedisClusterWithACL(t testing.TB, file string, admin *url.Userinfo) *RedisFailover {
	t.Helper()
	password, _ := admin.Password()
	return newRedisCluster(&RedisFailover{t: t, admin: admin, servers: make(map[string]*PrivateServer)},
		"--aclfile", file, "--masteruser", admin.Username(), "--masterauth", password)
}

func newRedisCluster(f *RedisFailover, args ...string) *RedisFailover {
	t := f.t
	t.Helper()
	const masters, slots = 3, 16384
	var nodes []string
	var buses []int
	for range 2 * masters {
		bus, release, err := testservers.HoldPort(t.Context())
		Must(t, err)
		t.Cleanup(func() { Must(t, release()) })
		nodes = append(nodes, f.start(replicating(append(args,
			"--cluster-enabled", "yes", "--databases", "1", "--cluster-node-timeout", "1000", "--cluster-port", strconv.Itoa(bus),
			"--cluster-replica-validity-factor", "0",
		)...)...))
		buses = append(buses, bus)
	}
	first := f.client(nodes[0])
	var ids []string
	for i, node := range nodes {
		client := f.client(node)
		id, err := client.ClusterMyID(t.Context()).Result()
		Must(t, err)
		ids = append(ids, id)
		if i < masters {
			Must(t, client.ClusterAddSlotsRange(t.Context(), i*slots/masters, (i+1)*slots/masters-1).Err())
			Must(t, client.Do(t.Context(), "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err())
		}
		host, port := split(t, node)
		Must(t, first.Do(t.Context(), "CLUSTER", "MEET", host, port, buses[i]).Err())
	}
	for i, node := range nodes {
		f.await(node, func(ctx context.Context, c *redis.Client) error {
			return each(ctx, c, "CLUSTER", "INFO", "cluster_known_nodes:6", "cluster_state:ok")
		})
		if i >= masters {
			f.await(node, func(ctx context.Context, c *redis.Client) error { return c.ClusterReplicate(ctx, ids[i-masters]).Err() })
		}
	}
	for i, node := range nodes {
		f.await(node, func(ctx context.Context, c *redis.Client) error {
			if i >= masters {
				return each(ctx, c, "INFO", "replication", "master_link_status:up")
			}
			return each(ctx, c, "INFO", "replication", "connected_slaves:1", "state=online")
		})
	}
	f.URL = "redis-cluster://" + strings.Join(nodes, ",")
	all := redis.NewClusterClient(&redis.ClusterOptions{Addrs: nodes, Username: f.user(), Password: f.password()})
	CloseAtEnd(t, all)
	f.master = func() string {
		node, err := all.MasterForKey(t.Context(), "asynq:{default}:pending")
		Must(t, err)
		return node.Options().Addr
	}
	return f
}

// KillMaster kills the server that has the keys of the queue "default", for good.
func (f *RedisFailover) KillMaster() {
	f.t.Helper()
	address := f.master()
	server := f.servers[address]
	if server == nil {
		f.t.Fatalf("no server has the address %s", address)
	}
	server.Kill()
}

// start starts a server and returns its host and port.
func (f *RedisFailover) start(args ...string) string {
	f.t.Helper()
	s := NewRedisServer(f.t, RedisOptions{Args: args})
	address := hostOf(f.t, s.URL())
	f.servers[address] = s
	return address
}

func (f *RedisFailover) client(address string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: address, Username: f.user(), Password: f.password()})
	CloseAtEnd(f.t, c)
	return c
}

func (f *RedisFailover) user() string { return f.admin.Username() }

func (f *RedisFailover) password() string {
	password, _ := f.admin.Password() // without one it is empty
	return password
}

// Refused lists what each server has refused because of its ACL.
func (f *RedisFailover) Refused() (refused []*redis.ACLLogEntry) {
	f.t.Helper()
	for address := range f.servers {
		entries, err := f.client(address).ACLLog(f.t.Context(), 100).Result()
		Must(f.t, err)
		refused = append(refused, entries...)
	}
	return refused
}

// SetUser changes the rules of an account on each server.
func (f *RedisFailover) SetUser(name string, rules ...string) {
	f.t.Helper()
	for address := range f.servers {
		Must(f.t, f.client(address).ACLSetUser(f.t.Context(), name, rules...).Err())
	}
}

// await waits until a server is as it should be.
func (f *RedisFailover) await(address string, ready func(context.Context, *redis.Client) error) {
	f.t.Helper()
	client := f.client(address)
	Eventually(f.t, formed, func() error { return ready(f.t.Context(), client) })
}

// each asks for a text that must have all of some words.
func each(ctx context.Context, c *redis.Client, command, section string, words ...string) error {
	text, err := c.Do(ctx, command, section).Text()
	for _, word := range words {
		if err == nil && !strings.Contains(text, word) {
			err = errors.New(word + " is not in:\n" + text)
		}
	}
	return err
}

func hostOf(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	Must(t, err)
	return u.Host
}

func split(t testing.TB, address string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	Must(t, err)
	return host, port
}
