package baler

import (
	"github.com/balerhq/baler/handlers/command"
	"github.com/balerhq/baler/recipe"
)

// MissingProgram is a program that a recipe runs, and that this host does not have.
type MissingProgram struct {
	recipe.Program

	Hint string // how to get it
}

// MissingPrograms lists what a recipe needs, as far as its handlers tell, and is not
// installed on this host. Workers on other hosts may have it; without it the files that
// need it end with the code command-not-found.
func (b *Baler) MissingPrograms(r *recipe.Recipe) (missing []MissingProgram) {
	programs := r.Programs(func(handler string) func(args any) []string {
		reg, _ := b.registry.Lookup(handler)
		return reg.Programs
	})
	for _, p := range programs {
		if !command.Installed(p.Name, r.Dir()) {
			missing = append(missing, MissingProgram{Program: p, Hint: command.InstallHint(p.Name)})
		}
	}
	return missing
}
