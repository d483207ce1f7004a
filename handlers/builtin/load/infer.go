package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/balerhq/baler/internal/tableload"
)

// inferMost is how many columns are inferred at most.
const inferMost = 500

// InferColumns completes the mapping of a table that is to be created by all lines of
// the files: it gives each column without a type one that holds all of its values as
// they are. Without a mapping it makes a column of each top-level member, in the order
// in which they appear. It passes over lines without the keyword and lines that are
// not JSON.
func (p *Plan) InferColumns(ctx context.Context, files *LineFiles) error {
	if len(p.Map) > 0 && !slices.ContainsFunc(p.Map, func(f Mapping) bool { return f.Kind == "" }) {
		return nil
	}
	columns, err := p.infer(ctx, files)
	if err != nil {
		return err
	}
	p.Map, err = columns.mapping()
	return err
}

// infer reads all lines of the files.
func (p *Plan) infer(ctx context.Context, files *LineFiles) (*inference, error) {
	columns := newInference(p.Map)
	err := files.eachContent(ctx, func(path string, content io.Reader) error {
		columns.files++
		return eachLine(ctx, content, []byte(p.LineContains), func(line []byte, problem error) error {
			if errors.Is(problem, ErrCompressed) {
				problem = fmt.Errorf("%s: %w", path, problem)
			}
			return columns.see(line, problem)
		})
	})
	return columns, err
}

// inference infers columns line by line.
type inference struct {
	fields  []Mapping
	guesses []guess
	scanner scanner
	wanted  *place
	files   int
	lines   int   // that are JSON
	problem error // of the first line that is not
}

func newInference(mapping []Mapping) *inference {
	n := &inference{fields: slices.Clone(mapping), guesses: make([]guess, len(mapping)), wanted: newPlaces(pathsOf(mapping))}
	n.scanner.found = make([]value, len(mapping))
	if len(mapping) == 0 {
		n.scanner.unknown = n.addColumn
	}
	return n
}

// addColumn makes a column of a member that appears for the first time.
func (n *inference) addColumn(name []byte) *place {
	column := string(name)
	next := &place{wanted: []int{len(n.fields)}}
	if n.wanted.below == nil {
		n.wanted.below = make(map[string]*place)
	}
	n.wanted.below[column] = next
	n.fields = append(n.fields, Mapping{Column: column, Path: []string{column}})
	n.guesses = append(n.guesses, guess{})
	n.scanner.found = append(n.scanner.found, value{})
	return next
}

func (n *inference) see(line []byte, problem error) error {
	known := len(n.fields)
	if problem == nil {
		problem = n.scanner.scan(line, n.wanted)
	}
	if problem != nil {
		n.problem = cmp.Or(n.problem, problem)
		n.forget(known)
		return nil
	}
	n.lines++
	for i := range n.guesses {
		n.guesses[i].see(n.scanner.found[i])
	}
	if len(n.fields) > inferMost {
		return fmt.Errorf("%w: the lines have more than %d different members; choose the columns with a mapping", ErrPlan, inferMost)
	}
	return nil
}

// forget drops the columns from a number on, which a line added that is not JSON.
func (n *inference) forget(from int) {
	for _, f := range n.fields[from:] {
		delete(n.wanted.below, f.Path[0])
	}
	n.fields, n.guesses, n.scanner.found = n.fields[:from], n.guesses[:from], n.scanner.found[:from]
}

// mapping returns the mapping with the inferred types.
func (n *inference) mapping() ([]Mapping, error) {
	switch {
	case n.files == 0:
		return nil, fmt.Errorf("%w: no file has content from which to infer the columns", ErrPlan)
	case n.lines == 0 && errors.Is(n.problem, ErrCompressed):
		return nil, fmt.Errorf("there are no lines from which to infer the columns: %w", n.problem)
	case n.lines == 0 && n.problem != nil:
		return nil, fmt.Errorf("%w: no line is JSON from which to infer the columns; the first one: %w", ErrPlan, n.problem)
	case n.lines == 0:
		return nil, fmt.Errorf("%w: no line is JSON from which to infer the columns; name them with a mapping that has types", ErrPlan)
	case len(n.fields) == 0:
		return nil, fmt.Errorf("%w: the lines are not objects with members; name the columns with a mapping", ErrPlan)
	}
	for i := range n.fields {
		if err := tableload.CheckName(n.fields[i].Column); err != nil {
			return nil, fmt.Errorf("the name of a member cannot be that of a column: %w; give the member a column with a mapping", err)
		}
		if n.fields[i].Kind == "" {
			n.fields[i].Kind = n.guesses[i].kind()
		}
	}
	return n.fields, nil
}
