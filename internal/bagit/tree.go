package bagit

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sync/errgroup"
)

// tree is where the files of a bag are: a folder, or an archive.
type tree interface {
	// list calls do with each entry.
	list(ctx context.Context, do func(entry)) error

	// Open opens a tag file; fs.ErrNotExist when it does not exist.
	Open(path string) (io.ReadCloser, error)

	// each calls do with the content of files, up to parallel at a time, in any order.
	each(ctx context.Context, files []string, parallel int, do func(path string, open opener) error) error

	io.Closer
}

// opener opens a file that is to be read once.
type opener func() (io.ReadCloser, error)

// entry is a file or a folder of a bag.
type entry struct {
	path    string // in the bag
	size    int64
	folder  bool
	problem string // what is wrong with it; it is no file then
}

// folderTree is a bag in a folder.
type folderTree struct{ *os.Root }

func (t folderTree) Open(path string) (io.ReadCloser, error) {
	f, err := t.Root.Open(path)
	if err != nil {
		return nil, err // not f, which would be an interface of a nil pointer
	}
	return f, nil
}

func (t folderTree) list(ctx context.Context, do func(entry)) error {
	return fs.WalkDir(t.FS(), ".", func(path string, found fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && path == ".":
			return err
		case err != nil:
			do(entry{path: path, problem: fmt.Sprintf("cannot be read: %v", err)})
		case found.IsDir():
			do(entry{path: path, folder: true})
		case !found.Type().IsRegular():
			do(entry{path: path, problem: "is neither a file nor a folder"})
		default:
			info, err := found.Info()
			if err != nil {
				do(entry{path: path, problem: fmt.Sprintf("cannot be read: %v", err)})
				return nil
			}
			do(entry{path: path, size: info.Size()})
		}
		return nil
	})
}

func (t folderTree) each(ctx context.Context, files []string, parallel int, do func(string, opener) error) error {
	return inParallel(ctx, files, parallel, t.Open, do)
}

// inParallel reads files that can be opened in any order.
func inParallel(
	ctx context.Context, files []string, parallel int, open func(string) (io.ReadCloser, error), do func(string, opener) error,
) error {
	g, all := errgroup.WithContext(ctx)
	g.SetLimit(max(1, parallel))
	for _, file := range files {
		if all.Err() != nil {
			break
		}
		g.Go(func() error { return do(file, func() (io.ReadCloser, error) { return open(file) }) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// openTree opens a folder, or a file that is a bag as zip, tar or tar.gz.
func openTree(ctx context.Context, path string, maxUnpacked int64) (tree, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return openArchive(ctx, path, maxUnpacked)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return folderTree{root}, nil
}
