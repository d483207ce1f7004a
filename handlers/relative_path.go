package handlers

import (
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// RelativePath is the path of the file relative to the source, or to the deepest folder
// that holds all sources of the transfer; of a source that is a file its name. A file of a
// list of paths has its whole path, without the separator at the start. That of an emitted
// file is relative to the folder into which it was written, see EmittedFile. Names within
// the key of an object that no file can have are written in another way: see RelativeKey.
func (j *Job) RelativePath() string { return localNames(j.spec.File.Path, j.relative()) }

// RelativeKey is RelativePath for a destination in object storage: names within the key of
// an object are as they are.
func (j *Job) RelativeKey() string { return filepath.ToSlash(j.relative()) }

func (j *Job) relative() string {
	if e := j.spec.File.Emitted; e != nil && e.Base != "" {
		return relativeTo(strings.TrimSuffix(e.Base, tasks.Separator(e.Base)), j.spec.File.Path)
	}
	return relativeTo(CommonFolder(j.spec.Sources), j.spec.File.Path)
}

// CommonFolder is the deepest path that all sources are or lie below. It is empty for the
// root, which stands for a list of paths, and for sources in several buckets, or in object
// storage and in folders.
func CommonFolder(sources []string) string {
	common := ""
	for i, source := range sources {
		if i == 0 {
			common = source
		}
		for common != "" && !isIn(common, source) {
			above := tasks.ParentPath(common)
			if above == common {
				above = ""
			}
			common = above
		}
	}
	return strings.TrimSuffix(common, tasks.Separator(common))
}

// isIn reports whether path is a folder, or lies below it.
func isIn(folder, path string) bool {
	separator := tasks.Separator(folder)
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(folder, separator))
	return ok && (rest == "" || strings.HasPrefix(rest, separator))
}

// RelativePath is a path relative to the common folder of its sources.
func RelativePath(common, path string) string { return localNames(path, relativeTo(common, path)) }

func relativeTo(common, path string) string {
	if path == common { // the only source, a file
		return tasks.BaseName(path)
	}
	rel, ok := strings.CutPrefix(path, common+tasks.Separator(path))
	if tasks.IsObject(path) {
		if !ok {
			rel = strings.Replace(path, "://", "/", 1)
		}
		return rel
	}
	if !ok {
		return BelowAny(path)
	}
	return strings.TrimLeft(rel, string(filepath.Separator))
}

// BelowAny is where a path of this host goes below a folder that holds files from anywhere: its path
// from the root. On Windows the letter of its drive comes first, or the server and the share.
func BelowAny(path string) string {
	path = filepath.Clean(path)
	drive := filepath.VolumeName(path)
	return strings.TrimLeft(strings.ReplaceAll(drive, ":", "")+path[len(drive):], string(filepath.Separator))
}

// localNames writes the names within the key of an object so that they lead nowhere else:
// an empty name as %, . and .. with %2E.
func localNames(path, rel string) string {
	if !tasks.IsObject(path) {
		return rel
	}
	names := strings.Split(rel, "/")
	for i, name := range names {
		switch name {
		case "":
			names[i] = "%"
		case ".", "..":
			names[i] = strings.ReplaceAll(name, ".", "%2E")
		}
	}
	return filepath.FromSlash(strings.Join(names, "/"))
}
