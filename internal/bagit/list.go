package bagit

import (
	"context"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// payloadFolder is the folder of the payload.
const payloadFolder = "data"

// list finds the files of the bag.
func (b *bag) list(ctx context.Context) error {
	return b.root.list(ctx, func(e entry) {
		b.payloadThere = b.payloadThere || e.folder && e.path == payloadFolder || strings.HasPrefix(e.path, payloadFolder+"/")
		switch {
		case e.problem != "":
			b.wrongf(e.path, "%s", e.problem)
			return
		case e.folder:
			return
		case strings.HasPrefix(e.path, payloadFolder+"/"):
			b.payload[e.path] = e.size
			b.report.Files++
			b.report.Bytes += e.size
		default:
			b.tagFiles[e.path] = e.size
		}
		if other, ok := b.names[fold(e.path)]; ok {
			b.oddf(e.path, "differs from %q only by case or by how accents are encoded; some file systems hold only one of the two", other)
		}
		b.names[fold(e.path)] = e.path
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
