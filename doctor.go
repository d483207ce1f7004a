package baler

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/balerhq/baler/config"
)

// Status is what a check found.
type Status string

// The three.
const (
	StatusOK      Status = "ok"
	StatusWarning Status = "warning" // works, and a person should know
	StatusError   Status = "failed"  // keeps Baler from working, or from keeping its promises
)

// Check is one thing that Diagnose looked at.
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

// Diagnose looks at the host, the database and the queue that cfg names. It
// changes nothing, and gives up on what does not answer within some seconds.
func Diagnose(ctx context.Context, cfg config.Config, o Options) []Check {
	ctx, cancel := context.WithTimeout(ctx, diagnoseTime)
	defer cancel()
	b := newBaler(cfg, o)
	return slices.Concat(b.diagnoseHost(), b.diagnoseDatabase(ctx), b.diagnoseQueue(ctx))
}

const diagnoseTime = 20 * time.Second

// LiveWorkers lists the names of the workers that have shown signs of life lately.
func (b *Baler) LiveWorkers(ctx context.Context) ([]string, error) {
	workers, err := b.store.Workers(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(workers))
	for i := range workers {
		names[i] = workers[i].Name
	}
	return names, nil
}

// newSQLite is the path of a SQLite database that is still to be made.
func newSQLite(url string) (string, bool) {
	d, err := config.ParseDatabase(url)
	if err != nil || d.Driver != "sqlite" {
		return "", false
	}
	_, err = os.Stat(d.Path)
	return d.Path, errors.Is(err, fs.ErrNotExist)
}

// diagnoseDatabase does not open a SQLite database that is not there: that
// would make it.
func (b *Baler) diagnoseDatabase(ctx context.Context) (checks []Check) {
	if path, ok := newSQLite(b.cfg.Database.URL); ok {
		return []Check{well("database", "%s is not there yet; the first transfer makes it", path), writable(filepath.Dir(path))}
	}
	if err := b.openStore(ctx); err != nil {
		return []Check{ill("database", StatusError, err, "")} // the error says what to do
	}
	defer func() {
		if err := b.store.Close(); err != nil {
			checks = append(checks, ill("database", StatusWarning, err, "look at the database's log"))
		}
	}()
	server, err := b.store.ServerInfo(ctx)
	if err != nil {
		return []Check{ill("database", StatusError, err, "grant this account the right to read its own database")}
	}
	checks = append(checks, well("database", "%s, version %s", b.store.Describe(), server.Version))
	durability := well("durability", "%s", server.Setting)
	switch {
	case server.Durable:
	case b.sqlite():
		durability.Detail += ": a power cut may undo the last moments, a crash nothing"
	default:
		durability.Status = StatusWarning
		durability.Hint = "set innodb_flush_log_at_trx_commit=1, or a power cut loses recorded results"
	}
	checks = append(checks, durability)
	if b.sqlite() {
		path, _ := config.ParseDatabase(b.cfg.Database.URL) // it has been opened
		checks = append(checks, writable(filepath.Dir(path.Path)))
	} else {
		checks = append(checks, skew("database clock", b.now().Sub(server.Now)))
	}
	return append(checks, b.diagnoseTables(ctx)...)
}

func (b *Baler) sqlite() bool {
	d, err := config.ParseDatabase(b.cfg.Database.URL)
	return err == nil && d.Driver == "sqlite"
}

func (b *Baler) diagnoseTables(ctx context.Context) []Check {
	pending, err := b.store.Pending(ctx)
	switch auto := b.cfg.Database.AutoMigrate; {
	case err != nil:
		return []Check{ill("migrations", StatusError, err, "")}
	case len(pending) > 0 && auto != nil && !*auto:
		return []Check{{"migrations", StatusError, fmt.Sprintf("%d pending", len(pending)), "run 'baler migrate'"}}
	case len(pending) > 0:
		return []Check{{"migrations", StatusWarning, fmt.Sprintf("%d pending", len(pending)), "the next command applies them, or 'baler migrate'"}}
	}
	migrated := well("migrations", "up to date")
	workers, err := b.LiveWorkers(ctx)
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

// skew judges a clock that is behind ours by so much.
func skew(name string, behind time.Duration) Check {
	c := well(name, "%s apart", behind.Abs().Round(time.Millisecond))
	if behind.Abs() > maxSkew {
		c.Status, c.Hint = StatusWarning, "let all hosts keep time by NTP"
	}
	return c
}
