// Package writable says, before a transfer starts, where it cannot write what its recipe
// wants. It writes nothing to find out.
package writable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Unwritable is a folder in which a recipe is to write, and in which this process cannot.
type Unwritable struct {
	Path    string   // as far as it needs no value that only a file or the transfer has
	Problem string   // what is wrong, and what to do
	Uses    []string // the steps that write there, for people
}

// Check lists where a recipe is to write, as far as its handlers tell, and this process
// cannot. Workers on other hosts may be able to. outputs are the folders in which steps may
// write; none: all.
func Check(r *recipe.Recipe, registry *handlers.Registry, outputs []string) (all []Unwritable) {
	return check(r, registry, func(path string) string { return outputProblem(path, outputs) })
}

// CheckWorker is Check for a process that works for others: without outputs it writes nothing.
func CheckWorker(r *recipe.Recipe, registry *handlers.Registry, outputs []string) (all []Unwritable) {
	if len(outputs) > 0 {
		return Check(r, registry, outputs)
	}
	return check(r, registry, func(string) string { return "set BALER_OUTPUTS to the folders that steps may write" })
}

func check(r *recipe.Recipe, registry *handlers.Registry, problemOf func(path string) string) (all []Unwritable) {
	note := func(use string, reg handlers.Registration, args any) {
		if reg.Output == nil {
			return
		}
		path := fixedFolder(reg.Output(args))
		if path == "" || tasks.IsObject(path) {
			return
		}
		problem := problemOf(path)
		if problem == "" {
			return
		}
		i := slices.IndexFunc(all, func(known Unwritable) bool { return known.Path == path })
		if i < 0 {
			i, all = len(all), append(all, Unwritable{Path: path, Problem: problem})
		}
		all[i].Uses = append(all[i].Uses, use)
	}
	r.EachArgs(func(s *recipe.Step, use string, args any) {
		reg, _ := registry.Lookup(s.Handler)
		note(use, reg, args)
	})
	r.EachFinalArgs(func(s *recipe.FinalStep, args any) {
		reg, _ := registry.LookupFinalizer(s.Handler)
		note("final step "+s.Name, reg, args)
	})
	return all
}

// fixedFolder is the folder in which an output lies, up to the first template.
func fixedFolder(o handlers.Output) string {
	path, _, templated := strings.Cut(o.Path, "${")
	switch {
	case path == "" || tasks.IsObject(path):
		return path
	case templated && !strings.HasSuffix(path, string(filepath.Separator)), !templated && !o.Folder:
		path = filepath.Dir(path)
	}
	return filepath.Clean(path)
}

// outputProblem says why nothing can be written in a folder; empty when it can.
func outputProblem(path string, outputs []string) string {
	whole, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	if len(outputs) > 0 {
		if !filepath.IsAbs(path) { // below the first folder, in one of the transfer's own
			i := slices.IndexFunc(outputs, func(dir string) bool { return !tasks.IsObject(dir) })
			if i < 0 {
				return "it is not an absolute path, and BALER_OUTPUTS has no folder that it could be relative to; add one"
			}
			return unwritable(outputs[i])
		}
		i := slices.IndexFunc(outputs, func(dir string) bool { return !tasks.IsObject(dir) && isBelow(dir, whole) })
		if i < 0 {
			return "it is outside the folders in BALER_OUTPUTS; add its folder"
		}
		if problem := unwritable(outputs[i]); problem != "" {
			return problem
		}
	}
	for dir := whole; ; dir = filepath.Dir(dir) { // folders on the way are made
		problem, err := access(dir)
		if errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
			continue
		}
		return problem
	}
}

// unwritable says why nothing can be written in a folder that must exist.
func unwritable(dir string) string {
	problem, err := access(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Sprintf("%s, which is in BALER_OUTPUTS, does not exist; make the folder, or correct BALER_OUTPUTS", dir)
	}
	return problem
}

// access says why nothing can be written in a folder.
func access(dir string) (problem string, err error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return "", fs.ErrNotExist
	case err != nil:
		return err.Error(), err
	case !info.IsDir():
		return dir + " is not a folder; move it away, or name another folder", nil
	}
	if err := mayWrite(dir); err != nil {
		return fmt.Sprintf("%s: %v; make it writable to the account that runs Baler, or name another folder", dir, err), err
	}
	return "", nil
}

func isBelow(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}

// Folders says what is wrong with those of the folders in which nothing can be written.
func Folders(outputs []string) (problems []string) {
	for _, dir := range outputs {
		if tasks.IsObject(dir) {
			continue
		}
		if problem := unwritable(dir); problem != "" {
			problems = append(problems, problem)
		}
	}
	return problems
}
