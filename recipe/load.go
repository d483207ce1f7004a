package recipe

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/suggest"
)

// UnknownError is the error for a name that no built-in recipe has.
type UnknownError struct {
	Name  string
	Known []string
	Near  string // the most similar known name; empty when none is similar
}

func (e *UnknownError) Error() string {
	if e.Near != "" {
		return fmt.Sprintf("no recipe is called %q; did you mean %q?", e.Name, e.Near)
	}
	return fmt.Sprintf("no recipe is called %q; the built-in ones are %s, or give the path of a .yaml file",
		e.Name, strings.Join(e.Known, ", "))
}

// Load returns a built-in recipe by its name, or reads one from a path. A path ends
// in .yaml or .yml, or contains a slash. Load returns an *UnknownError for an unknown
// name, and Errors for a bad recipe.
func Load(nameOrPath string) (*Recipe, error) {
	if IsPath(nameOrPath) {
		return read(nameOrPath)
	}
	if r, ok := Builtin(nameOrPath); ok {
		return r, nil
	}
	known := Builtins()
	near := suggest.Of(strings.ToLower(nameOrPath), func(s string) bool { return slices.Contains(known, s) })
	return nil, &UnknownError{Name: nameOrPath, Known: known, Near: near}
}

// IsPath reports whether Load takes a text for a path, and not for a name.
func IsPath(s string) bool {
	return strings.HasSuffix(s, ".yaml") || strings.HasSuffix(s, ".yml") ||
		strings.ContainsRune(s, '/') || strings.ContainsRune(s, os.PathSeparator)
}

func read(path string) (_ *Recipe, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read recipe: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	// One byte above the limit shows that the recipe is too long.
	source, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err != nil {
		return nil, fmt.Errorf("read recipe: %w", err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("read recipe: %w", err)
	}
	dir := filepath.Dir(absolute)
	r, err := parse(path, strings.TrimPrefix(string(source), "\ufeff"), ruleSets{dir: filepath.Dir(path), files: true})
	if err != nil {
		return nil, err
	}
	r.dir = dir
	return r, nil
}
