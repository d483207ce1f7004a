// Package bag copies a transfer into a BagIt bag.
package bag

import (
	"context"
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
	CodeMetadata      = "metadata"       // a final step before this one has failed
)

const (
	bagInfo = "bag-info.txt"
	bagMark = "bagit.txt"

	emptyLabel = "Empty-Folders:"
)

func manifestName(algorithm string) string    { return "manifest-" + algorithm + ".txt" }
func tagManifestName(algorithm string) string { return "tagmanifest-" + algorithm + ".txt" }

// Register adds the finalizer bag to a registry.
func Register(reg *handlers.Registry) error {
	return reg.RegisterFinalizer("bag", Finalize, docs(),
		handlers.WithDescription("BagIt bag with copies of the files, checked by digest while they are copied"),
		handlers.WithArgsCheck(handlers.CheckWith(newBagArgs)), handlers.WithOutput(output), handlers.WithFolders())
}

func output(args any) handlers.Output {
	a, _ := newBagArgs(args) // wrong arguments are the check's
	return handlers.Output{Path: a.To, Folder: a.Serialization == ""}
}

// Finalize copies the files into a BagIt 1.0 bag (RFC 8493). Their paths below data/
// are their paths below the deepest folder that contains all sources. Arguments: {"to":
// folder, "algorithms": those of its manifests, "info": fields of bag-info.txt, "metadata":
// files that final steps before it have written, which become tag files in metadata/,
// "serialization": zip, tar or tar.gz for one file in place of a folder}.
// Modification times of files and folders, and empty folders, are kept; bag-info.txt
// counts links and special files, which are left out. If a copy does not
// have the digest that an earlier step recorded, the step fails and leaves no bag. A
// bag of an earlier run of the same sources is replaced by one of all files of all
// runs, unless it is not as the earlier run wrote it.
func Finalize(ctx context.Context, c *handlers.TransferJob) error {
	args, err := newBagArgs(c.Args())
	if err != nil {
		return err
	}
	var unchecked missing.Files
	fill := func(dir *os.Root) error {
		w := &bagWriter{args: &args, job: c, dir: dir, base: commonFolder(c.Transfer().Sources), unchecked: &unchecked}
		return w.write(ctx)
	}
	if args.Serialization == "" {
		err = c.CreateFolder(args.To, func(there *os.Root) bool { return holdsOnlyItsBag(ctx, there) }, fill)
	} else {
		err = c.CreateFromFolder(args.To, fill, func(dir *os.Root, w io.Writer) error {
			return pack(ctx, dir, args.Serialization, bagName(args.Serialization, args.To), w)
		})
	}
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
	return handlers.Warn(CodeNotVerified, unchecked.Message("had no digest to check their copies by", all))
}

// bagWriter writes one bag.
type bagWriter struct {
	args      *bagArgs
	job       *handlers.TransferJob
	dir       *os.Root
	base      string
	files     int64
	bytes     int64
	unchecked *missing.Files

	emptyFolders int64
	leftOut      leftOut

	isFile bool // the only source is a file

	allFiles, allBytes int64 // of the transfer
}

// copying reports how far the copying of the payload is.
type copying struct {
	b *bagWriter
	n int64 // of the file at work
}

// Write implements io.Writer.
func (c *copying) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	c.b.job.SetProgress(tasks.Progress{
		Items: c.b.files, OfItems: c.b.allFiles, Unit: "files", Bytes: c.b.bytes + c.n, OfBytes: c.b.allBytes,
	})
	return len(p), nil
}

