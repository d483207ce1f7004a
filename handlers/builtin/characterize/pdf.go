package characterize

import (
	"errors"
	"fmt"
	"io"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/pdfconfig"
)

// pdf reads the document information of a PDF.
func (in *input) pdf(found *properties) (err error) {
	if size := in.job.File().Size; size > int64(in.args.MaxPDF) {
		return handlers.Warn(CodeTooLarge, fmt.Sprintf("not characterized: %d bytes are more than max_pdf", size))
	}
	defer func() {
		if failure := recover(); failure != nil { // the library panics for some damaged files
			err = handlers.Warn(CodeDamaged, fmt.Sprintf("not characterized: the PDF is invalid: %v", failure))
		}
	}()
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return in.unreadable(err)
	}
	info, err := api.PDFInfo(in, "", nil, false, pdfconfig.New())
	switch {
	case errors.Is(err, pdfcpu.ErrWrongPassword), errors.Is(err, pdfcpu.ErrUnknownEncryption):
		return handlers.Warn(CodeEncrypted, "not characterized: "+err.Error())
	case err != nil:
		return in.unreadable(err)
	}
	found.by = "pdfcpu"
	found.add("pages", info.PageCount)
	found.add("pdf_version", info.Version)
	found.add("title", info.Title)
	found.add("author", info.Author)
	found.add("description", info.Subject)
	found.add("keywords", info.Keywords)
	found.add("software", info.Producer)
	return nil
}
