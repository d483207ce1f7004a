package bag

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/ctxio"
)

// The serializations: one file instead of a folder (RFC 8493, section 4).
const (
	asZip   = "zip"
	asTar   = "tar"
	asTarGz = "tar.gz"
)

// extensions are those of a serialization.
func extensions(serialization string) []string {
	return map[string][]string{asZip: {".zip"}, asTar: {".tar"}, asTarGz: {".tar.gz", ".tgz"}}[serialization]
}

func checkSerialization(serialization, to string) error {
	known := extensions(serialization)
	switch {
	case serialization == "":
		return nil
	case known == nil:
		return fmt.Errorf("%q is unknown: one of zip, tar, tar.gz", serialization)
	case bagName(serialization, to) == "":
		return fmt.Errorf("to is %q, which must be a file name that ends in %s", to, strings.Join(known, " or "))
	}
	return nil
}

// bagName is the name of the folder within the file: its name without the extension.
func bagName(serialization, to string) string {
	base := filepath.Base(to)
	for _, e := range extensions(serialization) {
		if rest, ok := strings.CutSuffix(base, e); ok {
			return rest
		}
	}
	return ""
}

// pack writes a bag in a folder as one file.
func pack(ctx context.Context, dir *os.Root, serialization, name string, w io.Writer) (err error) {
	switch serialization {
	case asZip:
		z := zip.NewWriter(w)
		err = errors.Join(eachEntry(ctx, dir, func(file string, info fs.FileInfo, content io.Reader) error {
			return addToZip(z, path.Join(name, file), info, content)
		}), z.Close())
	case asTar:
		err = packTar(ctx, dir, name, w)
	case asTarGz:
		z := gzip.NewWriter(w)
		err = errors.Join(packTar(ctx, dir, name, z), z.Close())
	}
	if err != nil && ctx.Err() == nil {
		err = handlers.WriteFailure(name, err)
	}
	return err
}

func addToZip(z *zip.Writer, name string, info fs.FileInfo, content io.Reader) error {
	h, err := zip.FileInfoHeader(info)
	if err != nil {
		return err
	}
	h.Name, h.Method, h.Modified = name, zip.Deflate, info.ModTime().UTC()
	if info.IsDir() {
		h.Name, h.Method = name+"/", zip.Store
	}
	to, err := z.CreateHeader(h)
	if err == nil && content != nil {
		_, err = io.Copy(to, content)
	}
	return err
}

func packTar(ctx context.Context, dir *os.Root, name string, w io.Writer) error {
	t := tar.NewWriter(w)
	err := eachEntry(ctx, dir, func(file string, info fs.FileInfo, content io.Reader) error {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: path.Join(name, file), Size: info.Size(), Mode: 0o644, ModTime: info.ModTime(), Format: tar.FormatPAX}
		if info.IsDir() {
			h.Typeflag, h.Name, h.Size, h.Mode = tar.TypeDir, h.Name+"/", 0, 0o755
		}
		err := t.WriteHeader(h)
		if err == nil && content != nil {
			_, err = io.Copy(t, content)
		}
		return err
	})
	return errors.Join(err, t.Close())
}

// eachEntry calls do with the folders and files of a bag; a folder has no content.
// bagit.txt comes first, so that a reader knows at once what it has.
func eachEntry(ctx context.Context, dir *os.Root, do func(name string, info fs.FileInfo, content io.Reader) error) error {
	one := func(name string) error {
		f, err := dir.Open(name)
		if err != nil {
			return err
		}
		defer f.Close() // only read from
		info, err := f.Stat()
		switch {
		case err != nil:
			return err
		case info.IsDir():
			return do(name, info, nil)
		}
		return do(name, info, ctxio.NewReader(ctx, f))
	}
	first := []string{".", bagMark}
	for _, name := range first {
		if err := one(name); err != nil {
			return err
		}
	}
	return fs.WalkDir(dir.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case slices.Contains(first, name):
			return nil
		}
		return one(name)
	})
}
