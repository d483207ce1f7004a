package fixity

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sourcePair is a source of one transfer and the one of the other that it is compared with.
// A nil side has none. The source "" stands for all files, by their whole paths.
type sourcePair struct{ a, b *string }

// pairSources pairs the sources that both transfers have, and the others in their order.
func pairSources(a, b []string) (pairs []sourcePair) {
	if len(a) == 0 || len(b) == 0 { // lists, whose paths may be anywhere
		all := ""
		return []sourcePair{{&all, &all}}
	}
	a, b = outermost(a), outermost(b)
	var left, right []string
	for _, s := range a {
		if slices.Contains(b, s) {
			pairs = append(pairs, sourcePair{&s, &s})
		} else {
			left = append(left, s)
		}
	}
	for _, s := range b {
		if !slices.Contains(a, s) {
			right = append(right, s)
		}
	}
	for i := range max(len(left), len(right)) {
		var p sourcePair
		if i < len(left) {
			p.a = &left[i]
		}
		if i < len(right) {
			p.b = &right[i]
		}
		pairs = append(pairs, p)
	}
	return pairs
}

// outermost leaves out sources that are below others.
func outermost(sources []string) (outer []string) {
	for i, s := range sources {
		inner := slices.ContainsFunc(sources, func(o string) bool { return o != s && isBelow(s, o) })
		if !inner && !slices.Contains(sources[:i], s) {
			outer = append(outer, s)
		}
	}
	return outer
}

func isBelow(path, source string) bool { return strings.HasPrefix(path, below(source)) }

// below is what the paths of files below a source begin with.
func below(source string) string {
	return strings.TrimSuffix(source, string(os.PathSeparator)) + string(os.PathSeparator)
}

// relative is a path as seen from its source; empty for the source itself.
func relative(path, source string) string {
	if source == "" {
		return path
	}
	return strings.TrimPrefix(strings.TrimPrefix(path, source), string(os.PathSeparator))
}

// shown is the path of a file as people see it: relative to its source, and with the name
// of the source where there are several.
func shown(path string, sources []string) string {
	for _, s := range sources {
		switch {
		case path == s:
			return filepath.Base(path)
		case isBelow(path, s) && len(sources) == 1:
			return relative(path, s)
		case isBelow(path, s):
			return filepath.Join(filepath.Base(s), relative(path, s))
		}
	}
	return path
}
