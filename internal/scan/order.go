package scan

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// ResolveSources returns the paths where Scan starts walking for these sources, in
// order: absolute, with symlinks resolved, and without those that another walk reaches.
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

// SourceOrder reports whether Scan emits path a before path b. sources are the result of
// ResolveSources. Paths are ordered by source, then name by name, with a directory before
// its content. This differs from the order of the paths' bytes: a/b comes before a-b. A
// path in no source comes last. Objects are ordered by the bytes of their keys.
//
// It does not read the disk. Its time grows with the number of sources.
func SourceOrder(sources []string, a, b string) bool {
	if c := cmp.Compare(sourceOf(sources, a), sourceOf(sources, b)); c != 0 {
		return c < 0
	}
	if tasks.IsObject(a) && tasks.IsObject(b) {
		return a < b
	}
	return byNames(a, b) < 0
}

// sourceOf is the index of the source whose walk reaches path. If path lies in two
// sources, that is the inner one: if the walk of the outer one reached it,
// ResolveSources would have dropped the inner one.
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
		// The name that ends first is less.
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
