package bagit

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/balerhq/baler/internal/ctxio"
)

// maxTagsInMemory is how much the tag files of a tar may have in all. They are read while
// the tar is listed, because a compressed one can only be read from its beginning.
const maxTagsInMemory = 512 << 20

// tarTree is a bag in a tar. It is read twice: for a list of what is in it, and for digests.
type tarTree struct {
	*index

	file *os.File
	gzip bool
	tags map[string][]byte // the content of what is not in data, by name in the archive
}

func openTar(ctx context.Context, f *os.File, gzip bool, maxUnpacked int64) (tree, error) {
	t := &tarTree{index: newIndex(maxUnpacked), file: f, gzip: gzip, tags: make(map[string][]byte)}
	held := int64(0)
	err := t.walk(ctx, func(h *tar.Header, content io.Reader) error {
		folder := h.Typeflag == tar.TypeDir
		file, err := t.add(h.Name, h.Size, folder, h.Typeflag == tar.TypeReg)
		if err != nil || !file || strings.Contains(path.Clean(h.Name)+"/", "/"+payloadFolder+"/") {
			return err
		}
		if held += h.Size; held > maxTagsInMemory {
			return fmt.Errorf("the files beside its payload have more than %d bytes in all", maxTagsInMemory)
		}
		text, err := io.ReadAll(content)
		t.tags[path.Clean(h.Name)] = text
		return err
	})
	if err != nil {
		return nil, err
	}
	t.finish()
	return t, nil
}

// walk reads the tar from its beginning.
func (t *tarTree) walk(ctx context.Context, do func(h *tar.Header, content io.Reader) error) error {
	if _, err := t.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var from io.Reader = bufio.NewReaderSize(ctxio.NewReader(ctx, t.file), 256<<10)
	if t.gzip {
		z, err := gzip.NewReader(from)
		if err != nil {
			return err
		}
		from = z
	}
	// Headers and the space between files count too: a gzip may unpack to any number of zeros.
	bounded := &io.LimitedReader{R: from, N: t.most + maxEntries*1024}
	r := tar.NewReader(bounded)
	for {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			_, err := io.Copy(io.Discard, bounded) // the checksum of gzip stands at its end
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return err
		}
		if err := do(h, r); err != nil {
			return err
		}
	}
}

func (t *tarTree) Open(file string) (io.ReadCloser, error) {
	name, err := t.inArchive(file)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(t.tags[name])), nil
}

func (t *tarTree) each(ctx context.Context, files []string, _ int, do func(string, opener) error) error {
	wanted := make(map[string]string, len(files))
	for _, file := range files {
		wanted[t.top+file] = file
	}
	return t.walk(ctx, func(h *tar.Header, content io.Reader) error {
		name := path.Clean(h.Name)
		file, ok := wanted[name]
		if !ok || h.Typeflag != tar.TypeReg {
			return nil
		}
		delete(wanted, name) // a second one of this name is reported already
		return do(file, func() (io.ReadCloser, error) { return io.NopCloser(content), nil })
	})
}

func (t *tarTree) Close() error { return t.file.Close() }
