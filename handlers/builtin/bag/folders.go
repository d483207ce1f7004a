package bag

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/tasks"
)

// folderPage is how many entries of a folder are read at a time.
const folderPage = 1000

// leftOut counts the entries of the sources that the bag does not contain.
type leftOut struct {
	links, specials int64
	badNames        int64 // empty folders whose names are no text
}

func (l *leftOut) String() string {
	var parts []string
	for _, p := range []struct {
		n    int64
		what string
	}{{l.links, "symbolic links"}, {l.specials, "special files"}, {l.badNames, "empty folders whose names are not UTF-8"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", p.what, p.n))
		}
	}
	return strings.Join(parts, ", ")
}

// keepFolders makes the folders of the sources that are empty, and gives all folders of
// the bag the modification times of those that they are copies of. The files must be
// there. It counts the entries that no bag can contain.
func (b *bagWriter) keepFolders(ctx context.Context) error {
	sources := b.job.Transfer().Sources
	if slices.Contains(sources, string(filepath.Separator)) {
		return nil // a list of paths: its folders were not asked for
	}
	selector, err := scan.NewSelector(b.job.Transfer().Selection)
	if err != nil {
		return err
	}
	for _, source := range sources {
		excluded := func(folder string) bool {
			rel, err := filepath.Rel(source, folder)
			return err == nil && rel != "." && selector.ExcludesFolder(rel)
		}
		if err := b.keepFolder(ctx, source, excluded); err != nil {
			return err
		}
	}
	return nil
}

// keepFolder handles one folder. It skips files, folders that cannot be read, and those
// that the transfer leaves out.
func (b *bagWriter) keepFolder(ctx context.Context, path string, excluded func(folder string) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if excluded(path) {
		return nil
	}
	f, err := b.job.OpenFolder(path)
	if err != nil {
		return nil //nolint:nilerr // a file, or a folder that the transfer could not read either, and says so
	}
	info, err := f.Stat()
	var below []string
	empty := err == nil
	for err == nil {
		var entries []fs.DirEntry
		entries, err = f.ReadDir(folderPage)
		empty = empty && len(entries) == 0 && errors.Is(err, io.EOF)
		for _, e := range entries {
			switch {
			case e.IsDir():
				below = append(below, filepath.Join(path, e.Name()))
			case e.Type()&fs.ModeSymlink != 0:
				b.leftOut.links++
			case !e.Type().IsRegular():
				b.leftOut.specials++
			}
		}
	}
	_ = f.Close() // only read from
	for _, folder := range below {
		if err := b.keepFolder(ctx, folder, excluded); err != nil {
			return err
		}
	}
	if info == nil {
		return nil
	}
	return b.copyFolder(path, info, empty)
}

// copyFolder gives a folder of the bag its modification time, and makes it when it is empty.
func (b *bagWriter) copyFolder(path string, info fs.FileInfo, empty bool) error {
	if !utf8.ValidString(path) {
		if empty {
			b.leftOut.badNames++
		}
		return nil
	}
	name, err := b.name(&tasks.File{Path: path})
	if err != nil {
		return err
	}
	if empty {
		if err := b.dir.MkdirAll(name, 0o755); err != nil {
			return handlers.WriteFailure(name, err)
		}
		b.emptyFolders++
	}
	err = b.dir.Chtimes(name, info.ModTime(), info.ModTime())
	if err != nil && !errors.Is(err, os.ErrNotExist) { // none of its files is in the bag
		return handlers.WriteFailure(name, err)
	}
	return nil
}
