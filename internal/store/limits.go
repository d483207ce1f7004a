package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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
	PerHost        int
	Weight         int
	Configured     string // the bounds that a configuration has set last; empty: none has

	misread error // what keeps it from being read; see findEach
}

func (r *limitRow) limit() tasks.Limit {
	c := tasks.Limit{
		Scope: r.Scope, Name: r.Name, InFlight: r.InFlight, FilesPerSecond: r.FilesPerSecond, PerHost: r.PerHost, Weight: r.Weight,
	}
	if r.misread != nil {
		c.Trouble = fmt.Sprintf("its row in limits cannot be read, and 1 batch runs at once: %v", r.misread)
	}
	return c
}

// readLimits reads the limits that a query finds.
func readLimits(q *gorm.DB) ([]tasks.Limit, error) {
	var rows []limitRow
	if err := findEach(q, &rows, unreadableLimit); err != nil {
		return nil, err
	}
	all := fromRows(rows, (*limitRow).limit)
	return slices.DeleteFunc(all, func(c tasks.Limit) bool { return c.Unlimited() && c.Weight == 0 }), nil
}

// TableName names the table to GORM.
func (limitRow) TableName() string { return "limits" }

// share returns the share of n of the worker with a rank among live workers. The
// shares of all ranks add up to n.
func share(n, rank, live int) int { return (n + rank) / live }

// SetLimit changes a limit; one without bounds is deleted. It also deletes the limits of
// transfers that have ended.
func (s *Store) SetLimit(ctx context.Context, scope tasks.Scope, name string, change tasks.LimitChange) (c tasks.Limit, err error) {
	err = s.db.Write(ctx, "set limit", func(tx *gorm.DB, _ time.Time) error {
		row, err := limitOf(tx, scope, name)
		if err != nil {
			return err
		}
		c = row.limit()
		change.Apply(&c)
		ended := tx.Model(&transferRow{}).Select("uuid").Where("state NOT IN ?", activeStates())
		if err := tx.Where("scope = ? AND name IN (?)", tasks.ScopeTransfer, ended).Delete(&limitRow{}).Error; err != nil {
			return err
		}
		return putLimit(tx, &c, row.Configured)
	})
	return c, err
}

// ConfigureLimits sets the limits of a configuration that has changed since one set them
// last. A limit that a person has changed since then stays.
func (s *Store) ConfigureLimits(ctx context.Context, limits []tasks.Limit) (changed []tasks.Limit, err error) {
	err = s.db.Write(ctx, "set the limits of the configuration", func(tx *gorm.DB, _ time.Time) error {
		changed = nil
		for i := range limits {
			c := &limits[i]
			row, err := limitOf(tx, c.Scope, c.Name)
			if err != nil {
				return err
			}
			if row.Configured == c.Bounds() {
				continue
			}
			if err := putLimit(tx, c, c.Bounds()); err != nil {
				return err
			}
			changed = append(changed, *c)
		}
		return nil
	})
	return changed, err
}

// limitOf reads the row of a limit; one without bounds when there is none, or when it cannot
// be read.
func limitOf(tx *gorm.DB, scope tasks.Scope, name string) (limitRow, error) {
	var rows []limitRow
	if err := findEach(tx.Where("scope = ? AND name = ?", scope, name), &rows, unreadableLimit); err != nil {
		return limitRow{}, err
	}
	if len(rows) > 0 && rows[0].misread == nil {
		return rows[0], nil
	}
	return limitRow{Scope: scope, Name: name}, nil
}

// putLimit writes a limit. Without bounds only the note stays of what a configuration has
// set, so that the next start does not set it again.
func putLimit(tx *gorm.DB, c *tasks.Limit, configured string) error {
	if c.Unlimited() && c.Weight == 0 && configured == "" {
		return tx.Where("scope = ? AND name = ?", c.Scope, c.Name).Delete(&limitRow{}).Error
	}
	row := limitRow{
		Scope: c.Scope, Name: c.Name, InFlight: c.InFlight, FilesPerSecond: c.FilesPerSecond, PerHost: c.PerHost, Weight: c.Weight,
		Configured: configured,
	}
	return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
}

// Limits lists all limits.
func (s *Store) Limits(ctx context.Context) ([]tasks.Limit, error) {
	all, err := readLimits(s.db.Session(ctx).Order("scope, name"))
	if err != nil {
		return nil, fmt.Errorf("list limits: %w", err)
	}
	return all, nil
}

// maxOpenRecipes bounds what OpenRecipesWith reads.
const maxOpenRecipes = 1000

