package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// readFile reads the configuration file that the options name. Without one, or
// when only the fallback is missing, there is nothing in it.
func readFile(o LoadOptions, env map[string]string) (map[string]any, lines, error) {
	path, required := o.File, true
	if path == "" {
		path = env[ConfigVariable]
	}
	if path == "" {
		path, required = o.Fallback, false
	}
	if path == "" {
		return nil, lines{}, nil
	}
	source, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !required {
		return nil, lines{}, nil
	}
	if err != nil {
		return nil, lines{}, fmt.Errorf("read configuration: %w", err)
	}
	return parseFile(path, source)
}

// parseFile reads YAML, values and line numbers.
func parseFile(path string, source []byte) (map[string]any, lines, error) {
	document, err := parser.ParseBytes(source, 0)
	if err != nil {
		return nil, lines{}, syntaxError(path, err)
	}
	var raw map[string]any
	if err := yaml.Unmarshal(source, &raw); err != nil {
		return nil, lines{}, syntaxError(path, err)
	}
	ls := lines{file: path, of: make(map[string]int)}
	for _, d := range document.Docs {
		ls.note("", d.Body)
	}
	return raw, ls, nil
}

func syntaxError(path string, err error) error {
	ye, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return fmt.Errorf("%s: %w", path, err)
	}
	// The library's own text repeats the lines around the place, and with them
	// what may be a password.
	line := 1
	if t := ye.GetToken(); t != nil && t.Position != nil {
		line = max(line, t.Position.Line)
	}
	return &Error{Source: fmt.Sprintf("%s:%d", path, line), Message: "not YAML: " + ye.GetMessage()}
}

// lines knows where in a file each key stands.
type lines struct {
	file string
	of   map[string]int
}

// source says where a key was set: at its own line, or at that of the nearest
// key around it when an alias brought it in.
func (ls lines) source(key string) string {
	for {
		if line, ok := ls.of[key]; ok {
			return fmt.Sprintf("%s:%d", ls.file, line)
		}
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			return ls.file
		}
		key = key[:i]
	}
}

// note remembers the lines of a mapping's keys, and of those inside it.
func (ls lines) note(prefix string, node ast.Node) {
	m, ok := node.(ast.MapNode)
	if !ok {
		return
	}
	for entries := m.MapRange(); entries.Next(); {
		token := entries.Key().GetToken()
		key := prefix + token.Value
		ls.of[key] = token.Position.Line
		ls.note(key+".", entries.Value())
	}
}
