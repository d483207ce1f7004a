package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

type workerRow struct {
	Name         string `gorm:"primaryKey"`
	Handlers     string // separated by spaces
	Slots        int
	Version      string
	DesiredState tasks.DesiredState
	LimitsInUse  string // JSON
	RatesInUse   string // JSON
	StartedAt    time.Time
	SeenAt       time.Time
	Instance     string // of the process: random
	Queues       string // one a line
	Throttled    string // one a line
	SigningKeys  string // names, separated by spaces; empty: none
	WriteUS      int64  // microseconds; see tasks.Worker
	Host         string
	LimitsWanted string // one a line
	LogLevel     string // see tasks.Worker

	misread error // what keeps it from being read; see findEach
}

// TableName names the table to GORM.
func (workerRow) TableName() string { return "workers" }

// workerTTL is how long after its last heartbeat a worker counts as dead.
const workerTTL = 30 * time.Second

// WorkerExistsError says that another process works under the same name, or did until
// just now.
type WorkerExistsError struct {
	Name   string
	SeenAt time.Time // its last heartbeat
}

func (e *WorkerExistsError) Error() string {
	return fmt.Sprintf("a worker named %q is running already: give this one another name with BALER_WORKER_NAME (worker.name)", e.Name)
}

// HeartbeatWorker records that a worker is alive, and the most that it uses of each
// limit until the answer arrives. It deletes workers that have been dead for long,
// and returns the desired state and the limit shares of this one. instance tells
// processes of the same name apart: while another lives, HeartbeatWorker gives a
// *WorkerExistsError.
func (s *Store) HeartbeatWorker(ctx context.Context, w tasks.Worker, instance string) (o ledger.WorkerDirectives, err error) {
	err = s.db.Write(ctx, "record worker heartbeat", func(tx *gorm.DB, now time.Time) error {
		row := workerRow{
			LimitsInUse: encodeUse(w.LimitsInUse), RatesInUse: encodeUse(w.RatesInUse),
			Name: db.ClipText(w.Name, 128), Handlers: strings.Join(w.Handlers, " "), Slots: w.Slots, Version: db.ClipText(w.Version, 64),
			StartedAt: w.StartedAt.UTC(), SeenAt: now, Instance: instance, Queues: strings.Join(w.Queues, "\n"),
			Throttled: strings.Join(w.Throttled, "\n"), WriteUS: w.WriteTime.Microseconds(),
			Host: db.ClipText(w.Host, 255), LimitsWanted: strings.Join(w.LimitsWanted, "\n"),
			SigningKeys: strings.Join(w.SigningKeys, " "),
		}
		if err := replaceDead(tx, &row, now); err != nil {
			return err
		}
		if o, err = directives(tx, &row, now); err != nil {
			return err
		}
		keepDesired := clause.OnConflict{
			Columns: []clause.Column{{Name: "name"}},
			DoUpdates: clause.AssignmentColumns([]string{
				"handlers", "slots", "version", "limits_in_use", "rates_in_use", "started_at", "seen_at", "instance", "queues", "throttled",
				"write_us", "host", "limits_wanted", "signing_keys",
			}),
		}
		if err := tx.Clauses(keepDesired).Create(&row).Error; err != nil {
			return err
		}
		return tx.Exec("DELETE FROM workers WHERE seen_at < ?", now.Add(-20*workerTTL)).Error
	})
	return o, err
}

// replaceDead deletes a dead worker of the same name, whose desired state is not for this
// one. It gives a *WorkerExistsError when that one lives.
func replaceDead(tx *gorm.DB, row *workerRow, now time.Time) error {
	var other []workerRow
	if err := tx.Select("seen_at").Where("name = ? AND instance <> ?", row.Name, row.Instance).Find(&other).Error; err != nil {
		return err
	}
	if len(other) == 0 {
		return nil
	}
	if seen := other[0].SeenAt.UTC(); !seen.Before(now.Add(-workerTTL)) {
		return &WorkerExistsError{Name: row.Name, SeenAt: seen}
	}
	return tx.Exec("DELETE FROM workers WHERE name = ? AND instance <> ?", row.Name, row.Instance).Error
}

