// Package doctor checks what Baler needs on a host and behind it, and says what to do.
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
	"github.com/balerhq/baler/internal/store"
)

// Status is the result of a check.
type Status string

// The statuses of a check.
const (
	StatusOK      Status = "ok"
	StatusWarning Status = "warning" // works, and a person should know
	StatusError   Status = "failed"  // keeps Baler from working, or from keeping its promises
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

// Options say how to look. The zero value is ready for use.
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
	store    *store.Store // once the database is open
}

// Diagnose checks the host, the database and the queue that cfg names. It
// changes nothing, and ends within 20 seconds, whether they answer or not.
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
	return slices.Concat(d.diagnoseHost(), d.diagnoseDatabase(ctx), d.diagnoseQueue(ctx))
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
		return []Check{well("database", "%s is not there yet; the first transfer makes it", path), writable(filepath.Dir(path))}
	}
	secure, err := d.cfg.Database.TLS.Load()
	if err != nil {
		return []Check{ill("database", StatusError, fmt.Errorf("database.%w", err), "")}
	}
	d.store, err = store.Open(ctx, d.cfg.Database.URL, store.Options{
		MaxConnections: d.cfg.Database.MaxConnections, Now: d.now, Log: d.log, TLS: secure,
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
		durability.Detail += ": a power cut may undo the last moments, a crash nothing"
	default:
		durability.Status = StatusWarning
		durability.Hint = "set innodb_flush_log_at_trx_commit=1, or a power cut loses recorded results"
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
		return []Check{{
			"migrations", StatusWarning, fmt.Sprintf("%d pending", len(pending)), "the next command applies them, or 'baler migrate'",
		}}
	}
	migrated := well("migrations", "up to date")
	workers, err := d.store.Workers(ctx)
	switch {
	case err != nil:
		return []Check{migrated, ill("workers", StatusError, err, "look at the database's log")}
	case len(workers) == 0:
		return []Check{migrated, {"workers", StatusWarning, "none is running", "start one with 'baler worker'; 'baler run' needs none"}}
	}
	return []Check{migrated, well("workers", "%d running", len(workers))}
}

// maxSkew is how far apart clocks may be before leases and reports suffer.
const maxSkew = 2 * time.Second

// skew checks a clock that is that much behind this host's.
func skew(name string, behind time.Duration) Check {
	c := well(name, "%s apart", behind.Abs().Round(time.Millisecond))
	if behind.Abs() > maxSkew {
		c.Status, c.Hint = StatusWarning, "let all hosts keep time by NTP"
	}
	return c
}
