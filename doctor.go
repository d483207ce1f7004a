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

// Health is what a check found.
type Health string

// The three.
const (
	Well    Health = "ok"
	Warning Health = "warning" // works, and a person should know
	Sick    Health = "failed"  // keeps Baler from working, or from keeping its promises
)

// Check is one thing that Diagnose looked at.
type Check struct {
	Name   string
	Health Health
	Detail string // what was found
	Advice string // what to do; empty when all is well
}

func well(name, format string, args ...any) Check {
	return Check{Name: name, Health: Well, Detail: fmt.Sprintf(format, args...)}
}

func ill(name string, h Health, err error, advice string) Check {
	return Check{Name: name, Health: h, Detail: err.Error(), Advice: advice}
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
		return []Check{ill("database", Sick, err, "")} // the error says what to do
	}
	defer func() {
		if err := b.store.Close(); err != nil {
			checks = append(checks, ill("database", Warning, err, "look at the database's log"))
		}
	}()
	server, err := b.store.Server(ctx)
	if err != nil {
		return []Check{ill("database", Sick, err, "grant this account the right to read its own database")}
	}
	checks = append(checks, well("database", "%s, version %s", b.store.Where(), server.Version))
	durability := well("durability", "%s", server.Setting)
	switch {
	case server.Durable:
	case b.sqlite():
		durability.Detail += ": a power cut may undo the last moments, a crash nothing"
	default:
		durability.Health = Warning
		durability.Advice = "set innodb_flush_log_at_trx_commit=1, or a power cut loses recorded results"
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
		return []Check{ill("migrations", Sick, err, "")}
	case len(pending) > 0 && auto != nil && !*auto:
		return []Check{{"migrations", Sick, fmt.Sprintf("%d pending", len(pending)), "run 'baler migrate'"}}
	case len(pending) > 0:
		return []Check{{"migrations", Warning, fmt.Sprintf("%d pending", len(pending)), "the next command applies them, or 'baler migrate'"}}
	}
	migrated := well("migrations", "up to date")
	workers, err := b.LiveWorkers(ctx)
	switch {
	case err != nil:
		return []Check{migrated, ill("workers", Sick, err, "look at the database's log")}
	case len(workers) == 0:
		return []Check{migrated, {"workers", Warning, "none is running", "start one with 'baler worker'; 'baler run' needs none"}}
	}
	return []Check{migrated, well("workers", "%d running", len(workers))}
}

// maxSkew is how far apart clocks may be before leases and reports suffer.
const maxSkew = 2 * time.Second

// skew judges a clock that is behind ours by so much.
func skew(name string, behind time.Duration) Check {
	c := well(name, "%s apart", behind.Abs().Round(time.Millisecond))
	if behind.Abs() > maxSkew {
		c.Health, c.Advice = Warning, "let all hosts keep time by NTP"
	}
	return c
}
