package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Scope is what a ceiling is over.
type Scope string

// The scopes.
const (
	OverAll      Scope = "all"
	OverQueue    Scope = "queue"    // of a name
	OverTransfer Scope = "transfer" // of an id as shown outside
)

// Ceiling is what all workers together may do at most. A zero number is no bound.
type Ceiling struct {
	Scope          Scope  `gorm:"primaryKey"`
	Name           string `gorm:"primaryKey"` // empty over all
	InFlight       int    // batches that run at once
	FilesPerSecond float64
}

// TableName names the table to GORM.
func (Ceiling) TableName() string { return "ceilings" }

// Key tells ceilings apart.
func (c *Ceiling) Key() string { return CeilingKey(c.Scope, c.Name) }

// CeilingKey is the Key of a ceiling.
func CeilingKey(s Scope, name string) string { return string(s) + " " + name }

// Part is one worker's part of a ceiling.
type Part struct {
	Ceiling

	// Share is how many batches are the worker's when all have settled, and Cap
	// how many it may run for now: less while others still hold some of its
	// share. Both count where InFlight does.
	Share, Cap int

	Rate float64 // files a second; 0 for no bound
}

// share is the part of n that the worker of a rank has among those alive: the
// shares of all ranks add up to n.
func share(n, rank, live int) int { return (n + rank) / live }

// SetCeiling changes a ceiling: bounds that are nil stay as they are, and a
// ceiling without any goes. It forgets those over transfers that have ended.
func (s *Store) SetCeiling(ctx context.Context, scope Scope, name string, inFlight *int, filesPerSecond *float64) (c Ceiling, err error) {
	err = s.write(ctx, "set ceiling", func(tx *gorm.DB, _ time.Time) error {
		c = Ceiling{Scope: scope, Name: name}
		found := tx.Where("scope = ? AND name = ?", scope, name).Find(&c)
		if found.Error != nil {
			return found.Error
		}
		c.InFlight, c.FilesPerSecond = *cmp.Or(inFlight, &c.InFlight), *cmp.Or(filesPerSecond, &c.FilesPerSecond)
		ended := tx.Model(&transferRow{}).Select("uuid").Where("state NOT IN ?", active())
		if err := tx.Where("scope = ? AND name IN (?)", OverTransfer, ended).Delete(&Ceiling{}).Error; err != nil {
			return err
		}
		if c.InFlight == 0 && c.FilesPerSecond == 0 {
			return tx.Where("scope = ? AND name = ?", scope, name).Delete(&Ceiling{}).Error
		}
		return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&c).Error
	})
	return c, err
}

// Ceilings lists what is set.
func (s *Store) Ceilings(ctx context.Context) ([]Ceiling, error) {
	var all []Ceiling
	if err := s.db.WithContext(ctx).Order("scope, name").Find(&all).Error; err != nil {
		return nil, fmt.Errorf("list ceilings: %w", err)
	}
	return all, nil
}

// lockCeilings reads what is set, and keeps other workers from claiming parts of
// it until the transaction ends.
func lockCeilings(tx *gorm.DB) (all []Ceiling, err error) {
	q := tx.Order("scope, name")
	if tx.Name() == string(MySQL) {
		q = q.Clauses(clause.Locking{Strength: "UPDATE"}) // SQLite has one writer at a time anyway
	}
	if err := q.Find(&all).Error; err != nil {
		return nil, fmt.Errorf("lock ceilings: %w", err)
	}
	return all, nil
}

// allot gives a worker its parts, and writes into held what it may have of each
// until it is seen again: what it held, or its part when that is more. What all
// live workers hold never exceeds a ceiling by what a worker is given here.
func allot(ceilings []Ceiling, me *workerRow, live []workerRow) []Part {
	rank, able := standing(me, live)
	parts := make([]Part, len(ceilings))
	claims := me.held() // also of what no ceiling is over yet
	if claims == nil {
		claims = make(map[string]int)
	}
	for i, c := range ceilings {
		p := Part{Ceiling: c}
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
		p.Cap = min(p.Share, max(c.InFlight-others, 0))
		if c.InFlight > 0 {
			claims[c.Key()] = max(claims[c.Key()], p.Cap)
		}
		parts[i] = p
	}
	me.Held = encodeHeld(claims)
	return parts
}

// standing is a worker's place, from 0, among those that are to take batches,
// and how many those are. A worker that rests has none.
func standing(me *workerRow, live []workerRow) (rank, able int) {
	rank, able = -1, 0
	if me.Wish == Go {
		rank, able = 0, 1
	}
	for i := range live {
		if live[i].Name == me.Name || live[i].Wish != Go {
			continue
		}
		able++
		if rank >= 0 && live[i].Name < me.Name {
			rank++
		}
	}
	return rank, able
}

// held is what a worker holds of each ceiling, by its key.
func (r *workerRow) held() map[string]int {
	var held map[string]int
	if err := json.Unmarshal([]byte(r.Held), &held); err != nil {
		return nil // nothing else writes it; a worker that holds what nobody can read says so again soon
	}
	return held
}

func encodeHeld(held map[string]int) string {
	if len(held) == 0 {
		return "{}"
	}
	b, err := json.Marshal(held)
	if err != nil { // a map of numbers always marshals
		panic(fmt.Sprintf("encode what a worker holds: %v", err))
	}
	return string(b)
}
