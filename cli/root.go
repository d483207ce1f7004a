package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   p.name,
		Short: "Process files in batches and record one result per file",
		Long: `Baler runs the steps of a recipe on every file it is given, in batches, and
records one result for each file and step.

Without settings everything runs inside one process: try "baler run DIR".

Where a command takes the ID of a transfer, it takes its number, its id or the
beginning of it, its name, or latest.

With --server or BALER_SERVER, commands speak to a 'baler serve' instead of to Redis
and the database.`,
		Example: `  baler run ~/collection
  baler status
  baler results latest --outcome failed`,
		Version:       buildInfo().Version,
		SilenceErrors: true, // exit reports them
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			p.began = true
			return checkFlags(cmd)
		},
	}
	root.SetVersionTemplate(p.name + " {{.Version}}\n")
	root.SetFlagErrorFunc(unknownFlag)
	p.globalFlags(root)
	for _, g := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Process files:", []*cobra.Command{
			p.runCommand(), p.submitCommand(), p.loadCommand(), p.workerCommand(), p.serveCommand(), p.watchCommand(), p.scheduleCommand(),
		}},
		{"Inspect and control transfers:", []*cobra.Command{
			p.statusCommand(), p.resultsCommand(), p.exportCommand(), p.importCommand(), p.failuresCommand(), p.diffCommand(),
			p.retryCommand(), p.pauseCommand(), p.resumeCommand(), p.cancelCommand(), p.approveCommand(), p.rejectCommand(),
			p.updateCommand(), p.deleteCommand(),
		}},
		{"Operate:", []*cobra.Command{
			p.queueCommand(), p.workersCommand(), p.limitCommand(), p.deadLettersCommand(), p.pruneCommand(), p.reuseCommand(),
			p.reconcileCommand(), p.migrateCommand(), p.notifyCommand(), p.doctorCommand(),
		}},
		{"Accounts:", []*cobra.Command{p.userCommand(), p.tokenCommand(), p.auditCommand()}},
		{"Recipes, handlers and bags:", []*cobra.Command{p.recipeCommand(), p.handlersCommand(), p.bagCommand()}},
		{otherCommands, []*cobra.Command{p.benchCommand(), p.versionCommand(), p.manCommand()}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, cmd := range g.commands {
			cmd.GroupID = g.title
			root.AddCommand(cmd)
		}
	}
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", helpWidth)))
	root.SetHelpCommandGroupID(otherCommands)
	root.SetCompletionCommandGroupID(otherCommands)
	p.rename(root)
	return root
}

// helpWidth is how many columns wide the help is at most.
const helpWidth = 100

// otherCommands is the title of the last group.
const otherCommands = "About Baler itself:"

// addGenerated adds the commands that cobra makes, with what it leaves out of them. The output of
// root must be set before.
func (p *program) addGenerated(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Short, cmd.Example = "Show the help of a command", "  baler help run\n  baler help queue pause"
			cmd.Long = "Help shows what a command does, its flags and examples, as --help does."
		case "completion":
			cmd.Short, cmd.Example = "Print a script that completes commands in a shell", "  baler completion bash > ~/.baler-completion"
			cmd.Long = "Completion prints a script for a shell that completes commands and flags, and the\n" +
				"names of transfers, steps, recipes, queues and workers."
			for _, shell := range cmd.Commands() {
				shell.Short, shell.Example = "Print the script for "+shell.Name(), "  baler completion "+shell.Name()
			}
		default:
			continue
		}
		p.rename(cmd)
	}
}

// rename replaces "baler" in examples by the name of the program.
func (p *program) rename(cmd *cobra.Command) {
	cmd.Example = p.named(strings.ReplaceAll(cmd.Example, "  baler ", "  "+p.name+" "))
	cmd.Long = p.named(cmd.Long)
	for _, sub := range cmd.Commands() {
		p.rename(sub)
	}
}

// named replaces "baler" in the quoted commands of a text by the name of the program.
func (p *program) named(text string) string {
	if p.name == "" || p.name == "baler" {
		return text
	}
	var pairs []string
	for _, before := range []string{"'", `"`, "$(", ": ", "| "} {
		pairs = append(pairs, before+"baler ", before+p.name+" ")
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func (p *program) globalFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.SortFlags = false
	setting := func(name, key, help string) {
		flags.String(name, "", help)
		bind(flags, name, key)
	}
	flags.StringVar(&p.file, "config", "", "configuration `FILE` (default: baler.yaml in the current folder, if it exists)")
	setting("redis", "redis.url", "`URL` of Redis, or embedded")
	setting("database", "database.url", "`URL` of the database: sqlite:PATH or mysql://user:password@host:3306/name")
	setting("server", "server", "`URL` of a server, to use instead of Redis and the database")
	setting("token", "token", "`TOKEN` for the server; BALER_TOKEN and --token-file do not show it to other users of this host")
	setting("token-file", "token_file", "`FILE` with the token for the server")
	setting("server-ca", "server_ca", "`FILE` with the authorities (PEM) that sign the server's certificate")
	setting("roots", "roots", "`FOLDERS` that workers may read, separated as in $PATH")
	setting("log-level", "log.level", "lowest log `LEVEL`: debug, info, warn or error")
	setting("log-format", "log.format", "log `FORMAT`: text or json")
	flags.CountVarP(&p.verbose, "verbose", "v", "log more; -vv logs everything")
	p.color = colorAuto
	flags.Var(oneOf{&p.color, []string{colorAuto, colorAlways, colorNever}}, "color", "color output: `WHEN` is auto, always or never")
	complete(root, "color", colorAuto, colorAlways, colorNever)
	complete(root, "log-level", "debug", "info", "warn", "error")
	complete(root, "log-format", "text", "json")
	flags.BoolVar(&p.json, "json", false, "print JSON, one object per line")
}

// unknownCommand rejects the arguments of a command that has only subcommands.
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
