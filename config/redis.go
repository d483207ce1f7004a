package config

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/balerhq/baler/internal/dsn"
)

// RedisMode is the kind of a Redis.
type RedisMode string

// The modes.
const (
	Embedded RedisMode = "embedded" // inside this process
	Single   RedisMode = "single"
	Sentinel RedisMode = "sentinel"
	Cluster  RedisMode = "cluster"
)

// RedisURL is a parsed Redis address.
type RedisURL struct {
	Mode           RedisMode
	TLS            bool
	Addrs          []string // with ports; the server, the sentinels, or some nodes of the cluster
	Socket         string   // the path of the server's Unix socket, in place of Addrs
	User, Password string   // of the server; of the sentinels in Sentinel mode
	DB             int
	Master         string // Sentinel: the name of the master
}

// ParseRedis reads "embedded", "redis://user:password@host:6379/0",
// "unix://user:password@/run/redis.sock?db=0",
// "redis-sentinel://host:26379,host:26379/0?master=NAME" or
// "redis-cluster://host:6379,host:6379"; rediss://, rediss-sentinel:// and
// rediss-cluster:// are the same over TLS. An option that is not understood is an
// error. Errors never contain s, which may hold a password.
func ParseRedis(s string) (RedisURL, error) {
	if s == string(Embedded) {
		return RedisURL{Mode: Embedded}, nil
	}
	scheme, _, _ := strings.Cut(s, "://")
	port := "6379"
	var r RedisURL
	options := dsn.Options{Help: "; TLS is a matter of the scheme, rediss://, and a database of the path, as /3"}
	switch scheme {
	case "unix":
		return parseRedisSocket(s)
	case "redis", "rediss":
		r.Mode = Single
	case "redis-sentinel", "rediss-sentinel":
		r.Mode, port, options.Known = Sentinel, "26379", []string{"master"}
	case "redis-cluster", "rediss-cluster":
		r.Mode = Cluster
	default:
		return RedisURL{}, errors.New("must be embedded, or begin with redis://, redis-sentinel://, redis-cluster://, " +
			"or with rediss://, rediss-sentinel://, rediss-cluster:// for TLS, or with unix:// for a socket")
	}
	r.TLS = strings.HasPrefix(scheme, "rediss")
	u, hosts, err := parseHosts(s)
	if err != nil {
		return RedisURL{}, err
	}
	params, err := options.Parse(u.RawQuery)
	if err != nil {
		return RedisURL{}, err
	}
	for _, host := range hosts {
		r.Addrs = append(r.Addrs, withPort(host, port))
	}
	r.User = u.User.Username()
	r.Password, _ = u.User.Password() // without one it is empty
	r.Master = params.Get("master")
	if db := strings.Trim(u.Path, "/"); db != "" {
		if r.DB, err = redisDatabase(db); err != nil {
			return RedisURL{}, err
		}
	}
	return r, r.fits()
}

// parseRedisSocket reads "unix://user:password@/run/redis.sock?db=0".
func parseRedisSocket(s string) (RedisURL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return RedisURL{}, dsn.Cause(err)
	}
	if u.Host != "" || len(u.Path) < 2 {
		return RedisURL{}, errors.New("must name the path of a socket, such as unix:///run/redis/redis.sock")
	}
	params, err := dsn.Options{Known: []string{"db"}}.Parse(u.RawQuery)
	if err != nil {
		return RedisURL{}, err
	}
	r := RedisURL{Mode: Single, Socket: u.Path, User: u.User.Username()}
	r.Password, _ = u.User.Password() // without one it is empty
	if params.Has("db") {
		r.DB, err = redisDatabase(params.Get("db"))
	}
	return r, err
}

func redisDatabase(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, errors.New("must have the number of a database, such as redis://127.0.0.1:6379/0 or unix:///run/redis.sock?db=0")
	}
	return n, nil
}

// parseHosts parses a URL that may have several hosts with commas between them.
// net/url rejects it when one of them has no port, so parseHosts splits them first.
func parseHosts(s string) (*url.URL, []string, error) {
	scheme, rest, _ := strings.Cut(s, "://")
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	at := strings.LastIndexByte(authority, '@') + 1
	hosts := strings.Split(authority[at:], ",")
	var first *url.URL
	for i, host := range hosts {
		if host == "" || strings.HasPrefix(host, ":") {
			return nil, nil, errors.New("must name a host, such as redis://127.0.0.1:6379")
		}
		u, err := url.Parse(scheme + "://" + authority[:at] + host + tail)
		if err != nil {
			return nil, nil, dsn.Cause(err)
		}
		if err := dsn.CheckPort(u); err != nil {
			return nil, nil, err
		}
		if i == 0 {
			first = u
		}
	}
	return first, hosts, nil
}

// fits checks that the parts suit the mode.
func (r RedisURL) fits() error {
	switch {
	case r.Mode == Single && len(r.Addrs) > 1:
		return errors.New("names several hosts; such an address begins with redis-cluster:// or redis-sentinel://")
	case r.Mode == Sentinel && r.Master == "":
		return errors.New("must name the master, such as redis-sentinel://host:26379?master=mymaster")
	case r.Mode == Cluster && r.DB != 0:
		return errors.New("a cluster has database 0 only; leave the number out")
	}
	return nil
}

// Redacted returns the address without its password.
func (r RedisURL) Redacted() string {
	if r.Mode == Embedded {
		return string(Embedded)
	}
	user, password := r.User, r.Password
	if password == "" { // a user without a password cannot log in: it is a password in the wrong place
		user, password = "", user
	}
	u := url.URL{Scheme: "redis", User: dsn.HidePassword(user, password), Host: strings.Join(r.Addrs, ",")}
	if r.TLS {
		u.Scheme = "rediss"
	}
	switch {
	case r.Socket != "":
		u.Scheme, u.Path, u.RawQuery = "unix", r.Socket, url.Values{"db": {strconv.Itoa(r.DB)}}.Encode()
		return u.String()
	case r.Mode == Sentinel:
		u.Scheme, u.RawQuery = u.Scheme+"-sentinel", url.Values{"master": {r.Master}}.Encode()
	case r.Mode == Cluster:
		u.Scheme += "-cluster"
	}
	if r.Mode != Cluster {
		u.Path = "/" + strconv.Itoa(r.DB)
	}
	return u.String()
}

// withPort adds the default port to a host without one.
func withPort(host, port string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
