// Package bag copies a transfer into a BagIt bag.
package bag

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/ctxio"
	"github.com/balerhq/baler/internal/missing"
	"github.com/balerhq/baler/tasks"
)

// The codes of bag.
const (
	CodeDigestDiffers = "digest-differs" // the file has changed since its digest was computed
	CodeNotVerified   = "not-verified"   // some files had no digest to check their copies by
	CodeNotText       = "path-not-text"  // a path is not UTF-8, so a bag cannot contain it
)

const (
	bagManifest = "manifest-sha256.txt"
	bagTags     = "tagmanifest-sha256.txt"
	bagInfo     = "bag-info.txt"
	bagMark     = "bagit.txt"

	emptyLabel = "Empty-Folders:"
)

type bagArgs struct {
	To string `json:"to"`
}

func newBagArgs(args any) (b bagArgs, err error) {
	if err := handlers.DecodeArgs(args, &b); err != nil {
		return b, err
	}
	if b.To == "" {
		return b, handlers.Fail(handlers.CodeBadArgs, errors.New("to is missing: set it to the folder of the bag"))
	}
	return b, nil
}

// Register adds the finalizer bag to a registry.
func Register(reg *handlers.Registry) error {
	return reg.RegisterFinalizer("bag", Finalize,
		handlers.WithDescription("BagIt bag with copies of the files, checked by digest while they are copied"),
		handlers.WithArgsCheck(handlers.CheckWith(newBagArgs)), handlers.WithOutput(output), handlers.WithFolders())
}

func output(args any) handlers.Output {
	a, _ := newBagArgs(args) // wrong arguments are the check's
	return handlers.Output{Path: a.To, Folder: true}
}

// Finalize copies the files into a BagIt 1.0 bag (RFC 8493). Their paths below data/
// are their paths below the deepest folder that contains all sources. Arguments: {"to":
// folder}. Modification times of files and folders, and empty folders, are kept;
// bag-info.txt counts links and special files, which are left out. If a copy does not
// have the digest that an earlier step recorded, the step fails and leaves no bag. A
// bag of an earlier run of the same sources is replaced by one of all files of all
// runs, unless it is not as the earlier run wrote it.
func Finalize(ctx context.Context, c *handlers.TransferJob) error {
	args, err := newBagArgs(c.Args())
	if err != nil {
		return err
	}
	var unchecked missing.Files
	ours := func(there *os.Root) bool { return holdsOnlyItsBag(ctx, there) }
	err = c.CreateFolder(args.To, ours, func(dir *os.Root) error {
		w := &bagWriter{job: c, dir: dir, base: commonFolder(c.Transfer().Sources), unchecked: &unchecked}
		return w.write(ctx)
	})
	if err != nil {
		return err
	}
	if unchecked.Len() == 0 {
		return nil
	}
	all, _, err := c.Totals(ctx)
	if err != nil {
		return err
	}
	return handlers.Warn(CodeNotVerified, unchecked.Message("had no sha256 to check their copies by", all))
}

// bagWriter writes one bag.
type bagWriter struct {
	job       *handlers.TransferJob
	dir       *os.Root
	base      string
	files     int64
	bytes     int64
	unchecked *missing.Files

	emptyFolders int64
	leftOut      leftOut

	isFile bool // the only source is a file
}

// write writes the files of the bag: the payload, its manifest and the tag files.
func (b *bagWriter) write(ctx context.Context) error {
	tags := make([]string, 0, 3) // lines of the tag manifest
	tag := func(name string, write func(w io.Writer) error) error {
		digest := sha256.New()
		err := handlers.WriteNew(b.dir, name, func(w io.Writer) error { return write(io.MultiWriter(w, digest)) })
		tags = append(tags, bagLine(hex.EncodeToString(digest.Sum(nil)), name))
		return err
	}
	if err := tag(bagMark, func(w io.Writer) error {
		_, err := io.WriteString(w, "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
		return err
	}); err != nil {
		return err
	}
	if err := b.dir.Mkdir("data", 0o755); err != nil {
		return handlers.WriteFailure("data", err)
	}
	if err := tag(bagManifest, func(w io.Writer) error { return b.writePayload(ctx, w) }); err != nil {
		return err
	}
	if err := b.keepFolders(ctx); err != nil {
		return err
	}
	if err := tag(bagInfo, b.writeInfo); err != nil {
		return err
	}
	return handlers.WriteNew(b.dir, bagTags, func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(tags, ""))
		return err
	})
}

