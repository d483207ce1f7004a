package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "baler",
		Short: "Turn piles of files into recorded results",
		Long: `Baler runs the steps of a recipe over every file that it is given, in batches,
and records one result a file and step. Nothing that it has counted is lost.

Without settings everything happens inside one process: try "baler run DIR".`,
		Example: `  baler run ~/collection
  baler status
  baler results ID --outcome failed`,
		Version:       buildInfo().Version,
		SilenceErrors: true, // exit reports them
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRun: func(*cobra.Command, []string) {
			p.began = true
		},
	}
	root.SetVersionTemplate("baler {{.Version}}\n")
	p.globalFlags(root)
	root.AddCommand(
		p.runCommand(), p.submitCommand(), p.loadCommand(), p.workerCommand(), p.serveCommand(), p.statusCommand(), p.resultsCommand(),
		p.retryCommand(), p.cancelCommand(), p.pauseCommand(), p.resumeCommand(), p.queueCommand(), p.workersCommand(), p.limitCommand(),
		p.reconcileCommand(), p.recipeCommand(), p.migrateCommand(), p.doctorCommand(), p.benchCommand(), p.versionCommand(),
	)
	return root
}

func (p *program) globalFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVar(&p.file, "config", "", "configuration `FILE` (baler.yaml here, if there is one)")
	flags.String("redis", "", "`URL` of the queue, or embedded")
	bind(flags, "redis", "redis.url")
	flags.String("database", "", "`URL` of the database: sqlite:PATH or mysql://user:password@host:3306/name")
	bind(flags, "database", "database.url")
	flags.String("roots", "", "`FOLDERS` that workers may read, separated as in PATH")
	bind(flags, "roots", "roots")
	flags.String("log-level", "", "`LEVEL` to log from: debug, info, warn or error")
	bind(flags, "log-level", "log.level")
	flags.String("log-format", "", "`FORMAT` of the log: text or json")
	bind(flags, "log-format", "log.format")
	flags.CountVarP(&p.verbose, "verbose", "v", "log more; twice for everything")
	flags.BoolVar(&p.json, "json", false, "report in JSON, one object a line")
}

// unknownCommand is what an argument of a command that takes none but the names
// of others is.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("unknown command %q; did you mean %q?", args[0], near[0])
	}
	return fmt.Errorf("unknown command %q", args[0])
}
