package verify

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// sidecarExtensions returns the extensions that, after the name of a file, name its
// sidecars.
func sidecarExtensions() []string {
	return []string{".md5", ".sha1", ".sha224", ".sha256", ".sha384", ".sha512"}
}

// listNames returns the usual names of lists, which are read in the file's folder and the
// folders above it.
func listNames() []string {
	names := []string{}
	for _, a := range []string{"md5", "sha1", "sha256", "sha512"} {
		names = append(names, strings.ToUpper(a)+"SUMS", strings.ToUpper(a)+"SUM", a+"sums.txt", a+"sum.txt", "checksums."+a, "checksum."+a)
	}
	return names
}

// manifestNames returns the names of a bag's manifests.
func manifestNames() []string {
	names := []string{}
	for _, a := range []string{"md5", "sha1", "sha224", "sha256", "sha384", "sha512"} {
		names = append(names, "manifest-"+a+".txt", "tagmanifest-"+a+".txt")
	}
	return names
}

func isManifest(name string) bool {
	return strings.HasSuffix(name, ".txt") && (strings.HasPrefix(name, "manifest-") || strings.HasPrefix(name, "tagmanifest-"))
}

// isList reports whether a file is a list by its name.
func isList(name string) bool {
	if slices.Contains(listNames(), name) || slices.Contains(manifestNames(), name) {
		return true
	}
	for _, e := range sidecarExtensions() {
		if strings.HasSuffix(name, e) {
			return true
		}
	}
	return false
}

// keptLists is how many lists are kept in memory; names without a list count, too.
const keptLists = 16 << 10

// keptFor is how long a list is used before it is checked for changes.
const keptFor = 10 * time.Second

// lists reads lists and keeps them. It is safe for concurrent use.
type lists struct{ kept *lru.Cache[string, keptList] }

type keptList struct {
	list    *list // nil: there is none
	size    int64
	mtime   time.Time
	checked time.Time
}

func newLists() *lists {
	kept, err := lru.New[string, keptList](keptLists)
	if err != nil {
		panic(err) // the size is positive
	}
	return &lists{kept}
}

// get reads the list at a path. It returns nil when there is none, or the path lies outside
// the roots.
func (l *lists) get(job *handlers.Job, path string) (*list, error) {
	was, known := l.kept.Get(path)
	if known && time.Since(was.checked) < keptFor {
		return was.list, nil
	}
	is, err := read(job, path, was)
	if err == nil {
		l.kept.Add(path, is)
	}
	return is.list, err
}

// sidecar reads the list of one file. It is not kept, because no other job needs it.
func sidecar(job *handlers.Job, path string) (*list, error) {
	is, err := read(job, path, keptList{})
	return is.list, err
}

// read reads a list, unless it has not changed.
func read(job *handlers.Job, path string, was keptList) (keptList, error) {
	is := keptList{checked: time.Now()}
	f, err := job.OpenOther(path)
	if err != nil {
		if absent(err) {
			err = nil
		}
		return is, err
	}
	defer f.Close() // only read from
	info, err := f.Stat()
	if err != nil {
		return is, handlers.RetryLater(handlers.CodeIO, err)
	}
	is.size, is.mtime = info.Size(), info.ModTime()
	if was.list != nil && was.size == is.size && was.mtime.Equal(is.mtime) {
		is.list = was.list
		return is, nil
	}
	if is.list, err = readList(path, f, job.Progress); err != nil {
		return is, handlers.Fail(CodeBadList, fmt.Errorf("%s: %w", path, err))
	}
	return is, nil
}

// absent reports whether an error of OpenOther means that there is no file to read.
func absent(err error) bool {
	v, ok := errors.AsType[*handlers.Verdict](err)
	return ok && (v.Code == handlers.CodeNotFound || v.Code == handlers.CodeOutsideRoots || v.Code == handlers.CodeNotAFile) ||
		errors.Is(err, fs.ErrNotExist)
}

// above yields the folder of a path and those above it.
func above(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for dir := tasks.ParentPath(path); ; dir = tasks.ParentPath(dir) {
			if !yield(dir) || dir == tasks.ParentPath(dir) {
				return
			}
		}
	}
}

// join is the path of a name in a folder, or below the prefix of objects, where a list may
// lead upwards, too.
func join(dir, name string) string {
	if !tasks.IsObject(dir) {
		return filepath.Join(dir, name)
	}
	for {
		rest, up := strings.CutPrefix(name, "../")
		if !up {
			return dir + "/" + name
		}
		dir, name = tasks.ParentPath(dir), rest
	}
}

// isWhole reports whether a name needs no folder.
func isWhole(name string) bool { return filepath.IsAbs(name) || tasks.IsObject(name) }
