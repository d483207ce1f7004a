package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// LoadOptions says where settings come from. The zero value gives the defaults.
type LoadOptions struct {
	// Env is the environment, as os.Environ gives it. A variable that is set
	// but empty counts as not set.
	Env []string

	// File is the configuration file; it must exist. When empty, BALER_CONFIG
	// names it, and else Fallback is read if it exists.
	File string

	// Fallback is the file to read when none is named, usually "baler.yaml".
	Fallback string

	// Flags are the command-line flags that were given, by the settings' keys.
	Flags map[string]any
}

// Load gathers the settings, a flag before a variable before the file before a
// default, and checks them. What is wrong comes as Errors, all at once; a
// file that cannot be read or is no YAML comes as another error.
func Load(o LoadOptions) (Config, error) {
	env := environment(o.Env)
	l := loader{settings: Settings(), sources: make(map[string]string), tree: koanf.New(".")}
	raw, lines, err := readFile(o, env)
	if err != nil {
		return Config{}, err
	}
	l.add(l.typed(raw, lines.source, nil))
	l.add(l.variables(env))
	l.add(l.flags(o.Flags))
	c, err := l.config()
	if err != nil {
		return Config{}, err
	}
	c = c.derived(env)
	l.validate(c)
	return c, l.problems.err()
}

// loader puts layers of settings on top of each other, the weakest first.
type loader struct {
	settings catalog
	problems Errors
	sources  map[string]string // where each setting that somebody set was set last
	tree     *koanf.Koanf
}

func (l *loader) add(layer map[string]any) {
	if err := l.tree.Load(confmap.Provider(layer, ""), nil); err != nil {
		// A map in memory is always read, and plain koanf merges any two.
		panic(fmt.Sprintf("merge settings: %v", err))
	}
}

// typed replaces the values of one layer by those of the Config's types, and
// leaves out, with a complaint, what is unknown or of the wrong kind.
func (l *loader) typed(raw map[string]any, source func(key string) string, path []string) map[string]any {
	out := make(map[string]any, len(raw))
	for name, value := range raw {
		if value == nil { // "key:" with nothing behind it sets nothing
			continue
		}
		path := append(slices.Clone(path), name)
		key := strings.Join(path, ".")
		if s, ok := l.settings.find(path); ok {
			v, err := s.kind.parse(value)
			if err != nil {
				l.problems.addf(source(key), key, "%v", err)
				continue
			}
			out[name], l.sources[key] = v, source(key)
			continue
		}
		if len(l.settings.below(path)) == 0 {
			l.unknown(path, source(key))
			continue
		}
		section, ok := value.(map[string]any)
		if !ok {
			l.problems.addf(source(key), key, "is a section; give it the keys %s", strings.Join(l.settings.below(path), ", "))
			continue
		}
		out[name] = l.typed(section, source, path)
	}
	return out
}

// config turns the merged layers into a Config, over the constant defaults.
func (l *loader) config() (Config, error) {
	c := Config{}.constants()
	err := l.tree.UnmarshalWithConf("", &c, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result:      &c,
		TagName:     "koanf",
		MatchName:   sameName,
		ErrorUnused: true,
		ZeroFields:  true, // a setting replaces its default, it does not join it
	}})
	if err != nil {
		return Config{}, fmt.Errorf("read settings: %w", err)
	}
	return c, nil
}

// sameName matches a key with a field that has no koanf tag, as those of
// tasks.BatchPolicy and tasks.RetryPolicy: max_items with MaxItems.
func sameName(key, field string) bool {
	return strings.EqualFold(strings.ReplaceAll(key, "_", ""), strings.ReplaceAll(field, "_", ""))
}

// validate adds what Validate finds, with where each setting came from. The
// default of one setting may follow from another; then that one is named.
func (l *loader) validate(c Config) {
	if all, ok := errors.AsType[Errors](c.Validate()); ok {
		for _, p := range all {
			p.Source = l.sources[p.Key]
		}
		l.problems = append(l.problems, all...)
	}
	slices.SortStableFunc(l.problems, func(a, b *Error) int {
		return strings.Compare(a.Key, b.Key)
	})
}
