package validate

import (
	"errors"
	"fmt"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"

	"github.com/balerhq/baler/internal/pdfconfig"
)

// checkPDF reads the objects of a PDF and validates them by ISO 32000, leniently where
// common writers deviate from it.
func checkPDF(in *input) error {
	if in.size > int64(in.args.MaxPDF) {
		return fmt.Errorf("%w: %d bytes, more than max_pdf", errNotChecked, in.size)
	}
	err := api.Validate(in, pdfconfig.New())
	if errors.Is(err, pdfcpu.ErrWrongPassword) || errors.Is(err, pdfcpu.ErrUnknownEncryption) {
		return fmt.Errorf("%w: %w", errEncrypted, err)
	}
	return err
}
