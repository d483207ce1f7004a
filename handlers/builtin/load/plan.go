package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/tableload"
)

// Args are the arguments of a load step in a recipe.
type Args struct {
	Into         string                `json:"into"`
	Map          []string              `json:"map,omitempty"`
	LineColumn   string                `json:"line_column,omitempty"`
	LineContains string                `json:"line_contains,omitempty"`
	Key          []string              `json:"key,omitempty"`
	OnDuplicate  tableload.OnDuplicate `json:"on_duplicate,omitempty"`
	Create       bool                  `json:"create,omitempty"`
}

// Plan has the checked arguments of a load step.
type Plan struct {
	Into         string
	Map          []Mapping // empty: each column of the table gets the member of its name
	LineColumn   string    // the column that gets each whole line; empty for none
	LineContains string    // lines without this text are skipped before they are parsed; empty for none
	Key          []string
	OnDuplicate  tableload.OnDuplicate
	Create       bool
}

// ErrPlan is wrapped by the errors of a plan that is wrong for every table.
var ErrPlan = errors.New("invalid load options")

// Resolve checks the arguments. Its error lists all mistakes.
func (a *Args) Resolve() (*Plan, error) {
	p := &Plan{
		Into: a.Into, LineColumn: a.LineColumn, LineContains: a.LineContains, Key: a.Key, OnDuplicate: a.OnDuplicate, Create: a.Create,
	}
	var wrong []error
	if a.Into == "" {
		wrong = append(wrong, fmt.Errorf("%w: into is empty; name a table", ErrPlan))
	} else if err := tableload.CheckTableName(a.Into); err != nil {
		wrong = append(wrong, err)
	}
	for _, s := range a.Map {
		f, err := ParseMapping(s)
		if err != nil {
			wrong = append(wrong, err)
		}
		p.Map = append(p.Map, f)
	}
	if p.OnDuplicate == "" {
		if p.OnDuplicate = tableload.DuplicateError; len(p.Key) > 0 {
			p.OnDuplicate = tableload.DuplicateIgnore
		}
	}
	switch p.OnDuplicate {
	case tableload.DuplicateError:
	case tableload.DuplicateIgnore, tableload.DuplicateUpdate:
		if len(p.Key) == 0 {
			wrong = append(wrong, fmt.Errorf("%w: on_duplicate %s needs a key, which identifies duplicates", ErrPlan, p.OnDuplicate))
		}
	default:
		wrong = append(wrong, fmt.Errorf("%w: on_duplicate %q must be ignore, update or error", ErrPlan, p.OnDuplicate))
	}
	if strings.ContainsAny(p.LineContains, "\r\n") {
		wrong = append(wrong, fmt.Errorf("%w: line_contains %q contains a line break, so no line can match", ErrPlan, p.LineContains))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return p, nil
}

// Args returns arguments that resolve to this plan.
func (p *Plan) Args() Args {
	a := Args{Into: p.Into, LineColumn: p.LineColumn, LineContains: p.LineContains, Key: p.Key, OnDuplicate: p.OnDuplicate, Create: p.Create}
	for _, f := range p.Map {
		a.Map = append(a.Map, f.String())
	}
	return a
}

// fields returns the mappings of all columns.
func (p *Plan) fields(ctx context.Context, s *tableload.Store) ([]Mapping, error) {
	fields := slices.Clone(p.Map)
	if len(fields) == 0 {
		columns, err := s.Columns(ctx, p.Into)
		if err != nil {
			return nil, err
		}
		for i := range columns {
			if name := columns[i].Name; !columns[i].Generated && !strings.EqualFold(name, p.LineColumn) {
				fields = append(fields, Mapping{Column: name, Path: []string{name}})
			}
		}
	}
	if p.LineColumn != "" {
		fields = append(fields, Mapping{Column: p.LineColumn, Kind: tableload.ColumnJSON})
	}
	return fields, nil
}
