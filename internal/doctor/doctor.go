// Package doctor checks settings, host, database and queue, and gives a hint for each
// problem.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/store"
)

// Status is the result of a check.
type Status string

// The statuses of a check.
const (
	StatusOK      Status = "ok"
	StatusWarning Status = "warning" // Baler works, but a person should know
	StatusError   Status = "failed"  // Baler does not work, or may break a promise
)

// Check is one result of Diagnose.
type Check struct {
	Name   string
	Status Status
	Detail string // what was found
	Hint   string // what to do; empty when all is well
}

func well(name, format string, args ...any) Check {
	return Check{Name: name, Status: StatusOK, Detail: fmt.Sprintf(format, args...)}
}

func ill(name string, h Status, err error, advice string) Check {
	return Check{Name: name, Status: h, Detail: err.Error(), Hint: advice}
}

// Options configure Diagnose. The zero value is ready for use.
type Options struct {
	Log *slog.Logger     // nil: discards
	Now func() time.Time // nil: time.Now

	Registry *handlers.Registry // whose handlers are checked; nil for none
}

type doctor struct {
	cfg      config.Config
	log      *slog.Logger
	now      func() time.Time
	registry *handlers.Registry
	store    *store.Store // while the database is open
	queues   []queue.Stats

	queueFault string // why Redis accepts no messages
}

// Diagnose checks the host, the database and the queue that cfg names. It removes or
// rolls back its trial writes, except for the mark by which it measures a replica. It ends within 20 seconds, also when a server does not
// answer.
func Diagnose(ctx context.Context, cfg config.Config, o Options) []Check {
	ctx, cancel := context.WithTimeout(ctx, diagnoseTime)
	defer cancel()
	d := &doctor{cfg: cfg, log: o.Log, now: o.Now, registry: o.Registry.Clone()}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.now == nil {
		d.now = time.Now
	}
	host, broker := d.diagnoseHost(), d.diagnoseQueue(ctx) // first: the check of the backlog uses what it reads
	return slices.Concat(host, d.diagnoseDatabase(ctx), broker)
}

const diagnoseTime = 20 * time.Second

// newSQLite returns the path of a SQLite database that does not exist yet.
func newSQLite(url string) (string, bool) {
	u, err := config.ParseDatabase(url)
	if err != nil || u.Driver != "sqlite" {
		return "", false
	}
	_, err = os.Stat(u.Path)
	return u.Path, errors.Is(err, fs.ErrNotExist)
}

// diagnoseDatabase does not open a SQLite database that does not exist: opening
// would create it.
func (d *doctor) diagnoseDatabase(ctx context.Context) (checks []Check) {
	if path, ok := newSQLite(d.cfg.Database.URL); ok {
		return []Check{well("database", "%s does not exist yet; the first transfer creates it", path), writable(filepath.Dir(path))}
	}
	secure, err := d.cfg.Database.TLS.Load()
	if err != nil {
		return []Check{ill("database", StatusError, fmt.Errorf("database.%w", err), "")}
	}
	d.store, err = store.Open(ctx, d.cfg.Database.URL, store.Options{
		MaxConnections: d.cfg.Database.MaxConnections, HostClock: d.now, Log: d.log, TLS: secure,
	})
	if err != nil {
		return []Check{ill("database", StatusError, err, "")}
	}
	defer func() {
		if err := d.store.Close(); err != nil {
			checks = append(checks, ill("database", StatusWarning, err, "look at the database's log"))
		}
	}()
	server, err := d.store.ServerInfo(ctx)
	if err != nil {
		return []Check{ill("database", StatusError, err, "grant this account the right to read its own database")}
	}
	checks = append(checks, well("database", "%s, version %s", d.store.Describe(), server.Version))
	durability := well("durability", "%s", server.Setting)
	switch {
	case server.Durable:
	case d.sqlite():
		durability.Detail += ": a power cut may undo the last commits, a crash cannot"
	default:
		durability.Status = StatusWarning
		durability.Hint = server.Remedy + ": a power cut loses recorded results"
	}
	checks = append(checks, durability)
	if d.sqlite() {
		path, _ := config.ParseDatabase(d.cfg.Database.URL) // it is open, so the URL is valid
		checks = append(checks, writable(filepath.Dir(path.Path)))
	} else {
		checks = append(checks, skew("database clock", d.now().Sub(server.Now)))
	}
	return append(checks, d.diagnoseTables(ctx)...)
}

