package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/tableload"
)

// create creates the table of the plan's mapping if it does not exist. It adds missing
// columns to a table that Baler has created.
func (p *Plan) create(ctx context.Context, s *tableload.Store) error {
	columns, err := s.Columns(ctx, p.Into)
	switch {
	case err == nil:
		_, err = p.addMissing(ctx, s, columns, p.Map)
		return err
	case !errors.Is(err, tableload.ErrNoTable):
		return err
	}
	columns = nil
	for _, f := range p.Map {
		c, err := p.newColumn(f)
		if err != nil {
			return err
		}
		columns = append(columns, c)
	}
	if p.LineColumn != "" {
		columns = append(columns, tableload.Column{Name: p.LineColumn, Kind: tableload.ColumnJSON})
	}
	for _, k := range p.Key {
		if !slices.ContainsFunc(columns, func(c tableload.Column) bool { return c.Name == k }) {
			return fmt.Errorf("%w: column %q of the key is not in the mapping", ErrPlan, k)
		}
	}
	return s.CreateTable(ctx, p.Into, columns, p.Key)
}

func (p *Plan) newColumn(f Mapping) (tableload.Column, error) {
	if f.Kind == "" {
		return tableload.Column{}, fmt.Errorf("%w: to create %s the mapping must have the type of column %s, as in %s=…:text",
			ErrPlan, p.Into, f.Column, f.Column)
	}
	return tableload.Column{Name: f.Column, Kind: f.Kind}, nil
}

// AddColumns adds columns for new members of the files' lines to a table that Baler has
// created, and returns their names. It changes nothing for a plan that does not create
// tables, and does not change tables that somebody else has created. Existing columns keep
// their types.
func (p *Plan) AddColumns(ctx context.Context, s *tableload.Store, files *LineFiles) (added []string, err error) {
	columns, err := s.Columns(ctx, p.Into)
	if err != nil || !p.Create {
		return nil, err
	}
	if own, err := s.IsOwn(ctx, p.Into); err != nil || !own {
		return nil, err
	}
	fields := p.Map
	if len(fields) == 0 || slices.ContainsFunc(p.missing(columns, fields), func(f Mapping) bool { return f.Kind == "" }) {
		lines, err := p.infer(ctx, files)
		if err != nil || lines.lines == 0 || len(lines.fields) == 0 {
			return nil, err
		}
		if fields, err = lines.mapping(); err != nil {
			return nil, err
		}
	}
	return p.addMissing(ctx, s, columns, fields)
}

// addMissing adds the columns of a mapping that a table lacks, if Baler has created it.
func (p *Plan) addMissing(
	ctx context.Context, s *tableload.Store, columns []tableload.Column, fields []Mapping,
) (added []string, err error) {
	missing := p.missing(columns, fields)
	if len(missing) == 0 {
		return nil, nil
	}
	if own, err := s.IsOwn(ctx, p.Into); err != nil || !own {
		return nil, err // NewLoader reports the missing columns
	}
	var lacking []tableload.Column
	for _, f := range missing {
		c, err := p.newColumn(f)
		if err != nil {
			return nil, err
		}
		lacking, added = append(lacking, c), append(added, c.Name)
	}
	return added, s.AddColumns(ctx, p.Into, lacking)
}

// missing returns the mappings, that of the whole line included, whose columns are not in
// a table.
func (p *Plan) missing(columns []tableload.Column, fields []Mapping) (missing []Mapping) {
	if p.LineColumn != "" {
		fields = append(slices.Clone(fields), Mapping{Column: p.LineColumn, Kind: tableload.ColumnJSON})
	}
	for _, f := range fields {
		same := func(c tableload.Column) bool { return strings.EqualFold(c.Name, f.Column) } // as databases compare names
		if len(p.Map) == 0 && f.Column != p.LineColumn {
			same = func(c tableload.Column) bool { return c.Name == f.Column } // a member goes to the column with exactly its name
		}
		if !slices.ContainsFunc(columns, same) {
			missing = append(missing, f)
		}
	}
	return missing
}
