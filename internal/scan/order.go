package scan

import (
	"cmp"
	"fmt"
	"os"
	"strings"
)

// ResolveSources looks at sources as Scan does and returns where its walks start,
// in their order: absolute, links resolved, without what another walk comes by.
func ResolveSources(sources []string) ([]string, error) {
	starts, err := starts(sources)
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(starts))
	for i, s := range starts {
		paths[i] = s.path
	}
	return paths, nil
}

// SourceOrder reports whether Scan emits path a before path b, where sources are
// what ResolveSources returns: source by source, and within one by the names on
// the way, a directory before what is in it. That differs from the order of
// the paths' bytes: a/b comes before a-b. A path in no source comes last.
//
// It looks at nothing on disk, and takes time with the number of sources.
func SourceOrder(sources []string, a, b string) bool {
	if c := cmp.Compare(sourceOf(sources, a), sourceOf(sources, b)); c != 0 {
		return c < 0
	}
	return byNames(a, b) < 0
}

// sourceOf is the index of the source whose walk comes by path. Of two sources
// around it that is the inner one: the outer's walk does not get there, or the
// inner would be no source.
func sourceOf(sources []string, path string) int {
	of, longest := len(sources), -1
	for i, s := range sources {
		if len(s) > longest && within(path, s) {
			of, longest = i, len(s)
		}
	}
	return of
}

func within(path, source string) bool {
	rest, ok := strings.CutPrefix(path, source)
	return ok && (rest == "" || os.IsPathSeparator(rest[0]) || os.IsPathSeparator(source[len(source)-1]))
}

// byNames compares two clean paths name by name.
func byNames(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		// The name that ends first is the lesser one.
		if endA, endB := os.IsPathSeparator(a[i]), os.IsPathSeparator(b[i]); endA != endB {
			if endA {
				return -1
			}
			return 1
		}
		return cmp.Compare(a[i], b[i])
	}
	return cmp.Compare(len(a), len(b))
}

// starts resolves sources and drops those that the walk of another one reaches.
func starts(sources []string) ([]source, error) {
	resolved := make([]source, 0, len(sources))
	for _, path := range sources {
		s, err := resolve(path)
		if err != nil {
			return nil, fmt.Errorf("scan %q: %w", path, err)
		}
		resolved = append(resolved, s)
	}
	return withoutNested(resolved), nil
}
