package exec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/command"
)

// factArgs say where facts come from.
type factArgs struct {
	JSON     json.RawMessage `json:"json"`     // "*", or the path of a member by the name of its fact
	File     string          `json:"file"`     // of a batch: the member with the file's path
	Patterns command.Words   `json:"patterns"` // regular expressions with named groups
	Numbers  command.Words   `json:"numbers"`  // names of groups that are numbers
}

// facts is a checked factArgs.
type facts struct {
	all      bool
	members  map[string]string
	file     string
	patterns []*regexp.Regexp
	numbers  []string
}

// factNames are the facts that a step with these arguments may record; nil for any.
func factNames(args any) []string {
	s, err := parse(args)
	if err != nil || s.facts != nil && s.facts.all {
		return nil // the check of the arguments reports the error
	}
	names := []string{}
	if s.facts != nil {
		names = slices.AppendSeq(names, maps.Keys(s.facts.members))
		for _, p := range s.facts.patterns {
			names = append(names, groups(p)...)
		}
	}
	return names
}

func groups(p *regexp.Regexp) []string {
	return slices.DeleteFunc(slices.Clone(p.SubexpNames()), func(name string) bool { return name == "" })
}

func parseFacts(a *factArgs, each string) (*facts, error) {
	if a == nil {
		return nil, nil //nolint:nilnil // no facts are wanted
	}
	f := &facts{file: a.File, numbers: a.Numbers}
	if len(a.JSON) > 0 {
		var whole string
		if err := json.Unmarshal(a.JSON, &whole); err == nil && whole == "*" {
			f.all = true
		} else if err := json.Unmarshal(a.JSON, &f.members); err != nil || len(f.members) == 0 {
			return nil, errors.New(`facts: json must be "*" for all members, or names of facts with paths of members, as in {width: image.width}`)
		}
	}
	for _, source := range a.Patterns {
		p, err := regexp.Compile("(?m)" + source)
		if err != nil {
			return nil, fmt.Errorf("facts: pattern: %w", err)
		}
		if len(groups(p)) == 0 {
			return nil, fmt.Errorf("facts: pattern %q has no named group, such as (?P<width>[0-9]+)", source)
		}
		f.patterns = append(f.patterns, p)
	}
	withJSON := f.all || len(f.members) > 0
	switch {
	case !withJSON && len(f.patterns) == 0:
		return nil, errors.New("facts: give json or patterns")
	case each == eachBatch && (len(f.patterns) > 0 || f.file == ""):
		return nil, errors.New("facts: for each: batch give json, and file, the member that holds the path of the file")
	case each != eachBatch && f.file != "":
		return nil, errors.New("facts: file is for each: batch")
	}
	return f, nil
}

// record takes the facts of one file out of a command's output.
func (f *facts) record(job *handlers.Job, output []byte) error {
	if f.all || len(f.members) > 0 {
		values, err := jsonValues(output)
		if err != nil {
			return err
		}
		if len(values) != 1 {
			return badFacts(fmt.Errorf("the output has %d JSON values; want one for the file", len(values)))
		}
		if err := f.recordMembers(job, values[0]); err != nil {
			return err
		}
	}
	for _, p := range f.patterns {
		match := p.FindSubmatch(output)
		for i, name := range p.SubexpNames() {
			if name == "" || match == nil || match[i] == nil {
				continue
			}
			var value any = string(match[i])
			if slices.Contains(f.numbers, name) {
				if !json.Valid(match[i]) {
					return badFacts(fmt.Errorf("%s is %q, not a number", name, match[i]))
				}
				value = json.RawMessage(match[i])
			}
			if err := job.SetFact(name, value); err != nil {
				return badFacts(err)
			}
		}
	}
	return nil
}

// recordMembers records those members of an object that are wanted. One that is missing
// gives no fact.
func (f *facts) recordMembers(job *handlers.Job, object any) error {
	wanted := f.members
	if f.all {
		members, ok := object.(map[string]any)
		if !ok {
			return badFacts(errors.New("the output is JSON, but no object"))
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if err := job.SetFact(name, members[name]); err != nil {
				return badFacts(err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if value, ok := member(object, wanted[name]); ok {
			if err := job.SetFact(name, value); err != nil {
				return badFacts(err)
			}
		}
	}
	return nil
}

func badFacts(err error) error { return handlers.Fail(CodeBadFacts, err) }

// jsonValues reads all values of a command's output: one, one a line, or those of one list.
func jsonValues(output []byte) ([]any, error) {
	d := json.NewDecoder(bytes.NewReader(output))
	d.UseNumber()
	var values []any
	for {
		var v any
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, badFacts(fmt.Errorf("the output is not JSON: %w", err))
		}
		values = append(values, v)
	}
	if len(values) == 1 {
		if list, ok := values[0].([]any); ok {
			return list, nil
		}
	}
	return values, nil
}

// member finds a value by a path of names and numbers with dots between them.
func member(v any, path string) (any, bool) {
	for name := range strings.SplitSeq(path, ".") {
		switch container := v.(type) {
		case map[string]any:
			inner, ok := container[name]
			if !ok {
				return nil, false
			}
			v = inner
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(container) {
				return nil, false
			}
			v = container[i]
		default:
			return nil, false
		}
	}
	return v, v != nil
}
