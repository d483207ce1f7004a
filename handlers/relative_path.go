package handlers

import (
	"path/filepath"
	"strings"
)

// RelativePath is the path of the file relative to the source, or to the deepest folder
// that holds all sources of the transfer; of a source that is a file its name. A file of a
// list of paths has its whole path, without the separator at the start. That of an emitted
// file is relative to the folder into which it was written, see EmittedFile.
func (j *Job) RelativePath() string {
	if e := j.spec.File.Emitted; e != nil && e.Base != "" {
		return RelativePath(strings.TrimSuffix(e.Base, string(filepath.Separator)), j.spec.File.Path)
	}
	return RelativePath(CommonFolder(j.spec.Sources), j.spec.File.Path)
}

// CommonFolder is the deepest path that all sources are or lie below. It is empty for the
// root, which stands for a list of paths.
func CommonFolder(sources []string) string {
	common := ""
	for i, source := range sources {
		if i == 0 {
			common = source
		}
		for !isIn(common, source) {
			common = filepath.Dir(common)
		}
	}
	return strings.TrimSuffix(common, string(filepath.Separator))
}

// isIn reports whether path is a folder, or lies below it.
func isIn(folder, path string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(folder, string(filepath.Separator)))
	return ok && (rest == "" || rest[0] == filepath.Separator)
}

// RelativePath is a path relative to the common folder of its sources.
func RelativePath(common, path string) string {
	if path == common { // the only source, a file
		return filepath.Base(path)
	}
	rel, ok := strings.CutPrefix(path, common+string(filepath.Separator))
	if !ok {
		rel = path
	}
	return strings.TrimLeft(rel, string(filepath.Separator))
}
