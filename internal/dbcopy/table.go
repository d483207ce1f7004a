package dbcopy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/db"
)

// kind is how the values of a column are read and written.
type kind int

const (
	kindText kind = iota
	kindBytes
	kindInteger
	kindBool
	kindFloat
	kindTime
	kindJSON
)

type column struct {
	name string
	kind kind
	key  int // position in the primary key, from 1; 0: not part of it
}

type table struct {
	name    string
	columns []column
	keys    []int // the columns of the primary key, by their index
}

// pairs lists the tables, which must have the same columns in both databases.
func pairs(ctx context.Context, from, to *db.DB) ([]table, error) {
	names := slices.Compact(slices.Sorted(slices.Values(db.OwnTables())))
	tables := make([]table, 0, len(names))
	for _, name := range names {
		if name == db.MigrationsTable {
			continue
		}
		old, err := columnsOf(ctx, from, name)
		if err != nil {
			return nil, err
		}
		other, err := columnsOf(ctx, to, name)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(slices.Sorted(maps.Keys(old)), slices.Sorted(maps.Keys(other))) {
			return nil, fmt.Errorf("table %s has other columns in %s than in %s", name, from.Describe(), to.Describe())
		}
		tables = append(tables, pair(name, old, other))
	}
	return tables, nil
}

func pair(name string, old, other map[string]column) table {
	t := table{name: name}
	for _, column := range slices.Sorted(maps.Keys(old)) {
		c := old[column]
		if other[column].kind == kindJSON {
			c.kind = kindJSON // such a server writes JSON in its own way
		}
		t.columns = append(t.columns, c)
	}
	for i := range t.columns {
		if t.columns[i].key > 0 {
			t.keys = append(t.keys, i)
		}
	}
	slices.SortFunc(t.keys, func(a, b int) int { return t.columns[a].key - t.columns[b].key })
	return t
}

// columnsOf reads the columns of a table by their names.
func columnsOf(ctx context.Context, d *db.DB, name string) (map[string]column, error) {
	query := "SELECT name, type, pk FROM pragma_table_info(?)"
	if d.Dialect() == db.MySQL {
		query = `SELECT c.column_name AS name, c.data_type AS type, COALESCE(k.ordinal_position, 0) AS pk
			FROM information_schema.columns c LEFT JOIN information_schema.key_column_usage k ON k.table_schema = c.table_schema
				AND k.table_name = c.table_name AND k.column_name = c.column_name AND k.constraint_name = 'PRIMARY'
			WHERE c.table_schema = DATABASE() AND c.table_name = ?`
	}
	var rows []struct {
		Name, Type string
		Pk         int
	}
	if err := d.Session(ctx).Raw(query, name).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("read the columns of table %s: %w", name, err)
	}
	columns := make(map[string]column, len(rows))
	for _, r := range rows {
		k, err := kindOf(r.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s of table %s: %w", r.Name, name, err)
		}
		columns[r.Name] = column{r.Name, k, r.Pk}
	}
	return columns, nil
}

func kindOf(declared string) (kind, error) {
	switch strings.ToLower(declared) {
	case "text", "varchar", "char", "mediumtext", "longtext":
		return kindText, nil
	case "blob", "binary", "varbinary", "mediumblob":
		return kindBytes, nil
	case "integer", "int", "bigint":
		return kindInteger, nil
	case "boolean", "tinyint":
		return kindBool, nil
	case "real", "double":
		return kindFloat, nil
	case "datetime":
		return kindTime, nil
	case "json":
		return kindJSON, nil
	}
	return 0, fmt.Errorf("unknown type %q", declared)
}
