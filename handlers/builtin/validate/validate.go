// Package validate reads whole files and checks that they are well-formed.
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

// The codes of validate.
const (
	CodeMalformed   = "malformed"    // the file has another format, or is damaged
	CodeNotChecked  = "not-checked"  // the check for this format cannot be made of this file
	CodeNoValidator = "no-validator" // there is no check for this format
	CodeEncrypted   = "encrypted"    // the content cannot be checked without the password
)

// Limits on the unpacked size, so that a small file cannot exhaust a worker.
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

// Read reads the file. It fails once the context has ended.
func (in *input) Read(p []byte) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := in.file.Read(p)
	in.job.Progress()
	return n, storageError(err)
}

// ReadAt reads the file at an offset. It fails once the context has ended.
func (in *input) ReadAt(p []byte, at int64) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := in.file.ReadAt(p, at)
	in.job.Progress()
	return n, storageError(err)
}

// Seek seeks in the file.
func (in *input) Seek(offset int64, whence int) (int64, error) { return in.file.Seek(offset, whence) }

// errStorage is wrapped by errors of the system. They do not mean that the file is
// malformed.
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
		handlers.WithDescription("checks that JSON, XML, CSV, images, PDF, ZIP and gzip are well-formed"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 100, MaxBytes: 256 << 20}),
		handlers.WithArgsCheck(handlers.CheckWith(argsOf)),
		handlers.WithFacts("valid", "validated_as"), handlers.WithReuse(handlers.ReuseByName, "1"))
}

// New makes a handler that checks whether files are well-formed: JSON and JSON lines, XML,
// CSV, the images that Go decodes (JPEG, PNG, GIF, TIFF, BMP, WebP), PDF, ZIP with the
// formats based on it, such as docx, odt and epub, and gzip. The format is that of the fact
// mime, which identify records, else of the extension, else of the argument "as". Files
// above the limits in the arguments "max_pixels", "max_unpacked" and "max_pdf" are not
// checked.
//
// A file that is not well-formed fails. A file that cannot be checked, because it is
// encrypted or above a limit, ends with a warning; a file of another format is skipped. Both
// have no fact valid. Facts: valid, when the check has been made, and validated_as.
func New() handlers.Handler {
	return handlers.PerFile(validate, handlers.Parallel(0), handlers.StallLimit(handlers.DefaultStallLimit))
}

func argsOf(args any) (validateArgs, error) {
	a := validateArgs{MaxPixels: defaultMaxPixels, MaxUnpacked: defaultMaxUnpacked, MaxPDF: defaultMaxPDF}
	if err := handlers.DecodeArgs(args, &a); err != nil {
		return a, err
	}
	if a.As != "" && checks()[a.As] == nil {
		return a, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("as is %q; it must be one of %s", a.As, strings.Join(formatNames(), ", ")))
	}
	if a.MaxPixels < 1 || a.MaxUnpacked < 1 || a.MaxPDF < 1 {
		return a, handlers.Fail(handlers.CodeBadArgs, errors.New("max_pixels, max_unpacked and max_pdf must be at least 1"))
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

// conclude turns the error of a check into a verdict.
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

// formatOf returns the format to check: by the fact mime, else by the extension.
func formatOf(job *handlers.Job) string {
	if mime, ok := job.Fact("mime"); ok {
		text, _ := mime.(string)
		if format := formatByMIME(text); format != "" {
			return format
		}
	}
	return formatByExtension(strings.ToLower(filepath.Ext(job.File().Path)))
}
