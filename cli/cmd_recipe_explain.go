package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// defaultExplained is how many files of a folder are explained.
const defaultExplained = 5

func (p *program) recipeExplainCommand() *cobra.Command {
	most := defaultExplained
	cmd := &cobra.Command{
		Use:   "explain RECIPE PATH...",
		Short: "Show which steps and rules of a recipe apply to files",
		Long: `Explain says for each file which steps of a recipe would run, by which rule, and
why. It registers nothing and runs no command. It identifies the format of a file
where the recipe has a step for that before; what depends on the facts of other
steps is unknown before a run. Of a folder, it takes the first few files. It asks the
database, or the server, only when the recipe uses limits by name, and warns of those
that are not set.`,
		Example: `  baler recipe explain default photos/a.jpg
  baler recipe explain mine.yaml photos --files 20`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if most < 1 {
				return usagef("--files %d must be at least 1", most)
			}
			if err := checkPaths(args[1:]); err != nil {
				return err
			}
			r, err := recipe.Load(args[0])
			if err != nil {
				return err
			}
			p.noteUnsetLimitsOf(cmd, r)
			for _, path := range args[1:] {
				if err := p.explain(cmd.Context(), r, path, most); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&most, "files", most, "explain at most `N` files of each path")
	return cmd
}

var errEnough = errors.New("enough files")

// explain explains the first files of a path.
func (p *program) explain(ctx context.Context, r *recipe.Recipe, path string, most int) error {
	objects := storage.New()
	defer func() { _ = objects.Close() }() // only read from
	if tasks.IsObject(path) {
		var err error
		if path, err = objects.Add(path); err != nil {
			return err
		}
	}
	sources, err := scan.ResolveSources([]string{path})
	if err != nil {
		return err
	}
	if err := scan.Missing(ctx, sources, objects); err != nil {
		return err
	}
	n := 0
	_, err = scan.Scan(ctx, sources, scan.Options{Objects: objects}, func(f tasks.File) error {
		if n++; n > most {
			return errEnough
		}
		e, err := baler.Explain(ctx, p.registry, r, f)
		if err != nil {
			return err
		}
		return p.showExplanation(&e)
	})
	switch {
	case errors.Is(err, errEnough):
		p.notef("note: %s has more files; --files says how many to explain.", quoted(path))
		return nil
	case err == nil && n == 0:
		p.notef("note: %s has no files.", quoted(path))
	}
	return err
}

// explanation is what would happen to a file, in JSON.
type explanation struct {
	Type  string            `json:"type"` // always "explanation"
	Path  string            `json:"path"`
	Size  int64             `json:"size"`
	Facts map[string]any    `json:"facts"`
	Steps []stepExplanation `json:"steps"`
}

type stepExplanation struct {
	Step    string `json:"step"`
	Handler string `json:"handler"`
	Applies string `json:"applies"` // yes, no or unknown
	Rule    string `json:"rule,omitempty"`
	Rules   string `json:"rules,omitempty"` // the set that the rule comes from
	Why     string `json:"why"`
	With    any    `json:"with,omitempty"`
}

func (p *program) showExplanation(e *baler.FileExplanation) error {
	o := explanation{Type: "explanation", Path: e.File.Path, Size: e.File.Size, Facts: e.Facts}
	for _, s := range e.Steps {
		step := stepExplanation{Step: s.Step.Name, Handler: s.Step.Handler, Applies: string(s.Answer), Why: s.Why, With: s.Args}
		if s.Rule != nil {
			step.Rule, step.Rules = s.Rule.Name, s.Rule.From
		}
		o.Steps = append(o.Steps, step)
	}
	if p.json {
		return p.object(o)
	}
	p.printf("%s", printable(o.Path)+knownFormat(o.Facts))
	list := newTable(words("  STEP"), words("RUNS"), words("RULE"), column{title: "WHY", shrink: wrap})
	for _, s := range o.Steps {
		rule := s.Rule
		if s.Rules != "" {
			rule += " (" + s.Rules + ")"
		}
		why := s.Why
		if command := commandLine(s.With); command != "" && s.Applies == string(recipe.Applies) {
			why += "; runs " + command
		}
		list.row("  "+s.Step, s.Applies, printable(rule), printable(why))
	}
	list.within(tableWidth(p.stdout)).write(p.stdout)
	return nil
}

// knownFormat is the format of a file for people, if it is known.
func knownFormat(facts map[string]any) string {
	var parts []string
	for _, name := range []string{"puid", "mime"} {
		if s, ok := facts[name].(string); ok && s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s)", printable(strings.Join(parts, ", ")))
}

// commandLine is the command among a step's arguments, as people write it.
func commandLine(with any) string {
	object, _ := with.(map[string]any)
	list, _ := object["command"].([]any)
	var all []string
	for _, w := range list {
		word := fmt.Sprint(w)
		if word == "" || strings.ContainsAny(word, " '\"\\$`") {
			word = fmt.Sprintf("%q", word)
		}
		all = append(all, word)
	}
	return strings.Join(all, " ")
}
