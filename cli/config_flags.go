package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/balerhq/baler/config"
)

// settingKey annotates a flag with the setting that it sets.
const settingKey = "baler_setting"

// service annotates a command that runs until it is stopped. Such a command logs more.
const service = "baler_service"

// bind makes a flag set a setting of the configuration.
func bind(flags *pflag.FlagSet, flag, key string) {
	f := flags.Lookup(flag)
	f.Annotations = map[string][]string{settingKey: {key}}
}

// settings reads the configuration in this order of precedence: flag, environment,
// file, default.
func (p *program) settings(cmd *cobra.Command) (config.Config, error) {
	flags := make(map[string]any)
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if key := f.Annotations[settingKey]; key != nil {
			flags[key[0]] = f.Value.String()
		}
	})
	usual := "warn"
	if cmd.Annotations[service] != "" {
		usual = "info"
	}
	if _, ok := flags["log.level"]; !ok && p.verbose > 0 {
		flags["log.level"] = louder(usual, p.verbose)
	}
	p.jsonLog = p.asksJSONLog(cmd)
	cfg, err := config.Load(config.Sources{Env: p.env, File: p.file, Fallback: "baler.yaml", Flags: flags})
	if err == nil {
		err = chooseServer(&cfg, flags)
	}
	if err != nil {
		return cfg, err
	}
	p.jsonLog = cfg.Log.Format == "json"
	// Other commands print the important messages themselves, for a person who waits.
	if _, ok := flags["log.level"]; !ok && cfg.Log.Level == "info" && p.variable("BALER_LOG_LEVEL") == "" {
		cfg.Log.Level = usual
	}
	if _, ok := flags["log.format"]; !ok && p.json && p.variable("BALER_LOG_FORMAT") == "" {
		cfg.Log.Format = "json" // like everything else on standard error
	}
	return cfg, nil
}

// louder lowers a level by the number of -v flags.
func louder(level string, times int) string {
	levels := []string{"warn", "info", "debug"}
	return levels[min(slices.Index(levels, level)+times, len(levels)-1)]
}

// variable reads a variable of the program's environment.
func (p *program) variable(name string) string {
	var value string
	for _, entry := range p.env {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value = v // of duplicates the last counts, as in a shell
		}
	}
	return value
}
