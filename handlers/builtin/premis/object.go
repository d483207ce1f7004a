package premis

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/xmlstream"
	"github.com/balerhq/baler/tasks"
)

// algorithms are the digests that are facts, by their names in PREMIS and METS.
func algorithms() [][2]string {
	return [][2]string{{"md5", "MD5"}, {"sha1", "SHA-1"}, {"sha256", "SHA-256"}, {"sha384", "SHA-384"}, {"sha512", "SHA-512"}}
}

// Digest is the strongest digest that is known of a file, as METS names it.
func Digest(f *handlers.FinalFile) (algorithm, digest string) {
	for _, a := range algorithms() {
		if d, ok := f.Digest(a[0]); ok {
			algorithm, digest = a[1], d
		}
	}
	return algorithm, digest
}

// File writes the object of a file; that of a chunk of a split file is a bitstream.
func (d *Document) File(x *xmlstream.Writer, f *handlers.FinalFile, namespace string) {
	category := "file"
	if f.Part > 0 {
		category = "bitstream"
	}
	d.root(x, "object", category, namespace)
	identifier(x, "objectIdentifier", localID, fileID(f.Transfer, f.No))
	x.Start("objectCharacteristics")
	x.Text("compositionLevel", "0")
	for _, a := range algorithms() {
		if digest, ok := f.Digest(a[0]); ok {
			x.Start("fixity")
			x.Text("messageDigestAlgorithm", a[1])
			x.Text("messageDigest", strings.ToLower(digest))
			x.End()
		}
	}
	x.Text("size", strconv.FormatInt(f.Size, 10))
	format(x, f.Facts)
	if !f.MTime.IsZero() {
		x.Start("creatingApplication")
		x.Text("dateCreatedByApplication", f.MTime.UTC().Format(time.RFC3339))
		x.End()
	}
	x.End()
	if f.Part == 0 {
		x.Text("originalName", f.Path)
	}
	x.Start("storage")
	x.Start("contentLocation")
	x.Text("contentLocationType", "URI")
	x.Text("contentLocationValue", location(f.Path))
	x.End()
	x.End()
	x.Start("relationship")
	x.Text("relationshipType", "structural")
	x.Text("relationshipSubType", "is included in")
	identifier(x, "relatedObjectIdentifier", "UUID", d.transfer.UUID)
	x.End()
	x.End()
}

// format writes what the steps found the format to be.
func format(x *xmlstream.Writer, facts map[string]any) {
	text := func(name string) string {
		s, _ := facts[name].(string)
		return s
	}
	puid := text("puid")
	if puid == "UNKNOWN" {
		puid = ""
	}
	name := text("format")
	if name == "" {
		name = text("mime")
	}
	if name == "" {
		name = "unknown"
	}
	x.Start("format")
	x.Start("formatDesignation")
	x.Text("formatName", name)
	if version := text("format_version"); version != "" {
		x.Text("formatVersion", version)
	}
	x.End()
	if puid != "" {
		x.Start("formatRegistry")
		x.Text("formatRegistryName", "PRONOM")
		x.Text("formatRegistryKey", puid)
		x.Text("formatRegistryRole", "specification")
		x.End()
	}
	if warning := text("format_warning"); warning != "" {
		x.Text("formatNote", warning)
	}
	x.End()
}

// location is the URI of a file or of an object.
func location(path string) string {
	if !tasks.IsObject(path) {
		return (&url.URL{Scheme: "file", Path: path}).String()
	}
	bucket, key := tasks.SplitObject(path)
	scheme, name, _ := strings.Cut(bucket, "://")
	return (&url.URL{Scheme: scheme, Host: name, Path: "/" + key}).String()
}
