// Package characterize reads the technical and descriptive properties of files: of images in
// Go, of PDF with pdfcpu, of films, recordings and office files with programs that are
// installed.
package characterize

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// The codes of characterize.
const (
	CodeNotKnown  = "not-known"   // files of this format have no properties that it knows
	CodeNoProgram = "no-program"  // none of the programs is installed that know the format
	CodeDamaged   = "malformed"   // the properties cannot be read: the file is damaged, or of another format than it says
	CodeEncrypted = "encrypted"   // they cannot be read without a password
	CodeTooLarge  = "too-large"   // a PDF above max_pdf
	CodeCut       = "cut"         // there is more metadata than max_metadata
	CodeFailed    = "tool-failed" // a program ended with an error
)

const (
	defaultMaxMetadata = 16 << 10
	defaultMaxPDF      = 128 << 20
	mostMetadata       = 48 << 10 // below handlers.MaxFacts
	defaultTimeout     = 10 * time.Minute
)

type characterizeArgs struct {
	Tags        bool       `json:"tags"`
	MaxMetadata tasks.Size `json:"max_metadata"`
	MaxPDF      tasks.Size `json:"max_pdf"`
}

// Register adds the handler characterize to a registry; see New.
func Register(reg *handlers.Registry) error {
	return reg.Register("characterize", New(),
		handlers.WithDescription("dimensions, EXIF, IPTC and XMP of images, pages of PDF, length and codec of films and recordings"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 100, MaxBytes: 256 << 20}),
		handlers.WithTimeout(defaultTimeout),
		handlers.WithArgsCheck(handlers.CheckWith(argsOf)), handlers.WithFacts(factNames()...),
		handlers.WithServices(missing),
		handlers.WithReuse(handlers.ReuseByName, "1"), handlers.WithReuseState(state))
}

// New makes a handler that reads properties of files, by their content and, where that does
// not tell, by the fact mime, which identify records, or the extension:
//
//   - JPEG, PNG, GIF, TIFF, WebP, BMP, HEIF, AVIF, DNG, CR2, NEF, ARW and PEF: dimensions, EXIF,
//     IPTC and XMP. It reads headers and metadata, and never decodes pixels.
//   - PDF up to the argument "max_pdf", 128 MiB when not given.
//   - films and recordings, with ffprobe, mediainfo or exiftool, the first that is installed.
//   - office files and other images, with exiftool.
//
// With the argument "tags", all tags of EXIF, IPTC and XMP become facts too. Metadata takes at
// most "max_metadata" bytes, 16 KiB when not given; what is above ends with a warning.
//
// A file of another format is skipped. One that cannot be read, or for which no program is
// installed, ends with a warning: it was not characterized.
func New() handlers.Handler {
	return handlers.PerFile(characterize, handlers.Parallel(0), handlers.StallLimit(handlers.DefaultStallLimit))
}

func argsOf(args any) (characterizeArgs, error) {
	a := characterizeArgs{MaxMetadata: defaultMaxMetadata, MaxPDF: defaultMaxPDF}
	if err := handlers.DecodeArgs(args, &a); err != nil {
		return a, err
	}
	if a.MaxMetadata < 1 || a.MaxMetadata > mostMetadata {
		return a, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("max_metadata is %d: give a size from 1 to 48KiB", a.MaxMetadata))
	}
	if a.MaxPDF < 1 {
		return a, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("max_pdf is %d: give a size from 1", a.MaxPDF))
	}
	return a, nil
}

func characterize(ctx context.Context, job *handlers.Job) error {
	args, err := argsOf(job.Args())
	if err != nil {
		return err
	}
	f, err := job.Open()
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	in := &input{ctx: ctx, file: f, job: job, args: args}
	found := newProperties(int(args.MaxMetadata))
	if err := in.read(found); err != nil {
		return errors.Join(found.record(job), err)
	}
	return found.end(job)
}

// input is one file.
type input struct {
	ctx  context.Context //nolint:containedctx // of one file
	file *os.File
	job  *handlers.Job
	args characterizeArgs
}

// read finds the properties of the file.
func (in *input) read(found *properties) error {
	head := make([]byte, 16)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return in.unreadable(err)
	}
	mime, _ := in.job.Fact("mime")
	about := aboutOf(string(head[:n]), in.job.File().Path, fmt.Sprint(mime))
	switch about.kind {
	case kindImage:
		return in.image(found, about.image)
	case kindPDF:
		return in.pdf(found)
	case kindFilm:
		return in.byProgram(found, ffprobe, mediainfo, exiftool)
	case kindOther:
		return in.byProgram(found, exiftool)
	}
	return handlers.Skip(CodeNotKnown, "no properties are known of files of this format: "+
		"images, PDF, films, recordings and office files have some")
}

// Read reads as long as the context lasts.
func (in *input) Read(p []byte) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := in.file.Read(p)
	in.job.Progress()
	return n, err
}

// Seek is that of the file.
func (in *input) Seek(offset int64, whence int) (int64, error) { return in.file.Seek(offset, whence) }

// unreadable tells a file that is damaged from a disk that fails.
func (in *input) unreadable(err error) error {
	if in.ctx.Err() != nil {
		return in.ctx.Err()
	}
	if _, ok := errors.AsType[*os.PathError](err); ok {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	return handlers.Warn(CodeDamaged, "not characterized, or in part only: "+err.Error())
}

// one is what is known of a name: an extension or a prefix of a MIME type.
func one(name string, of ...string) bool {
	return slices.ContainsFunc(of, func(known string) bool {
		return name == known || strings.HasSuffix(known, "*") && strings.HasPrefix(name, strings.TrimSuffix(known, "*"))
	})
}
