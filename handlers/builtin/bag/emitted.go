package bag

import (
	"crypto/sha256"
	"fmt"
	"io"
	"path"
	"path/filepath"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// CodeTakenPath says that two files have the same path in the bag.
const CodeTakenPath = "path-taken"

// emittedName is the path of an emitted file in the bag: it lies where it would lie if the
// folder into which it was written were that of the sources. The file from the sources that
// it comes from is in the bag already.
func (b *bagWriter) emittedName(f *tasks.File) string {
	below, err := filepath.Rel(b.base, handlers.CommonFolder(b.job.Transfer().Sources))
	if err != nil || b.isFile || !filepath.IsLocal(below) {
		below = ""
	}
	return path.Join("data", filepath.ToSlash(below), filepath.ToSlash(handlers.RelativePath(f.Emitted.Base, f.Path)))
}

// sameContent refuses an emitted file whose path is that of another file with other content.
func (b *bagWriter) sameContent(f *tasks.File, name string) error {
	if f.Emitted == nil {
		return nil
	}
	is, err := b.job.Open(f.Path)
	if err != nil {
		return err
	}
	defer is.Close() // only read from
	there, err := b.dir.Open(name)
	if err != nil {
		return handlers.WriteFailure(name, err)
	}
	defer there.Close() // only read from
	one, other := sha256.New(), sha256.New()
	if _, err = io.Copy(one, is); err == nil {
		_, err = io.Copy(other, there)
	}
	if err != nil {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	if string(one.Sum(nil)) != string(other.Sum(nil)) {
		return handlers.Fail(CodeTakenPath, fmt.Errorf("%s would have the path %s in the bag, where another file is already", f.Path, name))
	}
	return nil
}
