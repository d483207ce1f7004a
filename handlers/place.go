package handlers

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// place gives a file its name. Without replace, one that another process gives this name at the
// same moment stays, which a rename would replace: its source may be gone. The error is then
// fs.ErrExist.
func place(root *os.Root, temporary, name string, replace bool) error {
	if replace {
		return root.Rename(temporary, name)
	}
	for _, try := range []func(*os.Root, string, string) error{renameNoReplace, linkAndRemove} {
		err := try(root, temporary, name)
		switch {
		case err == nil, errors.Is(err, fs.ErrExist):
			return err
		case errors.Is(err, fs.ErrNotExist): // a later attempt has removed it
			return err
		}
	}
	return reserveAndCopy(root, temporary, name)
}

// linkAndRemove is for systems whose rename always replaces.
func linkAndRemove(root *os.Root, temporary, name string) error {
	err := root.Link(temporary, name)
	if err == nil {
		return root.Remove(temporary)
	}
	if _, there := root.Lstat(name); there == nil && !errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%w: %w", fs.ErrExist, err)
	}
	return err
}

// reserveAndCopy is for file systems without hard links, such as FAT, where the system cannot
// rename without replacing either. It makes the file, which fails when there is one, and copies
// the content: a process that reads at this moment may see a part of it, and a loss of power may
// leave a part, which the next attempt reports as another file.
func reserveAndCopy(root *os.Root, temporary, name string) (err error) {
	from, err := root.Open(temporary)
	if err != nil {
		return err
	}
	defer from.Close() // only read from
	info, err := from.Stat()
	if err != nil {
		return err
	}
	to, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err == nil {
		err = to.Sync()
	}
	err = errors.Join(err, to.Close())
	if err == nil {
		err = root.Chtimes(name, info.ModTime(), info.ModTime())
	}
	if err != nil {
		return errors.Join(err, root.Remove(name)) // this call has made it
	}
	return root.Remove(temporary)
}
