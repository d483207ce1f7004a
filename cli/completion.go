package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

const (
	completionTime  = 2 * time.Second // a person waits for the shell
	completionItems = 200             // of the newest transfers
)

// completer completes an argument or the value of a flag from what there is. It is silent when
// nothing answers: an error would be written into the command line that a person types.
type completer = cobra.CompletionFunc

// completing makes a completer of a function that lists words, each perhaps with a tab and what
// it means. args are the arguments before.
func (p *program) completing(open opener, list func(ctx context.Context, b system, args []string) []string) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(orBackground(cmd.Context())), completionTime)
		defer cancel()
		var words []string
		_ = p.lookUp(ctx, cmd, open, func(b system) { words = list(ctx, b, args) }) // see completer
		return startingWith(words, typed), cobra.ShellCompDirectiveNoFileComp
	}
}

func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// lookUp opens what there is. It neither makes nor changes a database.
func (p *program) lookUp(ctx context.Context, cmd *cobra.Command, open opener, do func(system)) (err error) {
	cfg, err := p.settings(cmd)
	if err != nil {
		return err
	}
	if cfg.Server != "" {
		r, err := p.silent().openRemote(cfg)
		if err != nil {
			return err
		}
		defer r.close()
		do(r)
		return nil
	}
	if database, err := config.ParseDatabase(cfg.Database.URL); err != nil || database.Path != "" && !isThere(database.Path) {
		return errors.Join(err, fs.ErrNotExist)
	}
	cfg.Database.AutoMigrate = new(bool)
	b, err := open(ctx, cfg, baler.Options{Registry: p.registry, Log: slog.New(slog.DiscardHandler), Version: buildInfo().Version})
	if err != nil {
		return err
	}
	do(direct{b})
	return b.Close()
}

// silent is the program without notes.
func (p *program) silent() *program {
	quiet := *p
	quiet.stderr = newConsole(io.Discard)
	return &quiet
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// startingWith returns the words that begin with what is typed.
func startingWith(words []string, typed string) (fit []string) {
	for _, w := range words {
		if strings.HasPrefix(w, typed) {
			fit = append(fit, w)
		}
	}
	return fit
}

// completeTransfers completes the numbers, names and ids of transfers for the first n arguments.
func (p *program) completeTransfers(n int) completer {
	list := p.completing(baler.OpenStore, func(ctx context.Context, b system, _ []string) []string { return refs(newest(ctx, b)) })
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return list(cmd, args, typed)
	}
}

// newest lists the newest transfers, without what they wait for, which takes longer.
func newest(ctx context.Context, b system) []tasks.Transfer {
	list := b.Newest
	if d, ok := b.(direct); ok {
		list = func(ctx context.Context, limit int) ([]tasks.Transfer, error) { return d.Transfers(ctx, 0, limit) }
	}
	found, err := list(ctx, completionItems)
	if err != nil {
		return nil
	}
	return found
}

// refs are the words by which people call transfers: the newest by "latest", each by its number,
// its name when it is one word that no other has, and its id.
func refs(transfers []tasks.Transfer) (words []string) {
	if len(transfers) > 0 {
		words = append(words, baler.LatestTransfer+"\t"+meaning(&transfers[0]))
	}
	named := make(map[string]int)
	for i := range transfers {
		named[transfers[i].Name]++
	}
	for i := range transfers {
		t := &transfers[i]
		words = append(words, number(t)+"\t"+meaning(t))
		if name := t.Name; named[name] == 1 && isPrintable(name) && name != "" && !strings.ContainsAny(name, " /") {
			words = append(words, name+"\t"+meaning(t))
		}
	}
	for i := range transfers {
		words = append(words, transfers[i].UUID+"\t"+meaning(&transfers[i]))
	}
	return words
}

// meaning tells transfers apart for a person.
func meaning(t *tasks.Transfer) string { return printable(t.Name) + ", " + stateOf(t) }

// completeSteps completes a step of the transfer that is the first argument.
func (p *program) completeSteps() completer {
	return p.completing(baler.OpenStore, func(ctx context.Context, b system, args []string) (names []string) {
		if len(args) == 0 {
			return nil
		}
		t, err := b.FindTransfer(ctx, args[0])
		if err != nil {
			return nil
		}
		for i := range t.Steps {
			names = append(names, printable(t.Steps[i].Name)+"\t"+printable(t.Steps[i].Handler))
		}
		return names
	})
}

// completeCodes completes the codes of the newest failures of the first argument.
func (p *program) completeCodes() completer {
	return p.completing(baler.OpenStore, func(ctx context.Context, b system, args []string) (codes []string) {
		if len(args) == 0 {
			return nil
		}
		t, err := b.FindTransfer(ctx, args[0])
		if err != nil {
			return nil
		}
		now, err := b.LiveWork(ctx, t)
		if err != nil {
			return nil
		}
		seen := make(map[string]bool)
		for i := range now.Failures {
			if code := now.Failures[i].Code; code != "" && !seen[code] {
				seen[code] = true
				codes = append(codes, printable(code))
			}
		}
		return codes
	})
}

// completeWorkers completes the name of a live worker.
func (p *program) completeWorkers() completer {
	return p.completing(baler.OpenStore, func(ctx context.Context, b system, args []string) (names []string) {
		workers, err := b.Workers(ctx)
		if err != nil || len(args) > 0 {
			return nil
		}
		for i := range workers {
			names = append(names, printable(workers[i].Name)+"\t"+nameOfState(workers[i].DesiredState))
		}
		return names
	})
}

// completeQueues completes a queue that a worker serves. The queue itself need not answer.
func (p *program) completeQueues() completer {
	return p.completing(baler.OpenStore, func(ctx context.Context, b system, args []string) []string {
		workers, err := b.Workers(ctx)
		if err != nil || len(args) > 0 {
			return nil
		}
		return servedQueues(workers)
	})
}

// completeRecipes completes a recipe by its name; the shell adds files.
func (p *program) completeRecipes() completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		var names []string
		if len(args) == 0 || cmd.Name() != "show" {
			_ = p.silent().withRecipes(cmd, func(ctx context.Context, from recipes) (err error) { // see completer
				ctx, cancel := context.WithTimeout(orBackground(ctx), completionTime)
				defer cancel()
				names, err = from.RecipeNames(ctx)
				return err
			})
		}
		return startingWith(names, typed), cobra.ShellCompDirectiveDefault
	}
}

// completeList completes the last of several words that are separated by commas.
func completeList(words ...string) completer {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		var all []string
		for _, w := range words {
			if !strings.Contains(","+before, ","+w+",") {
				all = append(all, before+w)
			}
		}
		return startingWith(all, typed), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// completeBy sets how the value of a flag is completed.
func completeBy(cmd *cobra.Command, flag string, by completer) {
	if err := cmd.RegisterFlagCompletionFunc(flag, by); err != nil { // the flag was added a line above
		panic(err)
	}
}
