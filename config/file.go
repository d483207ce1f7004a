package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// readFile reads the configuration file that the options name. It returns nothing
// when they name none, or when the fallback does not exist.
func readFile(o Sources, env map[string]string) (map[string]any, lines, error) {
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

// parseFile parses YAML into values and the lines of their keys.
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

// quoted is a part of the file in the library's message, which may be a password too.
var quoted = regexp.MustCompile(`".*"`)

func syntaxError(path string, err error) error {
	ye, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return fmt.Errorf("%s: %w", path, err)
	}
	// The library's own text contains the lines around the error, and perhaps a
	// password.
	line := 1
	if t := ye.GetToken(); t != nil && t.Position != nil {
		line = max(line, t.Position.Line)
	}
	return &Error{Source: fmt.Sprintf("%s:%d", path, line), Message: "not YAML: " + quoted.ReplaceAllString(ye.GetMessage(), "…")}
}

// lines holds the line of each key in a file.
type lines struct {
	file string
	of   map[string]int
}

// source returns where a key was set: its own line, or that of the nearest parent
// key when an alias set it.
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

// note records the lines of a mapping's keys, and of the keys below them.
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
