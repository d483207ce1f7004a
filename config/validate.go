package config

import (
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/address"
	"github.com/balerhq/baler/internal/dsn"
	"github.com/balerhq/baler/tasks"
)

// Validate reports every value that cannot work, as Errors. It expects defaults in
// place: a zero value that WithDefaults would replace is an error.
func (c Config) Validate() error {
	var v validation
	v.services(c)
	v.worker(c.Worker)
	v.dispatch(c.Dispatch)
	v.group(c.Group)
	v.limits(c.Limits)
	v.batch("batch", c.Batch)
	v.handlers(c.Handlers)
	v.record(c.Record)
	v.durations(c)
	v.webhook(c.Webhook)
	v.smtp(c.SMTP)
	v.http(c.HTTP)
	v.log(c.Log)
	v.notBelow("retention.older_than", c.Retention.OlderThan)
	v.atLeast("retention.keep_last", c.Retention.KeepLast, 0)
	v.above("audit.keep", c.Audit.Keep)
	v.journal(c.Journal)
	return v.problems.err()
}

type validation struct{ problems Errors }

func (v *validation) requiref(ok bool, key, format string, args ...any) {
	if !ok {
		v.problems.addf("", key, format, args...)
	}
}

// atLeast adds an error for a number below least.
func (v *validation) atLeast(key string, n, least int) {
	v.requiref(n >= least, key, "%d is too small; set %d or more", n, least)
}

// above adds an error for a duration that is not positive.
func (v *validation) above(key string, d time.Duration) {
	v.requiref(d > 0, key, "%s is too short; set more than 0, such as 250ms, or leave it out for the default", d)
}

// notBelow adds an error for a negative duration.
func (v *validation) notBelow(key string, d time.Duration) {
	v.requiref(d >= 0, key, "%s is negative; set a time above 0, or leave it out", d)
}

func (v *validation) services(c Config) {
	if u, err := ParseRedis(c.Redis.URL); err != nil {
		v.problems.addf("", "redis.url", "%v", err)
	} else {
		v.tls("redis.tls", c.Redis.TLS, u.TLS, "needs TLS; begin redis.url with rediss")
	}
	v.atLeast("redis.pool_size", c.Redis.PoolSize, 0)
	if err := checkSigningKeys(c.Redis.SigningKeys); len(c.Redis.SigningKeys) > 0 && err != nil {
		v.problems.addf("", "redis.signing_keys", "%v", err)
	}
	v.requiref(len(c.Redis.SigningKeys) == 0 || c.Redis.SigningKeysFile == "", "redis.signing_keys_file",
		"is set beside redis.signing_keys; set one of them")
	if c.Database.URL == "" {
		v.problems.addf("", "database.url", "is not set, and there is no state folder for the default")
	} else if u, err := ParseDatabase(c.Database.URL); err != nil {
		v.problems.addf("", "database.url", "%v", err)
	} else {
		v.tls("database.tls", c.Database.TLS, u.Host != "" && slices.Contains([]string{"", "true"}, u.Params.Get("tls")),
			"needs database.url to be a MySQL server with a host, and without tls= or with tls=true")
	}
	v.replica(c.Database)
	v.atLeast("database.max_connections", c.Database.MaxConnections, 0)
	v.absolute("roots", v.withoutObjects("roots", c.Roots))
	v.absolute("outputs", v.withoutObjects("outputs", c.Outputs))
	if c.StateDir == "" {
		v.problems.addf("", "state_dir", "is not set, nor is %s or XDG_STATE_HOME; set BALER_STATE_DIR", homeVariable(runtime.GOOS))
	} else {
		v.requiref(filepath.IsAbs(c.StateDir), "state_dir", notAbsolute, dsn.Quote(c.StateDir), rootFolder(runtime.GOOS))
	}
}

