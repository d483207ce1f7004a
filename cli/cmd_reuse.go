package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

func noReuseFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "no-reuse", false, "run the handlers for every file, also where the recipe says reuse")
}

func (p *program) reuseCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reuse",
		Short: "Show or forget the results that steps with reuse take over",
		Long: `Reuse shows how many results steps with 'reuse' in their recipe can take over, by
handler. 'reuse forget' makes them run again; the results themselves stay. One transfer
runs everything with --no-reuse.`,
		Example: `  baler reuse
  baler reuse forget --older-than 90d`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				return p.reusable(ctx, b)
			})
		},
	}
	cmd.AddCommand(p.reuseForgetCommand())
	return cmd
}

func (p *program) reuseForgetCommand() *cobra.Command {
	var handler string
	var olderThan time.Duration
	var all bool
	cmd := &cobra.Command{
		Use:   "forget --all | --handler NAME | --older-than AGE",
		Short: "Make handlers run again instead of reusing their results",
		Long: `Forget makes handlers run again for files whose results would be taken over: those of
one handler, those of handlers that ran longer ago than AGE, or all.`,
		Example: `  baler reuse forget --handler identify
  baler reuse forget --older-than 90d
  baler reuse forget --all`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			some := handler != "" || cmd.Flags().Changed("older-than")
			if some == all {
				return usagef("say which results: --all, or --handler NAME and --older-than AGE or one of them")
			}
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				n, err := b.ForgetReusable(ctx, handler, olderThan)
				if err != nil {
					return fmt.Errorf("forget results of %s: %w", quoted(handler), err)
				}
				if p.json {
					return p.object(reuseForgotten{"forgotten", n})
				}
				p.printf("Forgot %s. Files run again that would have reused them.", plural(n, "result"))
				return nil
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&all, "all", false, "forget all results")
	flags.StringVar(&handler, "handler", "", "forget only results of the handler of this `NAME`")
	flags.Var(ageFlag{durationFlag{&olderThan}}, "older-than",
		"forget only results of handlers that ran longer than `AGE` ago, such as 90d or 36h")
	return cmd
}

type reuseForgotten struct {
	Type    string `json:"type"`
	Results int64  `json:"results"`
}

type reuseLine struct {
	Handler string    `json:"handler"`
	Results int64     `json:"results"`
	Oldest  time.Time `json:"oldest"`
	Newest  time.Time `json:"newest"`
}

func (p *program) reusable(ctx context.Context, b *baler.Baler) error {
	counts, err := b.Reusable(ctx)
	if err != nil {
		return err
	}
	if p.json {
		for _, c := range counts {
			if err := p.object(reuseLine{c.Handler, c.Results, c.Oldest, c.Newest}); err != nil {
				return err
			}
		}
		return nil
	}
	if len(counts) == 0 {
		p.printf("No result can be reused: recipes ask for it by step, with 'reuse: unchanged' or 'reuse: digest'.")
		return nil
	}
	list := newTable(words("HANDLER"), numbers("RESULTS"), words("OLDEST"), words("NEWEST"))
	for _, c := range counts {
		list.row(c.Handler, count(c.Results), local(c.Oldest), local(c.Newest))
	}
	list.within(tableWidth(p.stdout)).write(p.stdout)
	return nil
}