// write writes the files of the bag: the payload, its manifests and the tag files.
func (b *bagWriter) write(ctx context.Context) error {
	tags := make([]strings.Builder, len(b.args.Algorithms)) // lines of the tag manifests
	tag := func(name string, write func(w io.Writer) error) error {
		digests := newDigests(b.args.Algorithms)
		err := handlers.WriteNew(b.dir, name, func(w io.Writer) error { return write(io.MultiWriter(w, digests)) })
		for i, digest := range digests.sums() {
			tags[i].WriteString(bagLine(digest, name))
		}
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
	if err := b.manifests(tag, b.args.Algorithms, nil, func(manifests []io.Writer) error {
		return b.writePayload(ctx, manifests)
	}); err != nil {
		return err
	}
	if err := b.keepFolders(ctx); err != nil {
		return err
	}
	if err := b.writeMetadata(tag); err != nil {
		return err
	}
	if err := tag(bagInfo, b.writeInfo); err != nil {
		return err
	}
	for i, algorithm := range b.args.Algorithms {
		err := handlers.WriteNew(b.dir, tagManifestName(algorithm), func(w io.Writer) error {
			_, err := io.WriteString(w, tags[i].String())
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// manifests opens the manifests of the payload, one within the other, and calls write with
// all of them.
func (b *bagWriter) manifests(
	tag func(string, func(io.Writer) error) error, algorithms []string, open []io.Writer, write func([]io.Writer) error,
) error {
	if len(algorithms) == 0 {
		return write(open)
	}
	return tag(manifestName(algorithms[0]), func(w io.Writer) error {
		return b.manifests(tag, algorithms[1:], append(open, w), write)
	})
}

// writePayload copies the files and writes their manifests.
func (b *bagWriter) writePayload(ctx context.Context, manifests []io.Writer) (err error) {
	if b.allFiles, b.allBytes, err = b.job.Totals(ctx); err != nil {
		return err
	}
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
		digests, err := b.copyFile(ctx, &f.File, name)
		if err != nil {
			return err
		}
		if err := b.compare(&f, digests); err != nil {
			return err
		}
		for i, digest := range digests[:len(manifests)] {
			if _, err := io.WriteString(manifests[i], bagLine(digest, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare compares the digests of a copy with those that earlier steps recorded of the file.
func (b *bagWriter) compare(f *handlers.FinalFile, digests []string) error {
	compared := false
	for i, algorithm := range b.args.computed() {
		known, ok := f.Digest(algorithm)
		if ok && !strings.EqualFold(known, digests[i]) {
			return handlers.Fail(CodeDigestDiffers, fmt.Errorf("%q has the %s %s now, but had %s", f.Path, algorithm, digests[i], known))
		}
		compared = compared || ok
	}
	if !compared {
		b.unchecked.Add(f.Path)
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
	if tasks.IsObject(file) {
		return objectName(handlers.CommonFolder(b.job.Transfer().Sources), file), nil
	}
	rel, err := filepath.Rel(b.base, file)
	if err != nil || !filepath.IsLocal(rel) {
		rel = handlers.BelowAny(file) // a list of paths may name files anywhere
	}
	return path.Join("data", filepath.ToSlash(rel)), nil
}

// objectName is the path of an object in the bag: as that of a file, but that each byte of its key
// counts.
func objectName(common, file string) string {
	lead := tasks.BaseName(common)
	if file == common || lead == "." || lead == ".." {
		lead = ""
	}
	return path.Join("data", lead, filepath.ToSlash(handlers.RelativePath(common, file)))
}

// copyFile copies a file, with its modification time, and returns its digests by the
// algorithms in bagArgs.computed.
func (b *bagWriter) copyFile(ctx context.Context, file *tasks.File, name string) ([]string, error) {
	from, err := b.job.Open(file.Path)
	if err != nil {
		return nil, err
	}
	defer from.Close() // only read from
	if err := b.dir.MkdirAll(path.Dir(name), 0o755); err != nil {
		return nil, handlers.WriteFailure(name, err)
	}
	digests := newDigests(b.args.computed())
	var n int64
	err = handlers.WriteNew(b.dir, name, func(to io.Writer) (err error) {
		n, err = io.Copy(io.MultiWriter(to, digests, &copying{b: b}), ctxio.NewReader(ctx, from))
		return err
	})
	b.files++
	b.bytes += n
	if err != nil {
		return nil, err
	}
	info, err := from.Stat()
	if err == nil {
		err = b.dir.Chtimes(name, info.ModTime(), info.ModTime())
	}
	if err != nil {
		return nil, handlers.WriteFailure(name, err)
	}
	return digests.sums(), nil
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
