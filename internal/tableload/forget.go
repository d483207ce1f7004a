package tableload

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
)

// ForgetEmptied checks whether a table that rows were loaded into no longer exists or has
// no rows. If so, it marks the sections in it as not loaded and their files as not
// processed, and forgotten is true.
func (s *Store) ForgetEmptied(ctx context.Context, table string) (forgotten bool, err error) {
	target, err := s.targetOf(ctx, table)
	if err != nil {
		return false, err
	}
	// The log is read first: a load that commits in between then has rows in the table.
	var loads int64
	err = s.db.Session(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM loads WHERE target = ? AND loaded > 0 LIMIT 1) AS l", target).
		Scan(&loads).Error
	if err != nil {
		return false, fmt.Errorf("look for earlier loads into %s: %w", table, err)
	}
	if loads == 0 {
		return false, nil
	}
	if empty, err := s.isEmpty(ctx, table); err != nil || !empty {
		return false, err
	}
	return true, s.forget(ctx, target)
}

// TablesOf lists the tables that transfers with a run key have loaded rows into.
func (s *Store) TablesOf(ctx context.Context, runKey string) (names []string, err error) {
	err = s.db.Session(ctx).Table("loads AS l").Joins("JOIN transfers AS t ON t.id = l.transfer_id").
		Where("t.run_key = ? AND l.loaded > 0 AND l.target <> ?", runKey, []byte{}).
		Distinct("l.table_name").Order("l.table_name").Pluck("l.table_name", &names).Error
	if err != nil {
		return nil, fmt.Errorf("look for tables of earlier runs: %w", err)
	}
	return names, nil
}

// isEmpty reports whether a table has no rows or does not exist.
func (s *Store) isEmpty(ctx context.Context, table string) (bool, error) {
	_, err := s.Columns(ctx, table)
	if errors.Is(err, ErrNoTable) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	var rows int64
	err = s.db.Session(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM " + s.db.Dialect().Quote(table) + " LIMIT 1) AS r").Scan(&rows).Error
	if err != nil {
		return false, fmt.Errorf("check whether %s is empty: %w", table, err)
	}
	return rows == 0, nil
}

// LeftOut lists the members that a transfer did not load because they had no column.
type LeftOut struct {
	Transfer int64
	Members  []string // some of their names
}

// LeftOut lists transfers that left out members for which the table has columns by now.
func (s *Store) LeftOut(ctx context.Context, table string) ([]LeftOut, error) {
	target, err := s.targetOf(ctx, table)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		TransferID int64
		Names      string
	}
	err = s.db.Session(ctx).Table("loads").Where("target = ? AND source <> ? AND unmapped > 0", target, []byte{}).
		Distinct("transfer_id", "unmapped_names AS names").Limit(unmappedPage).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read members that were left out: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	columns, err := s.Columns(ctx, table)
	if err != nil {
		return nil, err
	}
	var left []LeftOut
	for _, r := range rows {
		if members := withColumn(strings.Split(r.Names, nameEnd), columns); len(members) > 0 {
			left = append(left, LeftOut{r.TransferID, members})
		}
	}
	return left, nil
}

// ForgetTransfers marks the files of transfers as not processed, and their sections as not
// loaded from these files. Their rows stay, so only a load that updates rows may follow.
func (s *Store) ForgetTransfers(ctx context.Context, transfers []int64) error {
	return s.db.Write(ctx, "forget files of loads", func(tx *gorm.DB, _ time.Time) error {
		if err := tx.Exec("DELETE FROM seen_files WHERE transfer_id IN ?", transfers).Error; err != nil {
			return err
		}
		return tx.Exec("UPDATE loads SET source = ? WHERE transfer_id IN ?", []byte{}, transfers).Error
	})
}

// WithColumn returns those of the members that have a column of a table.
func (s *Store) WithColumn(ctx context.Context, table string, members []string) ([]string, error) {
	columns, err := s.Columns(ctx, table)
	if err != nil {
		return nil, err
	}
	return withColumn(members, columns), nil
}

func withColumn(members []string, columns []Column) []string {
	return slices.DeleteFunc(slices.Clone(members), func(name string) bool {
		return !slices.ContainsFunc(columns, func(c Column) bool { return c.Name == name })
	})
}

func (s *Store) forget(ctx context.Context, target []byte) error {
	return s.db.Write(ctx, "forget loads", func(tx *gorm.DB, _ time.Time) error {
		err := tx.Exec("DELETE FROM seen_files WHERE transfer_id IN (SELECT transfer_id FROM loads WHERE target = ?)", target).Error
		if err != nil {
			return err
		}
		return tx.Exec("UPDATE loads SET target = '' WHERE target = ?", target).Error
	})
}

// targetOf is a short name for a table in the log of loads. It is the same for names
// that the database treats as equal.
func (s *Store) targetOf(ctx context.Context, table string) ([]byte, error) {
	foldsCase := s.db.Dialect() == db.SQLite
	if !foldsCase {
		err := s.db.Session(ctx).Raw("SELECT @@lower_case_table_names <> 0").Scan(&foldsCase).Error
		if err != nil {
			return nil, fmt.Errorf("read lower_case_table_names: %w", err)
		}
	}
	if foldsCase {
		table = strings.ToLower(table)
	}
	return shortHash([]byte(table)), nil
}

// shortHash hashes text to 16 bytes; collisions are practically impossible.
func shortHash(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:16]
}
