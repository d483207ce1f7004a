// Package extract takes archives apart: their members become files of the transfer.
package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/dustin/go-humanize/english"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/address"
	"github.com/balerhq/baler/tasks"
)

// Codes of whole archives. Single members may have CodeEncrypted and the codes of findings,
// too.
const (
	CodeNoArchive      = "no-archive"     // the file is of no format that extract reads
	CodeDocument       = "document"       // a document that is a zip file, such as a docx: it is whole as it is
	CodeTooDeep        = "too-deep"       // it lies in more archives than max_depth
	CodeTooMany        = "too-many"       // it has more members than max_members leaves
	CodeTooLarge       = "too-large"      // its members are larger than max_total leaves
	CodeRatio          = "ratio-exceeded" // its members are larger than it is by more than max_ratio
	CodeOverlapping    = "overlapping"    // its members share the same compressed bytes
	CodeTruncated      = "truncated"      // it ends too early
	CodeMalformed      = "malformed"      // it, or a member, is damaged
	CodeMembersRefused = "members-refused"
	CodeTrailingData   = "trailing-data" // something else stands behind the end of a gzip file
	CodeUnsupported    = "unsupported"   // a variant that extract does not read
)

// Defaults of the limits.
const (
	defaultMaxTotal   = 64 << 30
	defaultMaxRatio   = 200
	defaultMaxMembers = 100_000
	defaultMaxDepth   = 8
)

type extractArgs struct {
	To         string     `json:"to"`
	Replace    bool       `json:"replace"`
	Documents  bool       `json:"documents"`
	Encoding   string     `json:"encoding"`
	MaxTotal   tasks.Size `json:"max_total"`
	MaxRatio   int64      `json:"max_ratio"`
	MaxMembers int64      `json:"max_members"`
	MaxDepth   int        `json:"max_depth"`
}

// Register adds the handler extract to a registry; see New.
func Register(reg *handlers.Registry) error {
	return reg.Register("extract", New(), docs(),
		handlers.WithDescription("takes archives apart: zip, tar, 7z, rar, gz, bz2, xz, zst; their members become files of the transfer"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 20, MaxBytes: 256 << 20}),
		handlers.WithOutputFolder("to"), handlers.WithArgsCheck(handlers.CheckWith(argsOf)),
		handlers.WithFacts("archive_format", "members", "members_refused", "unpacked_bytes"))
}

// New extracts archives to "to"/PATH.contents/MEMBER, where PATH is the path of the archive
// relative to the source, and emits every member as a file of the transfer: the recipe's
// emit_from says where they start. A member that must not be written, such as a link or one
// with a path that leads out of the folder, is refused; the others are extracted, and the
// archive ends with a warning. An archive that ends too early, is damaged, or exceeds a limit
// fails with what was extracted until then. Modification times are kept, but for members that
// become objects, when "to" is an address such as s3://bucket/prefix. Facts:
// archive_format, members, members_refused and unpacked_bytes.
func New() handlers.Handler {
	shared := &room{}
	one := func(ctx context.Context, job *handlers.Job) error { return extract(ctx, job, shared) }
	return handlers.PerFile(one, handlers.Parallel(2), handlers.StallLimit(handlers.DefaultStallLimit))
}

func argsOf(args any) (extractArgs, error) {
	a := extractArgs{
		MaxTotal: defaultMaxTotal, MaxRatio: defaultMaxRatio, MaxMembers: defaultMaxMembers, MaxDepth: defaultMaxDepth, Encoding: "cp437",
	}
	if err := handlers.DecodeArgs(args, &a); err != nil {
		return a, err
	}
	wrong := func(format string, args ...any) error {
		return handlers.Fail(handlers.CodeBadArgs, fmt.Errorf(format, args...))
	}
	switch {
	case a.To == "":
		return a, wrong("to is missing: name the folder, or the address in object storage, to extract to")
	case a.MaxTotal <= 0 || a.MaxRatio <= 0 || a.MaxMembers <= 0 || a.MaxDepth <= 0:
		return a, wrong("max_total, max_ratio, max_members and max_depth must be above 0")
	case a.MaxMembers > handlers.MaxEmitted:
		return a, wrong("max_members is %d; %d is the most", a.MaxMembers, handlers.MaxEmitted)
	}
	if err := address.CheckDestination(a.To); err != nil {
		return a, handlers.Fail(handlers.CodeBadArgs, err)
	}
	if _, err := encodingOf(a.Encoding); err != nil {
		return a, wrong("encoding %q: %v; name it as cp437, cp850, shift_jis, euc-jp, euc-kr, gbk, big5, windows-1252 …", a.Encoding, err)
	}
	return a, nil
}

func extract(ctx context.Context, job *handlers.Job, shared *room) error {
	args, err := argsOf(job.Args())
	if err != nil {
		return err
	}
	f, err := job.Open()
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	before, err := f.Stat()
	if err != nil {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	in := &input{ctx: ctx, file: f, size: before.Size(), path: job.File().Path, progress: job.Progress}
	format, err := detect(in)
	if in.err != nil {
		return handlers.RetryLater(handlers.CodeIO, in.err)
	}
	switch {
	case errors.Is(err, errUnsupported):
		return handlers.Warn(CodeUnsupported, err.Error())
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return handlers.Fail(CodeTruncated, err)
	case err != nil:
		return handlers.Fail(CodeMalformed, err)
	}
	if format == nil {
		return handlers.Skip(CodeNoArchive, "the file is no archive of a format that extract reads")
	}
	if format.document && !args.Documents {
		return handlers.Skip(CodeDocument, "the file is a document in the form of a zip archive; set documents to extract such files, too")
	}
	if job.Depth() >= args.MaxDepth {
		return handlers.Warn(CodeTooDeep, fmt.Sprintf(
			"the archive lies in %s and is not extracted; max_depth is %d", english.Plural(job.Depth(), "other", ""), args.MaxDepth))
	}
	w, err := newWriter(ctx, job, &args, in, shared)
	if err != nil {
		return err
	}
	err = w.extract(format)
	if left := w.pending.Close(); left != nil && err == nil {
		err = handlers.RetryLater(handlers.CodeIO, left)
	}
	if changed := changedSince(f, before); changed != nil {
		return changed
	}
	return w.verdict(format, err)
}

// changedSince is an error when a file is not as it was.
func changedSince(f handlers.ReadableFile, before os.FileInfo) error {
	after, err := f.Stat()
	if err != nil {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	if after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return handlers.RetryLater(handlers.CodeChangedWhileReading, errors.New("the archive changed while it was extracted"))
	}
	return nil
}

// encodings are those that htmlindex does not know.
func encodingOf(name string) (decoder, error) {
	pages := codePages()
	if i := slices.IndexFunc(pages, func(p codePage) bool { return p.name == name }); i >= 0 {
		return pages[i].page.NewDecoder(), nil
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, fmt.Errorf("it is not known: %w", err)
	}
	return e.NewDecoder(), nil
}
