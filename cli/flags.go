package cli

import (
	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// Flags that several commands have, each with what a shell can complete.

func (p *program) recipeFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVarP(to, "recipe", "r", baler.DefaultRecipe, "`RECIPE`: the name of a built-in recipe, or the path of a .yaml file")
	completeBy(cmd, "recipe", p.completeRecipes())
}

func viaFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "via", "auto", "`MODE` of dispatch: auto, group or bulk")
	complete(cmd, "via", "auto", "group", "bulk")
}

// parseVia reads --via; auto is empty.
func parseVia(text string) (tasks.Via, error) {
	via, err := tasks.ParseVia(text, "")
	if err != nil {
		err = usagef("%w%s", err, didYouMean(text, "auto", string(tasks.ViaGroup), string(tasks.ViaBulk)))
	}
	return via, err
}

func concurrencyFlag(cmd *cobra.Command) {
	cmd.Flags().Int("concurrency", 0, "process at most `N` batches at once (default: 2 per processor, at least 4)")
	bind(cmd.Flags(), "concurrency", "worker.concurrency")
}

func complete(cmd *cobra.Command, flag string, words ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveDefault))
	if err != nil { // the flag was added a line above
		panic(err)
	}
}