// writeInfo describes the bag, and says what a manifest cannot list.
func (b *bagWriter) writeInfo(w io.Writer) error {
	_, err := fmt.Fprintf(w, "Bag-Software-Agent: Baler\nBagging-Date: %s\nExternal-Identifier: %s\nPayload-Oxum: %d.%d\n",
		b.job.Now().UTC().Format("2006-01-02"), b.job.Transfer().UUID, b.bytes, b.files)
	if err == nil && b.emptyFolders > 0 {
		_, err = fmt.Fprintf(w, "%s %d\n", emptyLabel, b.emptyFolders)
	}
	if left := b.leftOut.String(); err == nil && left != "" {
		_, err = fmt.Fprintf(w, "Left-Out: %s\n", left)
	}
	return err
}

// writePayload copies the files and writes their manifest.
func (b *bagWriter) writePayload(ctx context.Context, manifest io.Writer) error {
	for f, err := range b.job.Files(ctx) {
		if err != nil {
			return err
		}
		if f.Part > 1 {
			continue // the first chunk stands for the whole file
		}
		name, err := b.name(&f.File)
		if err != nil {
			return err
		}
		if _, err := b.dir.Lstat(name); err == nil {
			if err := b.sameContent(&f.File, name); err != nil {
				return err
			}
			continue // a list of paths may contain a file twice
		}
		digest, err := b.copyFile(ctx, &f.File, name)
		if err != nil {
			return err
		}
		if known, ok := f.Digest("sha256"); !ok {
			b.unchecked.Add(f.Path)
		} else if !strings.EqualFold(known, digest) {
			return handlers.Fail(CodeDigestDiffers, fmt.Errorf("%q has the sha256 %s now, but had %s", f.Path, digest, known))
		}
		if _, err := io.WriteString(manifest, bagLine(digest, name)); err != nil {
			return err
		}
	}
	return nil
}

// name is a file's path within the bag.
func (b *bagWriter) name(f *tasks.File) (string, error) {
	file := f.Path
	if !utf8.ValidString(file) {
		return "", handlers.Fail(CodeNotText, fmt.Errorf("%q is not UTF-8: a bag cannot contain it", file))
	}
	if f.Emitted != nil && f.Emitted.Base != "" {
		return b.emittedName(f), nil
	}
	b.isFile = b.isFile || file == handlers.CommonFolder(b.job.Transfer().Sources)
	rel, err := filepath.Rel(b.base, file)
	if err != nil || !filepath.IsLocal(rel) {
		rel = strings.TrimPrefix(filepath.Clean(file), string(filepath.Separator)) // a list of paths may name files anywhere
	}
	return path.Join("data", filepath.ToSlash(rel)), nil
}

// copyFile copies a file, with its modification time, and returns its digest.
func (b *bagWriter) copyFile(ctx context.Context, file *tasks.File, name string) (string, error) {
	from, err := b.job.Open(file.Path)
	if err != nil {
		return "", err
	}
	defer from.Close() // only read from
	if err := b.dir.MkdirAll(path.Dir(name), 0o755); err != nil {
		return "", handlers.WriteFailure(name, err)
	}
	digest := sha256.New()
	var n int64
	err = handlers.WriteNew(b.dir, name, func(to io.Writer) (err error) {
		n, err = io.Copy(io.MultiWriter(to, digest), ctxio.NewReader(ctx, from))
		return err
	})
	b.files++
	b.bytes += n
	if err != nil {
		return "", err
	}
	info, err := from.Stat()
	if err == nil {
		err = b.dir.Chtimes(name, info.ModTime(), info.ModTime())
	}
	if err != nil {
		return "", handlers.WriteFailure(name, err)
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// bagLine is a line of a bag's manifest. It encodes line ends and the percent sign,
// as RFC 8493, section 2.1.3, demands, and nothing else.
func bagLine(digest, name string) string {
	return digest + "  " + strings.NewReplacer("%", "%25", "\n", "%0A", "\r", "%0D").Replace(name) + "\n"
}

// commonFolder is the deepest folder that contains all sources.
func commonFolder(sources []string) string {
	if len(sources) == 0 {
		return string(filepath.Separator)
	}
	common := filepath.Dir(sources[0])
	for _, s := range sources[1:] {
		for !isAbove(common, s) && common != filepath.Dir(common) { // the root is above everything
			common = filepath.Dir(common)
		}
	}
	return filepath.Clean(common)
}

func isAbove(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel) && rel != "."
}
