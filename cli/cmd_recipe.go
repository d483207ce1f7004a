package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/recipe"
)

func (p *program) recipeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "recipe",
		Short: "List, show, validate and explain recipes",
		Example: `  baler recipe list
  baler recipe show default
  baler recipe validate mine.yaml
  baler recipe explain mine.yaml photos/a.jpg`,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.recipeListCommand(), p.recipeShowCommand(), p.recipeValidateCommand(), p.recipeExplainCommand())
	return cmd
}

// recipeObject is a recipe in JSON.
type recipeObject struct {
	Type        string       `json:"type"` // always "recipe"
	Recipe      string       `json:"recipe"`
	Description string       `json:"description"`
	Digest      string       `json:"digest"` // equal for recipes that process files in the same way
	Steps       []stepObject `json:"steps"`
	Finalizers  []stepObject `json:"finalizers,omitempty"`
	YAML        string       `json:"yaml,omitempty"` // of show
}

type stepObject struct {
	Step    string `json:"step"`
	Handler string `json:"handler"`
	When    string `json:"when,omitempty"`
}

func describe(r *recipe.Recipe) recipeObject {
	o := recipeObject{Type: "recipe", Recipe: r.Name, Description: r.Description, Digest: r.Digest()}
	for _, s := range r.Steps {
		o.Steps = append(o.Steps, stepObject{s.Name, s.Handler, s.When})
	}
	for _, s := range r.FinalSteps {
		o.Finalizers = append(o.Finalizers, stepObject{Step: s.Name, Handler: s.Handler})
	}
	return o
}

// finalizerNames lists the final steps of a recipe.
func finalizerNames(r *recipe.Recipe) string {
	if len(r.FinalSteps) == 0 {
		return ""
	}
	names := make([]string, len(r.FinalSteps))
	for i, s := range r.FinalSteps {
		names[i] = s.Name
	}
	return fmt.Sprintf(": %s, then once %s", plural(int64(len(r.Steps)), "step"), strings.Join(names, ", "))
}

// stepsListed is how many steps of a recipe the list names for people.
const stepsListed = 3

func (p *program) recipeListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the built-in recipes",
		Example: "  baler recipe list",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			list := newTable(words("RECIPE"), words("STEPS"), column{title: "DESCRIPTION", shrink: wrap})
			for _, name := range recipe.Builtins() {
				r, err := recipe.Load(name)
				if err != nil {
					return err
				}
				o := describe(r)
				if p.json {
					if err := p.object(o); err != nil {
						return err
					}
					continue
				}
				var steps []string
				for _, s := range o.Steps {
					steps = append(steps, s.Step)
				}
				if more := len(steps) - stepsListed; more > 0 {
					steps = append(steps[:stepsListed:stepsListed], fmt.Sprintf("… %d more", more))
				}
				list.row(o.Recipe, strings.Join(steps, ", "), o.Description)
			}
			if !p.json {
				list.within(tableWidth(p.stdout)).write(p.stdout)
			}
			return nil
		},
	}
}

func (p *program) recipeShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show RECIPE",
		Short: "Print a recipe",
		Example: `  baler recipe show default
  baler recipe show checksum > mine.yaml`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.FixedCompletions(recipe.Builtins(), cobra.ShellCompDirectiveDefault),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := recipe.Load(args[0])
			if err != nil {
				return err
			}
			if p.json {
				o := describe(r)
				o.YAML = r.YAML()
				return p.object(o)
			}
			p.printf("%s", strings.TrimSuffix(r.YAML(), "\n"))
			return nil
		},
	}
}

// validation is the JSON object that recipe validate reports.
type validation struct {
	Type     string   `json:"type"` // always "validation"
	Recipe   string   `json:"recipe"`
	Valid    bool     `json:"valid"`
	Problems []string `json:"problems"` // never null
	Warnings []string `json:"warnings,omitempty"`
}

func (p *program) recipeValidateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate RECIPE",
		Short: "Validate a recipe",
		Long: `Validate checks a recipe's syntax and conditions, that this program or a running
worker has the handlers of its steps and final steps, that the handlers accept
their arguments, and that earlier steps record the facts which it reads. It
reports every error, and exits with 1 if there is one. It needs the database only
to ask which handlers workers have that this program has not. It also names programs
and services that the recipe needs and that this host does not have.`,
		Example: `  baler recipe validate mine.yaml`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, baler.OpenRecipes, func(ctx context.Context, b *baler.Baler, cfg config.Config) error {
				r, err := b.Recipe(ctx, args[0])
				if r != nil && err != nil {
					err = p.checkWithWorkers(ctx, cfg, r, err)
				}
				if !p.json {
					if err == nil {
						p.printf("%s is valid%s.", r.Name, finalizerNames(r))
						p.warnOfMissingNeeds(ctx, b, r)
					}
					return err
				}
				v := validation{Type: "validation", Recipe: args[0], Valid: err == nil, Problems: []string{}}
				if err == nil {
					v.Warnings = missingProblems(ctx, b, r)
					return p.object(v)
				}
				v.Problems = strings.Split(err.Error(), "\n")
				return errors.Join(p.object(v), codeError(exitError))
			})
		},
	}
}

// checkWithWorkers checks again a recipe with handlers that this program does not have: a live
// worker may have them. When the database cannot say so, the problems remain.
func (p *program) checkWithWorkers(ctx context.Context, cfg config.Config, r *recipe.Recipe, problems error) (err error) {
	b, err := baler.OpenStore(ctx, cfg, p.options(cfg))
	switch {
	case err != nil && !onlyUnknownHandlers(problems):
		return problems
	case err != nil:
		p.notef("note: it is not known whether a running worker has the handler: %v", err)
		return problems
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return b.CheckRecipe(ctx, r)
}
