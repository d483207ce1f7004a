package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/dsn"
	"github.com/balerhq/baler/tasks"
)

// handlerLimit begins the name of a limit on the batches of a handler.
const handlerLimit = "handler:"

// NamedLimits returns the limits in the setting limits, by name, once Validate has found no
// error.
func (c *Config) NamedLimits() []tasks.Limit {
	all := make([]tasks.Limit, 0, len(c.Limits))
	for _, name := range slices.Sorted(maps.Keys(c.Limits)) {
		if l, err := namedLimit(name, c.Limits[name]); err == nil {
			all = append(all, l)
		}
	}
	return all
}

func namedLimit(name, bounds string) (tasks.Limit, error) {
	scope, of := tasks.ScopeName, name
	if handler, ok := strings.CutPrefix(name, handlerLimit); ok {
		scope, of = tasks.ScopeHandler, handler
	}
	if tasks.CheckLimitName(of) != nil { // errors show no values that may be secrets
		return tasks.Limit{}, fmt.Errorf("%s is not the name of a limit: use up to %d small letters, digits, and . _ - between them",
			dsn.Quote(name), tasks.MaxLimitName)
	}
	l, err := tasks.ParseLimitBounds(bounds)
	if err != nil {
		return l, fmt.Errorf("the limit of %s must be batches at once such as 2, files a second such as 50/s, "+
			"batches on one host such as 1/host, or several of them with commas", dsn.Quote(name))
	}
	l.Scope, l.Name = scope, of
	return l, nil
}

func (v *validation) limits(limits map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		if _, err := namedLimit(name, limits[name]); err != nil {
			v.problems.addf("", "limits", "%v", err)
		}
	}
}

// parseBounds takes a mapping of names to bounds, or "name=2,other=50/s". A further bound of
// the same name follows it: "name=2,50/s".
func parseBounds(v any) (any, error) {
	out := make(map[string]string)
	switch m := v.(type) {
	case map[string]string:
		return m, nil
	case map[string]any:
		for name, value := range m {
			switch value.(type) {
			case string, int, int64, uint64:
				out[name] = strings.TrimSpace(fmt.Sprint(value))
			default:
				return nil, fmt.Errorf("the limit of %s is not text such as 2, 50/s or 1/host", dsn.Quote(name))
			}
		}
		return out, nil
	case string:
		last := ""
		for _, entry := range splitCommas(m) {
			name, value, named := strings.Cut(entry, "=")
			switch {
			case named:
				last = strings.TrimSpace(name)
				out[last] = strings.TrimSpace(value)
			case last != "":
				out[last] += "," + entry
			default:
				return nil, fmt.Errorf("%s is not a list of limits; write it as gpu=2,s3=50/s", show(v))
			}
		}
		return out, nil
	}
	return nil, errors.New("must be names with limits, such as {gpu: 2, s3: 50/s}")
}