func (d *doctor) sqlite() bool {
	u, err := config.ParseDatabase(d.cfg.Database.URL)
	return err == nil && u.Driver == "sqlite"
}

func (d *doctor) diagnoseTables(ctx context.Context) []Check {
	pending, err := d.store.Pending(ctx)
	switch auto := d.cfg.Database.AutoMigrate; {
	case err != nil:
		return []Check{ill("migrations", StatusError, err, "")}
	case len(pending) > 0 && auto != nil && !*auto:
		return []Check{{"migrations", StatusError, fmt.Sprintf("%d pending", len(pending)), "run 'baler migrate'"}}
	case len(pending) > 0:
		if err := d.store.TryMigrate(ctx); err != nil {
			return []Check{ill("migrations", StatusError, fmt.Errorf("%d pending: %w", len(pending), err), "")}
		}
		return []Check{{
			"migrations", StatusWarning, fmt.Sprintf("%d pending", len(pending)), "the next command applies them, or 'baler migrate'",
		}}
	}
	checks := append([]Check{well("migrations", "up to date"), d.diagnoseWrites(ctx)}, d.diagnoseTransfers(ctx)...)
	return slices.Concat(checks, d.diagnoseJournaled(ctx), d.diagnoseReplica(ctx), d.diagnoseWork(ctx))
}

// maxSuspended is how many suspended transfers are named.
const maxSuspended = 10

// diagnoseTransfers names transfers that are stopped by invalid rows.
func (d *doctor) diagnoseTransfers(ctx context.Context) (checks []Check) {
	suspended, err := d.store.Suspended(ctx, maxSuspended)
	switch {
	case err != nil:
		return []Check{ill("transfers", StatusError, err, "look at the database's log")}
	case len(suspended) == 0:
		return []Check{well("transfers", "none is stopped by invalid rows")}
	}
	for _, t := range suspended {
		checks = append(checks, Check{
			"transfers", StatusError, fmt.Sprintf("%s is stopped: %s", t.UUID, t.Trouble),
			fmt.Sprintf("correct the database, then continue with 'baler resume %s'", t.UUID),
		})
	}
	return checks
}

func (d *doctor) diagnoseWrites(ctx context.Context) Check {
	err := d.store.TryWrites(ctx)
	switch {
	case db.IsDenied(err):
		return ill("writes", StatusError, err, "grant this account SELECT, INSERT, UPDATE and DELETE on its database")
	case errors.Is(err, db.ErrReadOnly):
		return ill("writes", StatusError, err, "point BALER_DATABASE_URL at the primary, or at an address that follows it")
	case err != nil:
		return ill("writes", StatusError, err, "look at the database's log: is its disk full?")
	}
	return well("writes", "this account can write to every table")
}

// Differences between clocks from which on a check warns, and workers do not start.
const (
	maxSkew    = 2 * time.Second
	brokenSkew = queue.MaxClockSkew
)

// skew checks a clock that is behind this host's by a duration.
func skew(name string, behind time.Duration) Check {
	c := well(name, "%s apart from this host's", behind.Abs().Round(time.Millisecond))
	switch {
	case behind.Abs() > brokenSkew:
		c.Status, c.Hint = StatusError, "synchronize the clocks of all hosts by NTP: no worker starts here"
	case behind.Abs() > maxSkew:
		c.Status, c.Hint = StatusWarning, "synchronize the clocks of all hosts by NTP"
	}
	return c
}
