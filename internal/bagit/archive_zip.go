package bagit

import (
	"archive/zip"
	"context"
	"io"
	"math"
	"os"
	"strings"
)

// zipTree is a bag in a zip. Its files can be read in any order.
type zipTree struct {
	*index

	file  *os.File
	files map[string]*zip.File // by name
}

func openZip(f *os.File, maxUnpacked int64) (tree, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return nil, err
	}
	t := &zipTree{index: newIndex(maxUnpacked), file: f, files: make(map[string]*zip.File, len(z.File))}
	for _, member := range z.File {
		size := int64(min(member.UncompressedSize64, math.MaxInt64))
		folder := strings.HasSuffix(member.Name, "/")
		file, err := t.add(member.Name, size, folder, member.Mode().IsRegular())
		if err != nil {
			return nil, err
		}
		if file {
			t.files[t.entries[len(t.entries)-1].path] = member
		}
	}
	t.finish()
	return t, nil
}

func (t *zipTree) Open(path string) (io.ReadCloser, error) {
	name, err := t.inArchive(path)
	if err != nil {
		return nil, err
	}
	member := t.files[name]
	content, err := member.Open()
	if err != nil {
		return nil, err
	}
	// The byte more than the zip says is there for the digest to be wrong when there are more.
	return limited{io.LimitReader(content, int64(min(member.UncompressedSize64, math.MaxInt64-1))+1), content}, nil
}

// limited reads no more of a member than it should have.
type limited struct {
	io.Reader
	io.Closer
}

func (t *zipTree) each(ctx context.Context, files []string, parallel int, do func(string, opener) error) error {
	return inParallel(ctx, files, parallel, t.Open, do)
}

func (t *zipTree) Close() error { return t.file.Close() }