// OpenRecipesWith returns the texts of recipes of transfers in which something may still
// happen, each once, that contain a text; at most 1000 of them.
func (s *Store) OpenRecipesWith(ctx context.Context, text string) (recipes []string, err error) {
	err = s.db.Session(ctx).Model(&transferRow{}).Distinct("recipe").
		Where("state IN ? AND INSTR(recipe, ?) > 0", unfinishedStates(), text).Limit(maxOpenRecipes).Pluck("recipe", &recipes).Error
	if err != nil {
		return nil, fmt.Errorf("read the recipes of open transfers: %w", err)
	}
	return recipes, nil
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

// allot returns the limit shares of a worker, and sets LimitsInUse and RatesInUse to the most
// that it may use of each limit until its next heartbeat: its current use, or its share when
// that is more. No share given here makes the use of all live workers exceed a limit.
func allot(limits []tasks.Limit, me *workerRow, live []workerRow) []ledger.LimitShare {
	shares := make([]ledger.LimitShare, 0, len(limits))
	claims, rates := me.held(), me.rates() // also of keys without a limit yet
	if claims == nil {
		claims = make(map[string]int)
	}
	if rates == nil {
		rates = make(map[string]float64)
	}
	using := slices.DeleteFunc(slices.Clone(live), func(w workerRow) bool { return w.hasLostRates(me.SeenAt) })
	for _, c := range limits {
		uses := func(w *workerRow) bool { return w.uses(&c) }
		if c.InFlight > 0 || c.FilesPerSecond > 0 {
			p := ledger.LimitShare{Limit: c}
			shareBatches(&p, claims, me, live, uses)
			shareRate(&p, rates, me, using, uses)
			shares = append(shares, p)
		}
		if c.PerHost > 0 {
			p := ledger.LimitShare{Limit: c, OnHost: true}
			p.InFlight, p.FilesPerSecond = c.PerHost, 0
			here := slices.DeleteFunc(slices.Clone(live), func(w workerRow) bool { return w.Host != me.Host })
			shareBatches(&p, claims, me, here, uses)
			shares = append(shares, p)
		}
	}
	me.LimitsInUse, me.RatesInUse = encodeUse(claims), encodeUse(rates)
	return shares
}

// shareBatches sets a worker's share of the batches of a limit, and adds it to what the
// worker claims.
func shareBatches(p *ledger.LimitShare, claims map[string]int, me *workerRow, live []workerRow, uses func(*workerRow) bool) {
	rank, able := rankOf(me, live, uses)
	if rank >= 0 {
		p.Share = share(p.InFlight, rank, able)
	}
	key, others := p.Key(), 0
	for i := range live {
		if live[i].Name != me.Name {
			others += live[i].held()[key]
		}
	}
	p.Max = min(p.Share, max(p.InFlight-others, 0))
	if p.InFlight > 0 {
		claims[key] = max(claims[key], p.Max)
	}
}

// shareRate sets a worker's share of the files a second of a limit, and adds it to what the
// worker claims. using are the workers whose shares are valid. As with batches, the worker
// gets no more than what the others do not claim, and keeps its claim on what it has used so
// far until it reports that it uses less.
func shareRate(p *ledger.LimitShare, claims map[string]float64, me *workerRow, using []workerRow, uses func(*workerRow) bool) {
	if p.FilesPerSecond <= 0 {
		return
	}
	if rank, able := rankOf(me, using, uses); rank >= 0 {
		p.RateShare = p.FilesPerSecond / float64(able)
	}
	key, others := p.Key(), 0.0
	for i := range using {
		if using[i].Name != me.Name {
			others += using[i].rates()[key]
		}
	}
	p.Rate = min(p.RateShare, max(p.FilesPerSecond-others, 0))
	claims[key] = max(claims[key], p.Rate)
}

// hasLostRates reports whether a worker may use its shares of files a second no longer,
// because its last heartbeat is too long ago.
func (r *workerRow) hasLostRates(now time.Time) bool {
	return r.misread == nil && r.SeenAt.Before(now.Add(-ledger.RateShareValid))
}

// uses reports whether a worker needs a share of a limit. It needs one of a limit that does
// not apply to everything while batches that the limit applies to come to it. So a worker
// that gets none, for lack of a handler or of a free slot, keeps no share from others.
func (r *workerRow) uses(c *tasks.Limit) bool {
	return c.Scope == tasks.ScopeAll || slices.Contains(lines(r.LimitsWanted), c.Key())
}

// rankOf returns a worker's rank, from 0, among the workers that use a limit and whose
// desired state is running, and their number. The rank is -1 when the worker is not among
// them.
func rankOf(me *workerRow, live []workerRow, uses func(*workerRow) bool) (rank, able int) {
	rank, able = -1, 0
	if me.DesiredState == tasks.WorkerRunning && uses(me) {
		rank, able = 0, 1
	}
	for i := range live {
		if live[i].Name == me.Name || live[i].DesiredState != tasks.WorkerRunning || !uses(&live[i]) {
			continue
		}
		able++
		if rank >= 0 && live[i].Name < me.Name {
			rank++
		}
	}
	return rank, able
}

// held returns how many batches of each limit a worker uses, by the limit's key.
func (r *workerRow) held() map[string]int { return decodeUse[int](r.LimitsInUse) }

// rates returns how many files a second of each limit a worker uses, by the limit's key.
func (r *workerRow) rates() map[string]float64 { return decodeUse[float64](r.RatesInUse) }

func decodeUse[N int | float64](text string) map[string]N {
	var use map[string]N
	if err := json.Unmarshal([]byte(text), &use); err != nil {
		return nil // only encodeUse writes it; the next heartbeat replaces an unreadable value
	}
	return use
}

func encodeUse[N int | float64](use map[string]N) string {
	if len(use) == 0 {
		return "{}"
	}
	b, err := json.Marshal(use)
	if err != nil { // a map of numbers always marshals
		panic(fmt.Sprintf("encode limits in use: %v", err))
	}
	return string(b)
}
