package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/internal/bench"
)

func (p *program) benchCommand() *cobra.Command {
	var flags benchFlags
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Run benchmarks",
		Long: `Bench measures Baler with workers and producers in separate processes. It starts a
temporary Redis and MariaDB on the loopback interface, and deletes them afterwards.
With --redis or --database, or their variables, it measures on those servers, in a
queue of its own. The database must have no transfers, unless --yes is given.
Compare only numbers of the same run. With --html or --svg it also draws charts.`,
		Example: `  baler bench pipeline --html pipeline.html
  baler bench batch
  baler bench commit
  baler bench latency --json
  baler bench makespan
  baler bench load
  baler bench pages
  baler bench run
  baler bench coprocess
  baler bench simulate`,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags.add(cmd)
	cmd.AddCommand(p.benchPipelineCommand(&flags), p.benchBatchCommand(&flags), p.benchCommitCommand(&flags))
	cmd.AddCommand(p.benchLatencyCommand(&flags), p.benchMakespanCommand(&flags), p.benchLoadCommand(&flags))
	cmd.AddCommand(p.benchRunCommand(&flags), p.benchCoprocessCommand(&flags), p.benchSimulateCommand(&flags))
	cmd.AddCommand(p.benchPagesCommand(&flags))
	cmd.AddCommand(p.benchWorkerCommand(), p.benchHashCommand())
	return cmd
}

// measure opens an environment, describes it, runs the measurement in it, and closes it.
func (p *program) measure(cmd *cobra.Command, flags *benchFlags, do func(context.Context, *bench.Env, *bench.Machine) error) (err error) {
	cfg, err := p.ownSettings(cmd)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	env := slices.Clone(p.env)
	if p.file != "" {
		path, err := filepath.Abs(p.file)
		if err != nil {
			return fmt.Errorf("find the configuration: %w", err)
		}
		env = append(env, "BALER_CONFIG="+path)
	}
	benchEnv, err := bench.Open(cmd.Context(), bench.Options{
		Config: cfg, Program: self, Env: env, Say: p.notef, Version: buildInfo().Version, Log: baler.NewLogger(p.stderr, cfg.Log),
		Yes: flags.yes, Database: flags.server,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, benchEnv.Close()) }()
	machine, err := benchEnv.Machine(cmd.Context())
	if err != nil {
		return err
	}
	if p.json {
		if err := p.object(machine); err != nil {
			return err
		}
	}
	return do(cmd.Context(), benchEnv, &machine)
}

// reporter returns a function that appends each measurement to all, and prints it as a
// line of JSON with --json.
func reporter[T any](p *program, all *[]T) func(T) error {
	return func(m T) error {
		*all = append(*all, m)
		if !p.json {
			return nil
		}
		return p.object(m)
	}
}

// numberFlag is a flag for a number from 1.
func numberFlag(cmd *cobra.Command, to *int, name string, usual int, usage string) {
	*to = usual
	cmd.Flags().Var(positive{to}, name, usage)
}
