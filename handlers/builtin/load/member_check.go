package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/tableload"
)

// CheckMembers checks that at least one line of the files has a value for at least one
// column. Otherwise a name in the mapping or in the table is wrong, and all rows would be
// empty. It reads up to the first such line, which is nearly always the first line of all.
// It accepts files without objects.
func (p *Plan) CheckMembers(ctx context.Context, s *tableload.Store, files *LineFiles) error {
	fields, err := p.fields(ctx, s)
	if errors.Is(err, tableload.ErrNoTable) && p.Create {
		return nil // its columns were inferred from the lines
	}
	if err != nil {
		return err
	}
	check := newMemberCheck(fields)
	err = files.eachContent(ctx, func(_ string, content io.Reader) error {
		return eachLine(ctx, content, []byte(p.LineContains), check.see)
	})
	if err != nil || check.found || check.objects == 0 {
		return err
	}
	return check.problem(p, fields)
}

// memberCheck looks for a value of a column.
type memberCheck struct {
	scanner scanner
	wanted  *place
	names   scanner // collects the members' names
	found   bool
	objects int
	members []string // some of the names of members
}

func newMemberCheck(fields []Mapping) *memberCheck {
	c := &memberCheck{wanted: newPlaces(pathsOf(fields))}
	c.scanner.found = make([]value, len(fields))
	c.names.unknown = func(name []byte) *place {
		if !slices.Contains(c.members, string(name)) && len(c.members) < shownNames {
			c.members = append(c.members, string(name))
		}
		return nil
	}
	return c
}

func (c *memberCheck) see(line []byte, problem error) error {
	if problem == nil {
		problem = c.scanner.scan(line, c.wanted)
	}
	if problem != nil {
		return nil //nolint:nilerr // loading the line rejects it
	}
	if !noneFound(c.scanner.found) {
		c.found = true
		return errEnough
	}
	if bytes.TrimLeft(line, " \t\r")[0] == '{' {
		c.objects++
	}
	if len(c.members) == shownNames {
		return nil
	}
	return c.names.scan(line, &place{})
}

func (c *memberCheck) problem(p *Plan, fields []Mapping) error {
	var wanted []string
	for _, f := range fields {
		wanted = append(wanted, strings.Join(f.Path, "."))
	}
	members := "none"
	if len(c.members) > 0 {
		members = shownList(c.members)
	}
	return fmt.Errorf("%w: no line has a value for any column of %s: the columns get the members %s; the lines have %s. "+
		"Names are case-sensitive; map members to columns with a mapping, as in id=ID",
		ErrPlan, p.Into, shownList(wanted), members)
}

// noneFound reports whether a line has no value for any column.
func noneFound(found []value) bool {
	return !slices.ContainsFunc(found, func(v value) bool { return v.form != missing })
}

func pathsOf(fields []Mapping) [][]string {
	paths := make([][]string, len(fields))
	for i := range fields {
		paths[i] = fields[i].Path
	}
	return paths
}

// shownNames is how many names a message lists.
const shownNames = 8

func shownList(names []string) string {
	more := ""
	if len(names) > shownNames {
		more = fmt.Sprintf(" and %d more", len(names)-shownNames)
		names = names[:shownNames]
	}
	shown := make([]string, len(names))
	for i, name := range names {
		shown[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(shown, ", ") + more
}
