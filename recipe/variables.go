package recipe

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/balerhq/baler/tasks"
)

// variables are the variables that an expression can read.
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
	name := tasks.BaseName(f.Path)
	return &variables{
		Path:  f.Path,
		Name:  name,
		Dir:   tasks.ParentPath(f.Path),
		Ext:   extension(name),
		Size:  int(f.Size),
		MTime: f.MTime,
		Facts: facts,
	}
}

// extension returns the extension with its dot, in lower case. The leading dot of a
// hidden file starts no extension: ".profile" has none.
func extension(name string) string {
	ext := filepath.Ext(name)
	if len(ext) == len(name) || ext == "." {
		return ""
	}
	return strings.ToLower(ext)
}