func (v *validation) journal(j JournalSettings) {
	v.requiref(j.Dir == "" || filepath.IsAbs(j.Dir), "journal.dir", notAbsolute, dsn.Quote(j.Dir), rootFolder(runtime.GOOS))
	v.requiref(j.MaxSize > 0, "journal.max_size", "%d is too small; set 1 or more", j.MaxSize)
	v.requiref(slices.Contains([]string{"zstd", "gzip", "none"}, j.Compression), "journal.compression",
		"%s is unknown; set zstd, gzip or none", dsn.Quote(j.Compression))
	v.notBelow("journal.keep", j.Keep)
}

func (v *validation) replica(c DatabaseSettings) {
	if c.ReplicaURL == "" {
		return
	}
	u, err := ParseDatabase(c.ReplicaURL)
	if err != nil {
		v.problems.addf("", "database.replica_url", "%v", err)
		return
	}
	of, err := ParseDatabase(c.URL)
	v.requiref(u.Path == "" && (err != nil || of.Path == ""), "database.replica_url", "needs MySQL: it and database.url begin with mysql://")
}

// withoutObjects checks the addresses in object storage, and returns the other paths.
func (v *validation) withoutObjects(key string, paths []string) (folders []string) {
	for i, path := range paths {
		if !tasks.IsObject(path) {
			folders = append(folders, path)
			continue
		}
		_, _, err := address.Parse(path)
		v.requiref(err == nil, key, "number %d: %v", i+1, err)
	}
	return folders
}

// absolute adds an error for each folder that is not absolute. It names them by their
// numbers when they may be the parts of a URL, split at its colons.
func (v *validation) absolute(key string, dirs []string) {
	for i, dir := range dirs {
		shown := dsn.Quote(dir)
		if slices.ContainsFunc(dirs, dsn.MayBeURL) {
			shown = fmt.Sprintf("number %d", i+1)
		}
		v.requiref(filepath.IsAbs(dir), key, notAbsolute+", because workers run in other folders", shown, rootFolder(runtime.GOOS))
	}
}

const notAbsolute = "%s is not absolute; begin it with %s"

