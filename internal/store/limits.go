package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// limitRow is a Limit as GORM sees it.
type limitRow struct {
	Scope          tasks.Scope `gorm:"primaryKey"`
	Name           string      `gorm:"primaryKey"`
	InFlight       int
	FilesPerSecond float64

	misread error // what keeps it from being read; see findEach
}

func (r *limitRow) limit() tasks.Limit {
	c := tasks.Limit{Scope: r.Scope, Name: r.Name, InFlight: r.InFlight, FilesPerSecond: r.FilesPerSecond}
	if r.misread != nil {
		c.Trouble = fmt.Sprintf("its row in limits cannot be read, and 1 batch runs at once: %v", r.misread)
	}
	return c
}

// readLimits reads what a query finds.
func readLimits(q *gorm.DB) ([]tasks.Limit, error) {
	var rows []limitRow
	if err := findEach(q, &rows, unreadableLimit); err != nil {
		return nil, err
	}
	return fromRows(rows, (*limitRow).limit), nil
}

// TableName names the table to GORM.
func (limitRow) TableName() string { return "limits" }

// share returns the share of n of the worker with a rank among live workers. The
// shares of all ranks add up to n.
func share(n, rank, live int) int { return (n + rank) / live }

// SetLimit changes a limit: bounds that are nil stay as they are, and a limit
// without bounds is deleted. It also deletes the limits of transfers that have ended.
func (s *Store) SetLimit(
	ctx context.Context, scope tasks.Scope, name string, inFlight *int, filesPerSecond *float64,
) (c tasks.Limit, err error) {
	err = s.db.Write(ctx, "set limit", func(tx *gorm.DB, _ time.Time) error {
		c = tasks.Limit{Scope: scope, Name: name}
		found, err := readLimits(tx.Where("scope = ? AND name = ?", scope, name))
		if err != nil {
			return err
		}
		if len(found) > 0 && found[0].Trouble == "" {
			c = found[0]
		}
		c.InFlight, c.FilesPerSecond = *cmp.Or(inFlight, &c.InFlight), *cmp.Or(filesPerSecond, &c.FilesPerSecond)
		ended := tx.Model(&transferRow{}).Select("uuid").Where("state NOT IN ?", activeStates())
		if err := tx.Where("scope = ? AND name IN (?)", tasks.ScopeTransfer, ended).Delete(&limitRow{}).Error; err != nil {
			return err
		}
		if c.InFlight == 0 && c.FilesPerSecond == 0 {
			return tx.Where("scope = ? AND name = ?", scope, name).Delete(&limitRow{}).Error
		}
		row := limitRow{Scope: c.Scope, Name: c.Name, InFlight: c.InFlight, FilesPerSecond: c.FilesPerSecond}
		return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
	})
	return c, err
}

// Limits lists all limits.
func (s *Store) Limits(ctx context.Context) ([]tasks.Limit, error) {
	all, err := readLimits(s.db.Session(ctx).Order("scope, name"))
	if err != nil {
		return nil, fmt.Errorf("list limits: %w", err)
	}
	return all, nil
}

// lockLimits reads all limits, and keeps other workers from claiming shares of
// them until the transaction ends.
func lockLimits(tx *gorm.DB) (all []tasks.Limit, err error) {
	q := tx.Order("scope, name")
	if tx.Name() == string(db.MySQL) {
		q = q.Clauses(clause.Locking{Strength: "UPDATE"}) // SQLite has one writer at a time anyway
	}
	if all, err = readLimits(q); err != nil {
		return nil, fmt.Errorf("lock limits: %w", err)
	}
	return all, nil
}

// allot returns the limit shares of a worker, and sets LimitsInUse to the most that it may
// use of each limit until its next heartbeat: its current use, or its share when that is
// more. No share given here makes the use of all live workers exceed a limit.
func allot(limits []tasks.Limit, me *workerRow, live []workerRow) []ledger.LimitShare {
	rank, able := rankOf(me, live)
	shares := make([]ledger.LimitShare, len(limits))
	claims := me.held() // also of keys without a limit yet
	if claims == nil {
		claims = make(map[string]int)
	}
	for i, c := range limits {
		p := ledger.LimitShare{Limit: c}
		if rank >= 0 {
			p.Share = share(c.InFlight, rank, able)
		}
		p.Rate = c.FilesPerSecond / float64(max(able, 1))
		others := 0
		for j := range live {
			if live[j].Name != me.Name {
				others += live[j].held()[c.Key()]
			}
		}
		p.Max = min(p.Share, max(c.InFlight-others, 0))
		if c.InFlight > 0 {
			claims[c.Key()] = max(claims[c.Key()], p.Max)
		}
		shares[i] = p
	}
	me.LimitsInUse = encodeHeld(claims)
	return shares
}

// rankOf returns a worker's rank, from 0, among the workers whose desired state is
// running, and their number. The rank is -1 when the worker is not among them.
func rankOf(me *workerRow, live []workerRow) (rank, able int) {
	rank, able = -1, 0
	if me.DesiredState == tasks.WorkerRunning {
		rank, able = 0, 1
	}
	for i := range live {
		if live[i].Name == me.Name || live[i].DesiredState != tasks.WorkerRunning {
			continue
		}
		able++
		if rank >= 0 && live[i].Name < me.Name {
			rank++
		}
	}
	return rank, able
}

// held returns how much a worker uses of each limit, by the limit's key.
func (r *workerRow) held() map[string]int {
	var held map[string]int
	if err := json.Unmarshal([]byte(r.LimitsInUse), &held); err != nil {
		return nil // only encodeHeld writes it; the next heartbeat replaces an unreadable value
	}
	return held
}

func encodeHeld(held map[string]int) string {
	if len(held) == 0 {
		return "{}"
	}
	b, err := json.Marshal(held)
	if err != nil { // a map of numbers always marshals
		panic(fmt.Sprintf("encode limits in use: %v", err))
	}
	return string(b)
}
