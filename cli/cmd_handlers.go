package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/load"
	"github.com/balerhq/baler/internal/handlerpage"
	"github.com/balerhq/baler/internal/suggest"
)

func (p *program) handlersCommand() *cobra.Command {
	var write string
	cmd := &cobra.Command{
		Use:   "handlers [NAME]",
		Short: "List the handlers of this program, or show the page of one",
		Long: `Handlers lists the handlers that this program has, for steps and for final steps of
recipes. With a name it shows the handler's arguments, facts and codes. Workers may
have others: 'baler workers' lists them.`,
		Example: `  baler handlers
  baler handlers extract`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := p.handlersByName()
			switch {
			case err != nil:
				return err
			case write != "":
				return writePages(write, all)
			case len(args) > 0:
				return p.showHandler(all, args[0])
			}
			return p.listHandlers(all)
		},
	}
	cmd.Flags().StringVar(&write, "write", "", "write the page of each handler into a `FOLDER`, for the documentation of Baler")
	if err := cmd.Flags().MarkHidden("write"); err != nil {
		panic(err) // there is the flag
	}
	return cmd
}

// handlersByName are the handlers of this program, with load, which a worker adds.
func (p *program) handlersByName() (map[string][]handlers.Registration, error) {
	reg := p.registry.Clone()
	if err := load.Register(reg, nil, nil); err != nil && !errors.Is(err, handlers.ErrRegistered) {
		return nil, err
	}
	all := make(map[string][]handlers.Registration)
	for _, name := range reg.Names() {
		r, _ := reg.Lookup(name)
		all[name] = append(all[name], r)
	}
	for _, name := range reg.FinalizerNames() {
		r, _ := reg.LookupFinalizer(name)
		all[name] = append(all[name], r)
	}
	return all, nil
}

type handlerLine struct {
	Type        string `json:"type"`
	Handler     string `json:"handler"`
	Kind        string `json:"kind"` // step or final step
	Description string `json:"description"`
}

func (p *program) listHandlers(all map[string][]handlers.Registration) error {
	list := newTable(words("HANDLER"), words("KIND"), column{title: "DESCRIPTION", shrink: end})
	for _, name := range sortedNames(all) {
		for i := range all[name] {
			r := &all[name][i]
			line := handlerLine{"handler", name, "step", r.Description}
			if r.Finalizer != nil {
				line.Kind = "final step"
			}
			if p.json {
				if err := p.object(line); err != nil {
					return err
				}
				continue
			}
			list.row(line.Handler, line.Kind, line.Description)
		}
	}
	if !p.json {
		list.within(tableWidth(p.stdout)).write(p.stdout)
	}
	return nil
}

func (p *program) showHandler(all map[string][]handlers.Registration, name string) error {
	of, ok := all[name]
	if !ok {
		hint := "'baler handlers' lists them"
		if near := suggest.Of(name, func(n string) bool { return all[n] != nil }); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		return fmt.Errorf("no handler of this program is called %q; %s", name, hint)
	}
	for i := range of {
		if p.json {
			if err := p.object(newHandlerPage(&of[i])); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			p.printf("")
		}
		p.showReference(&of[i])
	}
	return nil
}

func sortedNames(all map[string][]handlers.Registration) []string {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func writePages(folder string, all map[string][]handlers.Registration) error {
	for _, name := range sortedNames(all) {
		path := filepath.Join(folder, name+".md")
		was, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if page := handlerpage.Page(name, string(was), all[name]...); page != string(was) {
			if err := os.WriteFile(path, []byte(page), 0o644); err != nil { //nolint:gosec // it is for everybody
				return err
			}
		}
	}
	return nil
}
