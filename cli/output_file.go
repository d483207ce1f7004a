package cli

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// outputFile is a file that appears under its name when it is complete.
type outputFile struct {
	*bufio.Writer

	f       *os.File
	name    string
	replace bool
}

// newOutputFile makes a temporary file in the folder of the file.
func newOutputFile(name string, replace bool) (*outputFile, error) {
	if info, err := os.Stat(name); err == nil && (info.IsDir() || !replace) {
		return nil, existsError(name, info)
	}
	temporary := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text()[:8]+".tmp")
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // the umask says who may read it
	if err != nil {
		return nil, fmt.Errorf("write output: %w", err)
	}
	return &outputFile{Writer: bufio.NewWriterSize(f, 256<<10), f: f, name: name, replace: replace}, nil
}

func existsError(name string, info fs.FileInfo) error {
	if info.IsDir() {
		return fmt.Errorf("%s is a folder: give the name of a file in it", printable(name))
	}
	return fmt.Errorf("%s exists: give another name, or --force to replace it", printable(name))
}

// commit gives the file its name. After an error the temporary file is gone.
func (o *outputFile) commit() error {
	err := o.Flush()
	if err == nil {
		err = o.f.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write output: %w", err), o.discard())
	}
	if err := o.f.Close(); err != nil {
		return errors.Join(fmt.Errorf("write output: %w", err), os.Remove(o.f.Name()))
	}
	if o.replace {
		err = os.Rename(o.f.Name(), o.name)
	} else {
		err = o.link()
	}
	if err != nil {
		return errors.Join(err, os.Remove(o.f.Name()))
	}
	return nil
}

// link gives the file its name unless another has it by now. A file system without links
// cannot do both at once.
func (o *outputFile) link() error {
	err := os.Link(o.f.Name(), o.name)
	if err == nil {
		return os.Remove(o.f.Name())
	}
	if info, there := os.Lstat(o.name); there == nil {
		return existsError(o.name, info)
	}
	return os.Rename(o.f.Name(), o.name)
}

// discard removes the temporary file.
func (o *outputFile) discard() error {
	return errors.Join(o.f.Close(), os.Remove(o.f.Name()))
}
