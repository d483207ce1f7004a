package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/suggest"
)

// environment makes a map of what os.Environ returns, without empty variables.
func environment(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); value != "" {
			env[name] = value
		}
	}
	return env
}

// variables returns the layer of the environment.
func (l *loader) variables(env map[string]string) map[string]any {
	byVariable := make(map[string]Setting)
	for _, s := range l.settings {
		if s.Variable != "" {
			byVariable[s.Variable] = s
		}
	}
	layer := make(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if !strings.HasPrefix(name, "BALER_") || strings.HasPrefix(name, testVariables) || name == ConfigVariable {
			continue
		}
		s, ok := byVariable[name]
		if !ok {
			l.unknownVariable(name, byVariable)
			continue
		}
		l.set(layer, s, env[name], name)
	}
	return layer
}

// flags returns the layer of the command line.
func (l *loader) flags(flags map[string]any) map[string]any {
	layer := make(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		path := strings.Split(key, ".")
		if s, ok := l.settings.find(path); ok {
			s.Key = key // a handler's name in place of the star
			l.set(layer, s, flags[key], "flag")
			continue
		}
		l.unknown(path, "flag")
	}
	return layer
}

// set parses one value and sets it in a layer.
func (l *loader) set(layer map[string]any, s Setting, value any, source string) {
	v, err := s.kind.parse(value)
	if err != nil {
		l.problems.addf(source, s.Key, "%v", err)
		return
	}
	l.sources[s.Key] = source
	path := strings.Split(s.Key, ".")
	for _, part := range path[:len(path)-1] {
		section, ok := layer[part].(map[string]any)
		if !ok {
			section = make(map[string]any)
			layer[part] = section
		}
		layer = section
	}
	layer[path[len(path)-1]] = v
}

func (l *loader) unknown(path []string, source string) {
	parent, name := path[:len(path)-1], path[len(path)-1]
	if key, _, ok := strings.Cut(name, ":"); ok { // what follows may be a secret
		l.problems.addf(source, strings.Join(append(slices.Clone(parent), key), "."), "lacks a space after its colon")
		return
	}
	known := l.settings.below(parent)
	what := "there is no such setting"
	if near := suggest.Of(strings.ToLower(name), func(s string) bool { return slices.Contains(known, s) }); near != "" {
		what = fmt.Sprintf("%s; did you mean %q?", what, strings.Join(append(slices.Clone(parent), near), "."))
	} else {
		what = fmt.Sprintf("%s; known are %s", what, strings.Join(known, ", "))
	}
	l.problems.addf(source, strings.Join(path, "."), "%s", what)
}

func (l *loader) unknownVariable(name string, known map[string]Setting) {
	near := suggest.Of(strings.ToLower(name), func(s string) bool {
		_, ok := known[strings.ToUpper(s)]
		return ok
	})
	if near != "" {
		l.problems.addf(name, "", "there is no such variable; did you mean %s?", strings.ToUpper(near))
		return
	}
	l.problems.addf(name, "", "there is no such variable; unset it; docs/configuration.md lists them all")
}
