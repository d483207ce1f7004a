// Package validate reads files to their end as what they claim to be, and says whether
// they are well-formed.
package validate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// What validate says of a file.
const (
	CodeMalformed   = "malformed"    // the file is not what it claims to be, or damaged
	CodeNotChecked  = "not-checked"  // there is a check, and it could not be made of this file
	CodeNoValidator = "no-validator" // there is no check for this format
	CodeEncrypted   = "encrypted"    // only somebody with the password can tell
)

// Limits on what a file may unpack to, so that a small one does not take a worker down.
const (
	defaultMaxPixels   = 200_000_000
	defaultMaxUnpacked = 64 << 30
	defaultMaxPDF      = 512 << 20
)

type validateArgs struct {
	As          string     `json:"as"`
	MaxPixels   int64      `json:"max_pixels"`
	MaxUnpacked tasks.Size `json:"max_unpacked"`
	MaxPDF      tasks.Size `json:"max_pdf"`
}

// input is a file that is checked.
type input struct {
	ctx  context.Context //nolint:containedctx // of one call of a check
	job  *handlers.Job
	file *os.File
	size int64
	args validateArgs
}

// Read reads the file; it ends with the context.
func (in *input) Read(p []byte) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := in.file.Read(p)
	in.job.Progress()
	return n, storageError(err)
}

// ReadAt reads the file at a place; it ends with the context.
func (in *input) ReadAt(p []byte, at int64) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := in.file.ReadAt(p, at)
	in.job.Progress()
	return n, storageError(err)
}

// Seek is that of the file.
func (in *input) Seek(offset int64, whence int) (int64, error) { return in.file.Seek(offset, whence) }

// errStorage is wrapped by errors of the system, so that no file is called malformed
// because its disk failed.
var errStorage = errors.New("storage")

func storageError(err error) error {
	if _, ok := errors.AsType[*os.PathError](err); ok {
		return errors.Join(errStorage, err)
	}
	return err
}

// Register adds the handler validate to a registry; see New.
func Register(reg *handlers.Registry) error {
	return reg.Register("validate", New(),
		handlers.WithDescription("reads JSON, XML, CSV, images, PDF, ZIP and gzip to their end: are they well-formed?"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 100, MaxBytes: 256 << 20}),
		handlers.WithArgsCheck(handlers.CheckWith(argsOf)),
		handlers.WithFacts("valid", "validated_as"))
}

// New says whether files are well-formed: JSON and JSON lines, XML, CSV, the images that Go
// decodes (JPEG, PNG, GIF, TIFF, BMP, WebP), PDF, ZIP with the formats made of it, such as
// docx, odt and epub, and gzip. The fact mime, which identify records, says what a file is
// to be, else its extension, else the argument "as". Other arguments: "max_pixels",
// "max_unpacked" and "max_pdf", above which a file is not checked.
//
// A file that is not well-formed fails. One that cannot be checked, because it is encrypted
// or above a limit, ends with a warning; one of another format is skipped: neither is called
// valid. Facts: valid, when the check has been made, and validated_as.
func New() handlers.Handler {
	return handlers.PerFile(validate, handlers.Parallel(0), handlers.StallLimit(handlers.DefaultStallLimit))
}

func argsOf(args any) (validateArgs, error) {
	a := validateArgs{MaxPixels: defaultMaxPixels, MaxUnpacked: defaultMaxUnpacked, MaxPDF: defaultMaxPDF}
	if err := handlers.DecodeArgs(args, &a); err != nil {
		return a, err
	}
	if a.As != "" && checks()[a.As] == nil {
		return a, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("as is %q: one of %s", a.As, strings.Join(formatNames(), ", ")))
	}
	if a.MaxPixels < 1 || a.MaxUnpacked < 1 || a.MaxPDF < 1 {
		return a, handlers.Fail(handlers.CodeBadArgs, errors.New("max_pixels, max_unpacked and max_pdf are numbers from 1"))
	}
	return a, nil
}

func validate(ctx context.Context, job *handlers.Job) error {
	args, err := argsOf(job.Args())
	if err != nil {
		return err
	}
	format := args.As
	if format == "" {
		format = formatOf(job)
	}
	if format == "" {
		return handlers.Skip(CodeNoValidator, "there is no check for this format")
	}
	f, err := job.Open()
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	info, err := f.Stat()
	if err != nil {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	if err := job.SetFact("validated_as", format); err != nil {
		return err
	}
	return conclude(ctx, job, checks()[format](&input{ctx: ctx, job: job, file: f, size: info.Size(), args: args}))
}

// conclude makes a verdict of what a check says.
func conclude(ctx context.Context, job *handlers.Job, err error) error {
	switch {
	case err == nil:
		return job.SetFact("valid", true)
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errStorage):
		return handlers.RetryLater(handlers.CodeIO, err)
	case errors.Is(err, errEncrypted):
		return handlers.Warn(CodeEncrypted, err.Error())
	case errors.Is(err, errNotChecked):
		return handlers.Warn(CodeNotChecked, err.Error())
	}
	return errors.Join(job.SetFact("valid", false), handlers.Fail(CodeMalformed, err))
}

var (
	errEncrypted  = errors.New("encrypted")
	errNotChecked = errors.New("not checked")
)

// formatOf is the format that a file is to be of: by its fact mime, else by its extension.
func formatOf(job *handlers.Job) string {
	if mime, ok := job.Fact("mime"); ok {
		text, _ := mime.(string)
		if format := formatByMIME(text); format != "" {
			return format
		}
	}
	return formatByExtension(strings.ToLower(filepath.Ext(job.File().Path)))
}
