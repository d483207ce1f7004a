package tableload

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Loss says whether a table has lost the rows that were loaded into it.
type Loss int

// The losses.
const (
	NoLoss   Loss = iota // it has some of them, or none can be recognized
	Emptied              // it no longer exists or has no rows
	Replaced             // it has rows, but none of those that are looked for; the key tells them from others
	Changed              // likewise, but without a key: the rows may have been changed in place
)

// witnessSections is how many of the oldest sections, and of the newest, Lost looks at.
const witnessSections = 8

// ForgetLost finds out whether a table has lost the rows that earlier loads put into it.
// When it was emptied or replaced, it marks the sections in it as not loaded and their files
// as not processed.
func (s *Store) ForgetLost(ctx context.Context, table string) (Loss, error) {
	forgotten, err := s.ForgetEmptied(ctx, table)
	if forgotten || err != nil {
		return Emptied, err
	}
	target, err := s.targetOf(ctx, table)
	if err != nil {
		return NoLoss, err
	}
	keyed := true
	looked := 0
	for _, order := range []string{"transfer_id, byte_offset", "transfer_id DESC, byte_offset DESC"} {
		var texts []string
		err := s.db.Session(ctx).Table("loads").Where("target = ? AND witness <> ''", target).
			Order(order).Limit(witnessSections).Pluck("witness", &texts).Error
		if err != nil {
			return NoLoss, fmt.Errorf("read rows of earlier loads: %w", err)
		}
		found, err := s.anyThere(ctx, table, texts, &keyed)
		if err != nil || found {
			return NoLoss, err
		}
		looked += len(texts)
	}
	switch {
	case looked == 0:
		return NoLoss, nil
	case !keyed:
		return Changed, nil
	}
	return Replaced, s.forget(ctx, target)
}

// anyThere reports whether a table has any of the rows of witnesses. It sets keyed to false
// when one of them has no key.
func (s *Store) anyThere(ctx context.Context, table string, texts []string, keyed *bool) (bool, error) {
	if len(texts) == 0 {
		return false, nil
	}
	columns, err := s.Columns(ctx, table)
	if err != nil {
		return false, err
	}
	var wanted []string
	var args []any
	for _, text := range texts {
		var w witness
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&w); err != nil {
			continue
		}
		if !w.Keyed || len(withColumn(w.Columns, columns)) < len(w.Columns) {
			*keyed = false
		}
		for _, row := range w.Rows {
			if condition, values := s.condition(&w, row, columns); condition != "" {
				wanted, args = append(wanted, condition), append(args, values...)
			}
		}
	}
	if len(wanted) == 0 {
		return true, nil // nothing can be recognized
	}
	var rows int64
	err = s.db.Session(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM "+s.db.Dialect().Quote(table)+
		" WHERE "+strings.Join(wanted, " OR ")+" LIMIT 1) AS r", args...).Scan(&rows).Error
	if err != nil {
		return false, fmt.Errorf("look for rows of earlier loads in %s: %w", table, err)
	}
	return rows > 0, nil
}

// condition is the SQL that selects a row of a witness by those of its columns that the
// table has. The log of loads is not trusted to hold SQL.
func (s *Store) condition(w *witness, row []any, columns []Column) (condition string, args []any) {
	var all []string
	for i, v := range row[:min(len(row), len(w.Columns))] {
		if len(withColumn(w.Columns[i:i+1], columns)) == 0 {
			continue
		}
		column := s.db.Dialect().Quote(w.Columns[i])
		switch v := v.(type) {
		case json.Number:
			if plainNumber.MatchString(v.String()) {
				all = append(all, column+" = "+v.String())
			}
		case string:
			all, args = append(all, column+" = ?"), append(args, v)
		}
	}
	if len(all) == 0 {
		return "", nil
	}
	return "(" + strings.Join(all, " AND ") + ")", args
}
