package tableload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/db"
)

// checkEngine ensures that a table is transactional: otherwise rows could be inserted
// twice.
func (s *Store) checkEngine(ctx context.Context, table string) error {
	if s.db.Dialect() == db.SQLite {
		return s.checkNoView(ctx, table)
	}
	var engines []string
	err := s.db.Session(ctx).Raw(`SELECT t.engine FROM information_schema.tables AS t
		JOIN information_schema.engines AS e ON e.engine = t.engine
		WHERE t.table_schema = DATABASE() AND t.table_name = ? AND e.transactions <> 'YES'`, table).Scan(&engines).Error
	if err != nil {
		return fmt.Errorf("look at table %s: %w", table, err)
	}
	if len(engines) > 0 {
		return fmt.Errorf("%w: %s is a table of %s, which has no transactions; convert it with ALTER TABLE %s ENGINE=InnoDB",
			ErrTable, table, engines[0], s.db.Dialect().Quote(table))
	}
	return nil
}

// checkNoView rejects views on SQLite, which cannot insert into them.
func (s *Store) checkNoView(ctx context.Context, table string) error {
	var views int64
	err := s.db.Session(ctx).Raw("SELECT COUNT(*) FROM sqlite_master WHERE type = 'view' AND LOWER(name) = LOWER(?)", table).
		Scan(&views).Error
	if err != nil {
		return fmt.Errorf("look at table %s: %w", table, err)
	}
	if views > 0 {
		return fmt.Errorf("%w: %s is a view, which cannot take rows; load into its table", ErrTable, table)
	}
	return nil
}

// checkKey ensures that the database detects duplicates of the key.
func (s *Store) checkKey(ctx context.Context, t *Table, key []string) error {
	if len(key) == 0 {
		return fmt.Errorf("%w: to find duplicates, name the columns of a key", ErrTable)
	}
	indexes, err := s.uniqueIndexes(ctx, t.name)
	if err != nil {
		return fmt.Errorf("read the keys of %s: %w", t.name, err)
	}
	if !hasKey(indexes, key) {
		return fmt.Errorf("%w: %s has no primary or unique key of exactly %s; create one, or name the columns of an existing key",
			ErrTable, t.name, strings.Join(key, ", "))
	}
	return nil
}

// uniqueIndexes returns the columns of each unique index of a table, the primary key
// included, by the name of the index.
func (s *Store) uniqueIndexes(ctx context.Context, table string) (map[string][]string, error) {
	query, args := `SELECT index_name AS name, column_name AS part FROM information_schema.statistics
		WHERE table_schema = DATABASE() AND table_name = ? AND non_unique = 0 AND sub_part IS NULL`, []any{table}
	if s.db.Dialect() == db.SQLite {
		query, args = `SELECT l.name AS name, i.name AS part
			FROM pragma_index_list(?) AS l, pragma_index_info(l.name) AS i WHERE l."unique" = 1 AND l.partial = 0
			UNION ALL SELECT '' AS name, name AS part FROM pragma_table_info(?) WHERE pk > 0`, []any{table, table}
	}
	var rows []struct{ Name, Part string }
	if err := s.db.Session(ctx).Raw(query, args...).Scan(&rows).Error; err != nil {
		return nil, err
	}
	indexes := make(map[string][]string)
	for _, r := range rows {
		indexes[r.Name] = append(indexes[r.Name], r.Part)
	}
	return indexes, nil
}

// hasKey reports whether an index has exactly the columns of the key.
func hasKey(indexes map[string][]string, key []string) bool {
	for _, parts := range indexes {
		if len(parts) == len(key) && !slices.ContainsFunc(key, func(k string) bool { return !slices.Contains(parts, k) }) {
			return true
		}
	}
	return false
}