// rootFolder is what an absolute path begins with.
func rootFolder(system string) string {
	if system == "windows" {
		return `a drive, such as C:\`
	}
	return "/"
}

// tls checks the files of a connection; fits reports whether its address can have any.
func (v *validation) tls(section string, t TLS, fits bool, otherwise string) {
	if err := t.check(); err != nil {
		v.problems.addf("", section, "%v", err)
	}
	v.requiref(fits || t == (TLS{}), section, "%s", otherwise)
}

func (v *validation) worker(w WorkerSettings) {
	v.requiref(w.Name != "" && len(w.Name) <= 128, "worker.name", "must have 1 to 128 bytes, not %d", len(w.Name))
	v.atLeast("worker.concurrency", w.Concurrency, 1)
	v.atLeast("worker.slots", w.Slots, 1)
	v.above("worker.interval", w.Interval)
	v.requiref(w.MaxCopy >= 1, "worker.max_copy", "%s is too small; set 1 or more, such as 10GiB", w.MaxCopy)
	v.requiref(w.MinFree >= 1, "worker.min_free", "%s is too small; set 1 or more, such as 256MiB", w.MinFree)
	v.absolute("worker.recipes", w.Recipes)
	v.above("worker.grace", w.Grace)
	v.requiref(w.AdminListen == AdminOff || isAddress(w.AdminListen), "worker.admin_listen",
		"%s is not an address; write host:port, such as 127.0.0.1:9464, :9464 for every interface, or off", dsn.Quote(w.AdminListen))
	v.requiref(len(w.Queues) > 0, "worker.queues", "names no queue; name at least one, such as default=1")
	for _, name := range slices.Sorted(maps.Keys(w.Queues)) {
		v.requiref(strings.TrimSpace(name) != "", "worker.queues", "a queue has an empty name")
		if err := tasks.CheckQueue(name); err != nil && strings.TrimSpace(name) != "" {
			v.problems.addf("", "worker.queues", "%v", err)
		}
		v.requiref(w.Queues[name] >= 1, "worker.queues",
			"priority %d of %s is too small; set 1 or more, or leave the queue out", w.Queues[name], dsn.Quote(name))
	}
}

func (v *validation) dispatch(d DispatchSettings) {
	v.atLeast("dispatch.window", d.Window, 1)
	v.above("dispatch.interval", d.Interval)
	v.above("dispatch.lag", d.Lag)
	v.above("dispatch.resend", d.Resend)
}

// shortestGroupDelay is the shortest time for which files may wait for others in a group.
const shortestGroupDelay = 50 * time.Millisecond

func (v *validation) group(g GroupSettings) {
	v.atLeast("group.max_size", g.MaxSize, 1)
	v.requiref(g.Grace >= time.Second, "group.grace",
		"%s is too short; set 1s or more, the shortest that asynq accepts", g.Grace)
	v.requiref(g.MaxDelay >= shortestGroupDelay, "group.max_delay",
		"%s is too short; set %s or more, or each file gets a batch of its own", g.MaxDelay, shortestGroupDelay)
	v.requiref(g.Limit >= g.MaxSize, "group.limit",
		"%d is less than group.max_size, %d; set at least as much, or no group ever fills", g.Limit, g.MaxSize)
}

// batch checks the global batch policy, in which only the target may be zero.
func (v *validation) batch(section string, b tasks.BatchPolicy) {
	v.atLeast(section+".max_items", b.MaxItems, 1)
	v.requiref(b.MaxBytes >= 1, section+".max_bytes", "%s is too small; set 1 or more, such as 256MiB", Size(b.MaxBytes))
	v.above(section+".max_delay", b.MaxDelay)
	v.notBelow(section+".target", b.Target)
}

// handlers checks the site's settings for handlers, in which zero means not set.
func (v *validation) handlers(handlers map[string]HandlerSettings) {
	for _, name := range slices.Sorted(maps.Keys(handlers)) {
		h, section := handlers[name], "handlers."+name
		v.atLeast(section+".batch.max_items", h.Batch.MaxItems, 0)
		v.requiref(h.Batch.MaxBytes >= 0, section+".batch.max_bytes", "%s is negative; set 1 or more, or leave it out", Size(h.Batch.MaxBytes))
		v.notBelow(section+".batch.max_delay", h.Batch.MaxDelay)
		v.notBelow(section+".batch.target", h.Batch.Target)
		v.notBelow(section+".timeout", h.Timeout)
		v.notBelow(section+".batch_timeout", h.BatchTimeout)
		v.atLeast(section+".retry.attempts", h.Retry.Attempts, 0)
		v.notBelow(section+".retry.backoff", h.Retry.Backoff)
		v.notBelow(section+".retry.max_backoff", h.Retry.MaxBackoff)
		v.requiref(h.Retry.MaxBackoff == 0 || h.Retry.MaxBackoff >= h.Retry.Backoff, section+".retry.max_backoff",
			"%s is less than backoff, %s; set at least as much", h.Retry.MaxBackoff, h.Retry.Backoff)
	}
}

func (v *validation) record(r RecordSettings) {
	v.atLeast("record.max_items", r.MaxItems, 1)
	v.above("record.max_delay", r.MaxDelay)
	v.atLeast("record.flushers", r.Flushers, 1)
	v.requiref(r.MaxOutput >= 1, "record.max_output", "%s is too small; set 1 or more, such as 64KiB", r.MaxOutput)
}

func (v *validation) log(l LogSettings) {
	v.requiref(slices.Contains([]string{"debug", "info", "warn", "error"}, l.Level), "log.level",
		"%s must be debug, info, warn or error", dsn.Quote(l.Level))
	v.requiref(slices.Contains([]string{"text", "json"}, l.Format), "log.format", "%s must be text or json", dsn.Quote(l.Format))
}

// isAddress reports whether s is host:port with a number as the port.
func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	n, numeric := strconv.Atoi(port)
	return err == nil && numeric == nil && n >= 0 && n < 1<<16
}
