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

// Sources are the sources of settings. The zero value gives the defaults.
type Sources struct {
	// Env is the environment, as os.Environ returns it. A variable that is set but
	// empty counts as not set.
	Env []string

	// File is the configuration file, which must exist. When empty, Load reads the
	// file in BALER_CONFIG, or else Fallback if it exists.
	File string

	// Fallback is the file to read when no other is named, usually "baler.yaml".
	Fallback string

	// Flags are the command-line flags that were set, by their settings' keys.
	Flags map[string]any
}

// Load reads the settings and validates them. A flag takes precedence over a
// variable, that over the file, and that over the default. It returns Errors with
// every error in the settings, or another error when the file cannot be read or is
// not YAML.
func Load(o Sources) (Config, error) {
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

// loader merges layers of settings, in ascending order of precedence.
type loader struct {
	settings catalog
	problems Errors
	sources  map[string]string // where each setting that is not a default was last set
	tree     *koanf.Koanf
}

func (l *loader) add(layer map[string]any) {
	if err := l.tree.Load(confmap.Provider(layer, ""), nil); err != nil {
		// Reading a map in memory never fails, nor does merging two.
		panic(fmt.Sprintf("merge settings: %v", err))
	}
}

// typed converts the values of one layer to the types of Config. It adds an error
// for each unknown key and each value of the wrong kind, and leaves them out.
func (l *loader) typed(raw map[string]any, source func(key string) string, path []string) map[string]any {
	out := make(map[string]any, len(raw))
	for name, value := range raw {
		path := append(slices.Clone(path), name)
		key := strings.Join(path, ".")
		s, isSetting := l.settings.find(path)
		if !isSetting && len(l.settings.below(path)) == 0 {
			l.unknown(path, source(key))
			continue
		}
		if value == nil { // "key:" without a value sets nothing
			continue
		}
		if isSetting {
			v, err := s.kind.parse(value)
			if err != nil {
				l.problems.addf(source(key), key, "%v", err)
				continue
			}
			out[name], l.sources[key] = v, source(key)
			continue
		}
		section, ok := value.(map[string]any)
		if !ok {
			l.problems.addf(source(key), key, "is a section; its keys are %s", strings.Join(l.settings.below(path), ", "))
			continue
		}
		out[name] = l.typed(section, source, path)
	}
	return out
}

// config decodes the merged layers into a Config with the constant defaults.
func (l *loader) config() (Config, error) {
	c := Config{}.constants()
	err := l.tree.UnmarshalWithConf("", &c, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result:      &c,
		TagName:     "koanf",
		MatchName:   sameName,
		ErrorUnused: true,
		ZeroFields:  true, // a setting replaces its default; maps are not merged
	}})
	if err != nil {
		return Config{}, fmt.Errorf("read settings: %w", err)
	}
	return c, nil
}

// sameName matches a key with a field without a koanf tag, such as max_items with
// MaxItems of tasks.BatchPolicy.
func sameName(key, field string) bool {
	return strings.EqualFold(strings.ReplaceAll(key, "_", ""), strings.ReplaceAll(field, "_", ""))
}

// validate adds the errors of Validate, each with the source of its setting.
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
