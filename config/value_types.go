package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/address"
	"github.com/balerhq/baler/internal/dsn"
	"github.com/balerhq/baler/tasks"
)

// valueType is the type of a setting's value. Its parser takes a value of YAML, a
// variable or a flag, and returns the type of the field in Config.
type valueType struct {
	unit  string // for the documentation
	parse func(any) (any, error)
}

func text() valueType       { return valueType{"text", parseText} }
func number() valueType     { return valueType{"number", parseNumber} }
func flag() valueType       { return valueType{"true or false", parseFlag} }
func duration() valueType   { return valueType{"time", parseDuration} }
func size() valueType       { return valueType{"bytes", parseSize} }
func folders() valueType    { return valueType{"paths", parseList("path", address.SplitList)} }
func names() valueType      { return valueType{"names", parseList("name", splitCommas)} }
func networks() valueType   { return valueType{"networks", parseList("network", splitCommas)} }
func addresses() valueType  { return valueType{"URLs", parseList("URL", splitCommas)} }
func priorities() valueType { return valueType{"priorities", parsePriorities} }
func bounds() valueType     { return valueType{"limits", parseBounds} }

func parseText(v any) (any, error) {
	if s, ok := v.(string); ok {
		return strings.TrimSpace(s), nil
	}
	return nil, errors.New("is not text; put it in quotes") // it may be a secret that looks like a number
}

func parseNumber(v any) (any, error) {
	switch n := v.(type) {
	case int:
		return n, nil
	case int64:
		return int(n), nil
	case uint64:
		if n <= math.MaxInt64 {
			return int(n), nil
		}
	case string:
		if i, err := strconv.Atoi(strings.TrimSpace(n)); err == nil {
			return i, nil
		}
	}
	return nil, fmt.Errorf("%s is not a whole number", show(v))
}

func parseFlag(v any) (any, error) {
	switch b := v.(type) {
	case bool:
		return b, nil
	case string:
		if b, err := strconv.ParseBool(strings.TrimSpace(b)); err == nil {
			return b, nil
		}
	}
	return nil, fmt.Errorf("%s is neither true nor false", show(v))
}

func parseDuration(v any) (any, error) {
	switch d := v.(type) {
	case time.Duration:
		return d, nil
	case string:
		if d, err := tasks.ParseDuration(strings.TrimSpace(d)); err == nil {
			return d, nil
		}
	case int, int64, uint64:
		return nil, fmt.Errorf("%v needs a unit; write %vs for seconds, or ms, m, h, d", d, d)
	}
	return nil, fmt.Errorf("%s is not a time; write it as 250ms, 10m, 1h30m or 2d", show(v))
}

func parseSize(v any) (any, error) {
	switch n := v.(type) {
	case Size:
		return n, nil
	case string:
		return ParseSize(strings.TrimSpace(n))
	case int, int64, uint64:
		return ParseSize(fmt.Sprint(n))
	}
	return nil, fmt.Errorf("%s is not a size; write it as 256MiB, 64KiB or a number of bytes", show(v))
}

// parseList takes a list, or one string for split.
func parseList(what string, split func(string) []string) func(v any) (any, error) {
	return func(v any) (any, error) {
		switch list := v.(type) {
		case []string:
			return list, nil
		case string:
			return split(list), nil
		case []any:
			out := make([]string, len(list))
			for i, item := range list {
				s, ok := item.(string)
				if !ok {
					return nil, fmt.Errorf("number %d is not a %s; put it in quotes", i+1, what) // nor may it be shown
				}
				out[i] = s
			}
			return out, nil
		}
		return nil, fmt.Errorf("is not a list of %ss", what)
	}
}

// splitCommas splits "one, other" and leaves out empty parts.
func splitCommas(s string) []string {
	var parts []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// parsePriorities takes a mapping of names to numbers, or "name=1,other=2".
func parsePriorities(v any) (any, error) {
	out := make(map[string]int)
	switch m := v.(type) {
	case map[string]int:
		return m, nil
	case map[string]any:
		for name, value := range m {
			if err := addPriority(out, name, value); err != nil {
				return nil, err
			}
		}
		return out, nil
	case string:
		for entry := range strings.SplitSeq(m, ",") {
			name, value, ok := strings.Cut(strings.TrimSpace(entry), "=")
			if !ok {
				return nil, fmt.Errorf("%s is not a list of priorities; write it as default=3,low=1", show(v))
			}
			if err := addPriority(out, name, value); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, errors.New("must be names with priorities, such as {default: 3, low: 1}")
}

func addPriority(out map[string]int, name string, value any) error {
	n, err := parseNumber(value)
	if err != nil {
		return fmt.Errorf("the priority of %s is not a whole number", dsn.Quote(name)) // the value may be of a URL's query
	}
	out[name], _ = n.(int) // parseNumber returns no other type
	return nil
}

// show formats a value for a message. It only names the kind of a list or mapping,
// and does not show what may hold a secret.
func show(v any) string {
	switch v := v.(type) {
	case string:
		return dsn.Quote(v)
	case []any:
		return "a list"
	case map[string]any:
		return "a mapping"
	}
	return fmt.Sprint(v)
}
