package ingest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// OutputFiles checks the paths that the final steps of a recipe write, as far as the
// registry has their handlers. It returns those inside the sources: the scan must leave
// these files out.
func OutputFiles(
	known *handlers.Registry, r *recipe.Recipe, name string, sources []string, within handlers.OutputRoots,
) (map[string]bool, error) {
	like := likeTransfer(name, sources)
	outputs := OutputsOf(known, r, &like, within)
	for i := range outputs {
		o := &outputs[i]
		if tasks.IsObject(o.Path) {
			return nil, fmt.Errorf("%w: final step %s would write %s: choose a folder, and copy what is in it",
				ErrOutputIsObject, o.Step, o.Path)
		}
	}
	if FromList(sources) {
		return map[string]bool{}, nil // a list names its files itself
	}
	return CheckOutputs(sources, outputs)
}

// OutputsOf lists what the final steps of a recipe write for a transfer, as far as the registry
// has their handlers. Relative paths are resolved as within says, or else from the current folder.
func OutputsOf(known *handlers.Registry, r *recipe.Recipe, t *tasks.Transfer, within handlers.OutputRoots) (outputs []PlannedOutput) {
	within = within.ForTransfer(t.UUID)
	eachFinalizer(known, r, t, func(s *recipe.FinalStep, reg handlers.Registration, args any) {
		if reg.Output == nil {
			return
		}
		o := reg.Output(args)
		if o.Path == "" {
			return
		}
		path, err := o.Path, error(nil)
		ofTransfer := false
		if !tasks.IsObject(path) {
			based := within.Absolute(path)
			ofTransfer = based != "" && !filepath.IsAbs(path)
			path, err = filepath.Abs(cmp.Or(based, path))
		}
		if err != nil {
			return // no folder to resolve it against: the step reports the error
		}
		outputs = append(outputs, PlannedOutput{Step: s.Name, Path: path, Folder: o.Folder, OfTransfer: ofTransfer})
	})
	return outputs
}

// WrittenOutputs lists what final steps with state done have written for a transfer, where this
// host has it. A recipe that cannot be read gives none: another version wrote it.
func WrittenOutputs(known *handlers.Registry, t *tasks.Transfer, within handlers.OutputRoots) (written []WrittenOutput) {
	r, err := recipe.Parse("recipe", []byte(t.Recipe))
	if err != nil {
		return nil
	}
	done := make(map[string]bool)
	for _, f := range t.Finalizers {
		done[f.Name] = f.State == tasks.FinalizeDone
	}
	for _, o := range OutputsOf(known, r, t, within) {
		if !done[o.Step] {
			continue
		}
		if info, err := os.Stat(o.Path); err == nil {
			written = append(written, WrittenOutput{Step: o.Step, Path: o.Path, Info: info})
		}
	}
	return written
}

// likeTransfer stands for a transfer that is not yet made: for ${…} in the arguments of steps.
func likeTransfer(name string, sources []string) tasks.Transfer {
	if name == "" && len(sources) > 0 {
		name = sources[0]
	}
	return tasks.Transfer{UUID: "00000000-0000-7000-8000-000000000000", Name: name, CreatedAt: time.Now()}
}

// eachFinalizer calls do for those final steps of a recipe whose handlers the registry has.
func eachFinalizer(
	known *handlers.Registry, r *recipe.Recipe, t *tasks.Transfer, do func(s *recipe.FinalStep, reg handlers.Registration, args any),
) {
	for _, s := range r.FinalSteps {
		reg, ok := known.LookupFinalizer(s.Handler)
		if !ok {
			continue
		}
		if args, err := s.Args(t); err == nil {
			do(s, reg, args)
		}
	}
}

// FinalInputs identifies, by the number of the final step, what the steps of a recipe depend
// on besides the files of the collection, as it is now. folders is the digest of the folders
// that the scan has found.
func FinalInputs(known *handlers.Registry, s *TransferRequest, sources []string, folders string) map[int]string {
	inputs := make(map[int]string)
	like := likeTransfer(s.Name, sources)
	eachFinalizer(known, s.Recipe, &like, func(step *recipe.FinalStep, reg handlers.Registration, args any) {
		var parts []string
		if reg.KeepsFolders {
			parts = append(parts, folders)
		}
		if reg.Inputs != nil {
			for _, path := range reg.Inputs(args) {
				state := "away"
				if info, err := os.Stat(path); err == nil {
					state = fmt.Sprint(info.Size(), info.ModTime().UnixNano())
				}
				parts = append(parts, path, state)
			}
		}
		if len(parts) > 0 {
			sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
			inputs[step.Number] = hex.EncodeToString(sum[:])
		}
	})
	return inputs
}