// directives reads the desired state of a worker, and claims its limit shares for it.
func directives(tx *gorm.DB, row *workerRow, now time.Time) (o ledger.WorkerDirectives, err error) {
	limits, err := lockLimits(tx)
	if err != nil {
		return o, err
	}
	var asked workerRow
	if err := tx.Model(&workerRow{}).Where("name = ?", row.Name).Select("desired_state", "log_level").Scan(&asked).Error; err != nil {
		return o, err
	}
	row.DesiredState, row.LogLevel = asked.DesiredState, asked.LogLevel
	o.State, o.LogLevel = asked.DesiredState, asked.LogLevel
	for _, l := range limits {
		if l.Scope == tasks.ScopeQueue && l.Weight > 0 {
			if o.QueueWeights == nil {
				o.QueueWeights = make(map[string]int)
			}
			o.QueueWeights[l.Name] = l.Weight
		}
	}
	if len(limits) == 0 {
		return o, nil
	}
	var live []workerRow
	q := tx.Select("name", "desired_state", "limits_in_use", "rates_in_use", "seen_at", "host", "limits_wanted").
		Where("seen_at >= ?", now.Add(-workerTTL))
	if err := findEach(q, &live, unreadableWorker); err != nil {
		return o, err
	}
	o.Shares = allot(limits, row, live)
	return o, nil
}

// SetDesiredState sets the desired state of a worker, which reads it with its next
// heartbeat. It reports false when there is no such worker.
func (s *Store) SetDesiredState(ctx context.Context, name string, desired tasks.DesiredState) (known bool, err error) {
	err = s.db.Write(ctx, "set desired state of worker", func(tx *gorm.DB, _ time.Time) error {
		u := tx.Exec("UPDATE workers SET desired_state = ? WHERE name = ?", desired, db.ClipText(name, 128))
		known = u.RowsAffected == 1
		return u.Error
	})
	return known, err
}

// SetLogLevel sets the log level of a worker, which reads it with its next heartbeat; empty is
// that of its settings. It reports false when there is no such worker.
func (s *Store) SetLogLevel(ctx context.Context, name, level string) (known bool, err error) {
	err = s.db.Write(ctx, "set log level of worker", func(tx *gorm.DB, _ time.Time) error {
		u := tx.Exec("UPDATE workers SET log_level = ? WHERE name = ?", level, db.ClipText(name, 128))
		known = u.RowsAffected == 1
		return u.Error
	})
	return known, err
}

// RemoveWorker removes a worker that has shut down.
func (s *Store) RemoveWorker(ctx context.Context, name, instance string) error {
	return s.db.Write(ctx, "remove worker", func(tx *gorm.DB, _ time.Time) error {
		return tx.Exec("DELETE FROM workers WHERE name = ? AND instance = ?", db.ClipText(name, 128), instance).Error
	})
}

// RemoveSilentWorker removes a worker that has not been seen since, whichever process it
// was.
func (s *Store) RemoveSilentWorker(ctx context.Context, name string, since time.Time) error {
	return s.db.Write(ctx, "remove silent worker", func(tx *gorm.DB, _ time.Time) error {
		return tx.Exec("DELETE FROM workers WHERE name = ? AND seen_at <= ?", db.ClipText(name, 128), since).Error
	})
}

// Workers lists the live workers by name. One whose row is invalid takes no batches, and
// its Trouble says why.
func (s *Store) Workers(ctx context.Context) ([]tasks.Worker, error) {
	var rows []workerRow
	q := s.db.Session(ctx).Where("seen_at >= ?", s.db.Stamp().Add(-workerTTL)).Order("name")
	if err := findEach(q, &rows, unreadableWorker); err != nil {
		return nil, fmt.Errorf("list workers: %w", err)
	}
	ws := make([]tasks.Worker, len(rows))
	for i, r := range rows {
		ws[i] = tasks.Worker{
			Name: r.Name, Handlers: strings.Fields(r.Handlers), Slots: r.Slots, Version: r.Version,
			DesiredState: r.DesiredState, LimitsInUse: r.held(), RatesInUse: r.rates(),
			StartedAt: r.StartedAt.UTC(), SeenAt: r.SeenAt.UTC(), Queues: lines(r.Queues), Throttled: lines(r.Throttled),
			WriteTime: time.Duration(r.WriteUS) * time.Microsecond, Host: r.Host, LimitsWanted: lines(r.LimitsWanted),
			SigningKeys: strings.Fields(r.SigningKeys),
			LogLevel:    r.LogLevel,
		}
		if r.misread != nil {
			ws[i].Trouble = fmt.Sprintf("its row in workers cannot be read: %v", r.misread)
		}
	}
	return ws, nil
}

// lines are the lines of a text that are not empty.
func lines(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return c == '\n' })
}
