package recipe

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/balerhq/baler/tasks"
)

// variables is what an expression can read.
type variables struct {
	Path  string         `expr:"path"`
	Name  string         `expr:"name"`
	Dir   string         `expr:"dir"`
	Ext   string         `expr:"ext"`
	Size  int            `expr:"size"`
	MTime time.Time      `expr:"mtime"`
	Facts map[string]any `expr:"facts"`
}

func variablesOf(f *tasks.File, facts map[string]any) *variables {
	name := filepath.Base(f.Path)
	return &variables{
		Path:  f.Path,
		Name:  name,
		Dir:   filepath.Dir(f.Path),
		Ext:   extension(name),
		Size:  int(f.Size),
		MTime: f.MTime,
		Facts: facts,
	}
}

// extension is in lower case with its dot. A hidden file's leading dot starts
// no extension: ".profile" has none.
func extension(name string) string {
	ext := filepath.Ext(name)
	if len(ext) == len(name) || ext == "." {
		return ""
	}
	return strings.ToLower(ext)
}
