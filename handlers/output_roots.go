package handlers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/balerhq/baler/tasks"
)

// CodeOutsideOutputs says that a final step may not write where it was told to.
const CodeOutsideOutputs = "outside-outputs"

// CodeDestinationExists says that something else stands where a final step is to write.
const CodeDestinationExists = "destination-exists"

// OutputRoots says where finalizers may write: below some folders, where os.Root takes
// every step of a path, or anywhere, for a process that works for one person with
// that person's rights. The zero value allows nothing.
type OutputRoots struct {
	dirs     map[string]bool // cleaned absolute paths
	anywhere bool            // no limits
	relative string          // what relative paths are relative to; empty when they are refused
	first    string          // of dirs, cleaned; empty when there is none
	objects  []string        // prefixes in object storage
	store    ObjectWriter    // nil: none
}

// NewOutputRoots allows the given folders, absolute paths, and prefixes in object storage,
// see WithObjects, and nothing else. They must exist by the time that something is written.
func NewOutputRoots(roots []string) (OutputRoots, error) {
	dirs, objects := separate(roots)
	allowed, err := absolute(dirs, "written")
	o := OutputRoots{dirs: allowed, objects: objects}
	if len(dirs) > 0 {
		o.first = filepath.Clean(dirs[0])
	}
	return o, err
}

// WithObjects is o with a store into which objects within the prefixes are written.
func (o OutputRoots) WithObjects(store ObjectWriter) OutputRoots {
	o.store = store
	return o
}

// AnyOutputRoot allows every path. Relative paths are relative to base, which is
// absolute.
func AnyOutputRoot(base string) OutputRoots {
	return OutputRoots{anywhere: true, relative: base}
}

// WithBase is o with relative paths resolved below base, which is absolute. They
// must lie within the folders that o allows.
func (o OutputRoots) WithBase(base string) OutputRoots {
	o.relative = base
	return o
}

// ForTransfer is o for the steps of one transfer: unless relative paths have a base already,
// they are below a folder named for the transfer in the first of the folders that o allows.
func (o OutputRoots) ForTransfer(uuid string) OutputRoots {
	if o.relative == "" && o.first != "" && uuid != "" {
		o.relative = filepath.Join(o.first, uuid)
	}
	return o
}

// Absolute resolves a path that a handler is to write. It is empty for a relative path that has
// no base.
func (o OutputRoots) Absolute(path string) string {
	switch {
	case filepath.IsAbs(path):
		return filepath.Clean(path)
	case o.relative == "":
		return ""
	}
	return filepath.Join(o.relative, path)
}

// destination is where something may be written.
type destination struct {
	root *os.Root // of the folder that holds it, or of one above
	path string   // absolute, for people
	name string   // below root
}

// dir is the folder that holds the place, below its root.
func (p *destination) dir() string { return filepath.Dir(p.name) }

// beside returns a path in the same folder.
func (p *destination) beside(name string) string { return filepath.Join(p.dir(), name) }

// at opens the folder that path lies in, and makes those on the way. The caller
// closes the root.
func (o OutputRoots) at(path string) (*destination, error) { return o.open(path, true) }

// existing opens the folder that path lies in. The caller closes the root.
func (o OutputRoots) existing(path string) (*destination, error) { return o.open(path, false) }

func (o OutputRoots) open(path string, makeFolders bool) (*destination, error) {
	if path == "" {
		return nil, Fail(CodeBadArgs, errors.New("the path to write is empty"))
	}
	if tasks.IsObject(path) {
		return nil, Fail(CodeBadArgs, fmt.Errorf(
			"%s is in object storage, where only copy, move, thumbnail, extract and sanitize-names write: name a folder", path))
	}
	if !filepath.IsAbs(path) {
		if o.relative == "" {
			return nil, Fail(CodeBadArgs, fmt.Errorf(
				"%q is not an absolute path, and this worker may write no folder that it could be relative to: set BALER_OUTPUTS to one", path))
		}
		path = filepath.Join(o.relative, path)
	}
	if o.anywhere {
		return unlimited(filepath.Clean(path), makeFolders)
	}
	clean := filepath.Clean(path)
	dir, ok := longestAllowed(filepath.Dir(clean), func(dir string) bool { return o.dirs[dir] })
	if !ok {
		return nil, o.refuse(path)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, RetryLater(CodeIO, fmt.Errorf("open the folder for outputs: %w", err))
	}
	p := &destination{root: root, path: clean, name: relative(dir, clean)}
	if makeFolders {
		err = root.MkdirAll(p.dir(), 0o755)
	}
	if err != nil {
		return nil, errors.Join(WriteFailure(path, err), root.Close())
	}
	return p, nil
}

// unlimited follows links as the person would who runs the process.
func unlimited(path string, makeFolders bool) (_ *destination, err error) {
	if makeFolders {
		err = os.MkdirAll(filepath.Dir(path), 0o755) //nolint:gosec // as mkdir makes them; the umask decides
	}
	if err != nil {
		return nil, WriteFailure(path, err)
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, WriteFailure(path, err)
	}
	return &destination{root: root, path: path, name: filepath.Base(path)}, nil
}

func (o OutputRoots) refuse(path string) error {
	err := fmt.Errorf("%s is outside the folders that this worker may write: add its folder to BALER_OUTPUTS", path)
	if len(o.dirs) == 0 {
		err = fmt.Errorf("may not write %s: set BALER_OUTPUTS to the folders that this worker may write", path)
	}
	return Fail(CodeOutsideOutputs, err)
}

// WriteFailure is the verdict of an error of writing: a path that leads out of its
// folder is the recipe's fault, anything else is retried.
func WriteFailure(path string, err error) error {
	err = fmt.Errorf("write %s: %w", path, err)
	if refusedByRoot(err) && !errors.Is(err, fs.ErrExist) {
		return Fail(CodeOutsideOutputs, err)
	}
	return RetryLater(CodeIO, err)
}
