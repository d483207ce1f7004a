package baler

import (
	"os"
	"path/filepath"
	"time"

	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// outputFiles checks the paths that the final steps of a recipe write, as far as this
// process knows their handlers. It returns those inside the sources: the scan must leave
// these files out.
func (b *Baler) outputFiles(r *recipe.Recipe, name string, sources []string) (map[string]bool, error) {
	if ingest.FromList(sources) {
		return nil, nil //nolint:nilnil // a list names its files itself
	}
	var outputs []ingest.Output
	if name == "" && len(sources) > 0 {
		name = sources[0]
	}
	like := tasks.Transfer{UUID: "00000000-0000-7000-8000-000000000000", Name: name, CreatedAt: time.Now()} // for ${…}
	for _, s := range r.Finalizers {
		reg, ok := b.registry.LookupFinalizer(s.Handler)
		if !ok || reg.Output == nil {
			continue
		}
		args, err := s.Args(&like)
		if err != nil {
			continue // the template needs a value that only the real transfer has
		}
		o := reg.Output(args)
		if o.Path == "" {
			continue
		}
		if !filepath.IsAbs(o.Path) {
			here, err := os.Getwd()
			if err != nil {
				continue // no folder to resolve it against: the step reports the error
			}
			o.Path = filepath.Join(here, o.Path)
		}
		outputs = append(outputs, ingest.Output{Step: s.Name, Path: o.Path, Folder: o.Folder})
	}
	return ingest.CheckOutputs(sources, outputs)
}
