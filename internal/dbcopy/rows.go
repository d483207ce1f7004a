package dbcopy

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/export"
)

// One INSERT has so many rows and about so many bytes at most.
const (
	insertRows  = 200
	insertBytes = 1 << 20
)

// copyRows inserts the rows behind the last one that the new database has.
func (t *table) copyRows(ctx context.Context, from, to *db.DB) error {
	last, err := t.last(ctx, to)
	if err != nil {
		return err
	}
	var rows []any
	size := 0
	insert := func() error {
		if len(rows) == 0 {
			return nil
		}
		group := "(" + strings.Repeat(",?", len(t.columns))[1:] + ")"
		text := "INSERT INTO " + t.name + " (" + t.list(to) + ") VALUES " + strings.Repeat(","+group, len(rows)/len(t.columns))[1:]
		values := rows
		rows, size = nil, 0
		return to.Write(ctx, "insert rows", func(tx *gorm.DB, _ time.Time) error { return tx.Exec(text, values...).Error })
	}
	err = t.each(ctx, from, last, func(values []any) error {
		for i, v := range values {
			rows = append(rows, written(v, t.columns[i].kind, to.Dialect()))
			size += 20 + weight(v)
		}
		if len(rows) < insertRows*len(values) && size < insertBytes {
			return nil
		}
		return insert()
	})
	if err != nil {
		return err
	}
	return insert()
}

// last reads the primary key of the last row; nil when there is none.
func (t *table) last(ctx context.Context, d *db.DB) (key []any, err error) {
	order := make([]string, len(t.keys))
	for i, k := range t.keys {
		order[i] = d.Dialect().Quote(t.columns[k].name) + " DESC"
	}
	err = t.query(ctx, d, " ORDER BY "+strings.Join(order, ", ")+" LIMIT 1", nil, func(values []any) error {
		for _, k := range t.keys {
			key = append(key, values[k])
		}
		return nil
	})
	return key, err
}

// each reads the rows behind a key, in the order of the primary key.
func (t *table) each(ctx context.Context, d *db.DB, behind []any, row func([]any) error) error {
	names := make([]string, len(t.keys))
	for i, k := range t.keys {
		names[i] = d.Dialect().Quote(t.columns[k].name)
	}
	var parts []string
	var args []any
	for i := range behind { // the first columns are the same, and the next is above
		var part strings.Builder
		for j := range i {
			part.WriteString(names[j] + " = ? AND ")
			args = append(args, written(behind[j], t.columns[t.keys[j]].kind, d.Dialect()))
		}
		parts = append(parts, "("+part.String()+names[i]+" > ?)")
		args = append(args, written(behind[i], t.columns[t.keys[i]].kind, d.Dialect()))
	}
	where := ""
	if len(parts) > 0 {
		where = " WHERE " + strings.Join(parts, " OR ")
	}
	return t.query(ctx, d, where+" ORDER BY "+strings.Join(names, ", "), args, row)
}

// query reads rows one after the other, which are not kept.
func (t *table) query(ctx context.Context, d *db.DB, rest string, args []any, row func([]any) error) error {
	rows, err := d.Session(ctx).Raw("SELECT "+t.list(d)+" FROM "+t.name+rest, args...).Rows()
	if err != nil {
		return err
	}
	defer rows.Close() // reading to the end has closed them; Err says what went wrong
	into := make([]any, len(t.columns))
	for i, c := range t.columns {
		into[i] = place(c.kind)
	}
	values := make([]any, len(into))
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i := range into {
			if values[i], err = read(into[i], t.columns[i].kind); err != nil {
				return fmt.Errorf("column %s: %w", t.columns[i].name, err)
			}
		}
		if err := row(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (t *table) list(d *db.DB) string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return d.Dialect().QuoteAll(names)
}

// digest reads the whole table. The digest does not depend on the order of rows, which
// databases may see differently.
func (t *table) digest(ctx context.Context, d *db.DB) (sum TableCopy, err error) {
	sum.Name = t.name
	var all [sha256.Size]byte
	err = d.Snapshot(ctx, func(view *db.DB) error {
		return t.each(ctx, view, nil, func(values []any) error {
			h := sha256.New()
			for _, v := range values {
				text := digested(v)
				_, _ = h.Write(append(strconv.AppendInt(nil, int64(len(text)), 10), ':')) // a hash never fails
				_, _ = h.Write(text)
			}
			for i, b := range h.Sum(nil) {
				all[i] ^= b
			}
			sum.Rows++
			return nil
		})
	})
	sum.Digest = hex.EncodeToString(all[:])
	return sum, err
}

// place is where a value is scanned to.
func place(k kind) any {
	switch k {
	case kindInteger:
		return new(sql.NullInt64)
	case kindBool:
		return new(sql.NullBool)
	case kindFloat:
		return new(sql.NullFloat64)
	case kindTime:
		return new(sql.NullTime)
	case kindText, kindBytes, kindJSON:
	}
	return new([]byte)
}

// read is what was scanned: nil, int64, bool, float64, a time in UTC, a string or bytes.
func read(from any, k kind) (any, error) {
	switch v := from.(type) {
	case *sql.NullInt64:
		return v.Value()
	case *sql.NullBool:
		return v.Value()
	case *sql.NullFloat64:
		return v.Value()
	case *sql.NullTime:
		if v.Valid {
			return v.Time.UTC(), nil
		}
	case *[]byte:
		switch {
		case *v == nil:
			return nil, nil //nolint:nilnil // NULL
		case k == kindBytes:
			return append([]byte{}, *v...), nil
		case k == kindJSON:
			text, err := export.Canonical(*v)
			return string(text), err
		}
		return string(*v), nil
	}
	return nil, nil //nolint:nilnil // NULL
}

// written is a value as a parameter of a statement.
func written(v any, _ kind, d db.Dialect) any {
	switch v := v.(type) {
	case time.Time:
		if d == db.SQLite {
			return v.Format("2006-01-02 15:04:05.000000+00:00")
		}
		return v.Format("2006-01-02 15:04:05.000000")
	case bool:
		if v {
			return 1
		}
		return 0
	}
	return v
}

func weight(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	}
	return 0
}

// digested is a value for a digest; it tells NULL from an empty text.
func digested(v any) []byte {
	switch v := v.(type) {
	case nil:
		return []byte("null")
	case string:
		return append([]byte("="), v...)
	case []byte:
		return append([]byte("="), v...)
	case time.Time:
		return v.AppendFormat(nil, "=2006-01-02T15:04:05.000000")
	}
	return fmt.Appendf(nil, "=%v", v)
}
