package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// folderSize is how many files a folder of a tree has.
const folderSize = 1000

// tree is a folder of files for measurements.
type tree struct {
	root  string
	files int
}

// emptyTree makes a tree of a size, once.
func (p *Env) emptyTree(ctx context.Context, files int) (tree, error) {
	root := p.path(fmt.Sprintf("tree-%d", files))
	if _, err := os.Stat(root); err == nil {
		return tree{root, files}, nil
	}
	p.o.Say("Making %d empty files.", files)
	return growTree(ctx, root, files)
}

// growTree makes empty files, because measurements do not depend on the content.
func growTree(ctx context.Context, root string, files int) (tree, error) {
	return grow(ctx, root, files, 0)
}

// grow makes sparse files of a size.
func grow(ctx context.Context, root string, files int, size int64) (tree, error) {
	t := tree{root, files}
	for i := range files {
		path := t.path(i)
		if i%folderSize == 0 {
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				return t, fmt.Errorf("make files: %w", err)
			}
			if ctx.Err() != nil {
				return t, ctx.Err()
			}
		}
		if err := touch(path, size); err != nil {
			return t, fmt.Errorf("make files: %w", err)
		}
	}
	return t, nil
}

func touch(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if size > 0 {
		if err := f.Truncate(size); err != nil {
			_ = f.Close() // the first error is the one to report
			return err
		}
	}
	return f.Close()
}

// path returns the path of the i-th file, from 0.
func (t tree) path(i int) string {
	return filepath.Join(t.folder(i/folderSize), fmt.Sprintf("file-%06d.dat", i))
}

func (t tree) folder(i int) string { return filepath.Join(t.root, fmt.Sprintf("folder-%04d", i)) }
