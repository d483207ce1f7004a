package bagit

import (
	"context"
	"io/fs"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// payloadFolder is the folder of the payload.
const payloadFolder = "data"

// list finds the files of the bag.
func (b *bag) list(ctx context.Context) error {
	return fs.WalkDir(b.root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if path == "." {
				return err
			}
			b.wrongf(path, "cannot be read: %v", err)
			return nil
		}
		switch {
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			b.wrongf(path, "is neither a file nor a folder")
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			b.wrongf(path, "cannot be read: %v", err)
			return nil
		}
		if strings.HasPrefix(path, payloadFolder+"/") {
			b.payload[path] = info.Size()
			b.report.Files++
			b.report.Bytes += info.Size()
		} else {
			b.tagFiles[path] = info.Size()
		}
		if other, ok := b.names[fold(path)]; ok {
			b.oddf(path, "differs from %q only by case or by how accents are encoded; some file systems hold only one of the two", other)
		}
		b.names[fold(path)] = path
		return nil
	})
}

// has reports whether the bag holds a file.
func (b *bag) has(path string) bool {
	_, payload := b.payload[path]
	_, tag := b.tagFiles[path]
	return payload || tag
}

// fold returns the same text for names that some file systems do not distinguish: names
// that differ only in case or in the normal form of Unicode.
func fold(path string) string { return norm.NFC.String(cases.Fold().String(norm.NFC.String(path))) }
