package validate

import (
	"errors"
	"fmt"
	"sync"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
)

// disableConfigDir keeps the library from writing settings into the home folder.
//
//nolint:gochecknoglobals // the library has it globally
var disableConfigDir = sync.OnceFunc(api.DisableConfigDir)

// checkPDF reads the objects of a PDF and validates them by ISO 32000, leniently where
// common writers deviate from it.
func checkPDF(in *input) error {
	if in.size > int64(in.args.MaxPDF) {
		return fmt.Errorf("%w: %d bytes, more than max_pdf", errNotChecked, in.size)
	}
	disableConfigDir()
	config := model.NewDefaultConfiguration()
	config.ValidationMode = model.ValidationRelaxed
	config.Offline = true
	err := api.Validate(in, config)
	if errors.Is(err, pdfcpu.ErrWrongPassword) || errors.Is(err, pdfcpu.ErrUnknownEncryption) {
		return fmt.Errorf("%w: %w", errEncrypted, err)
	}
	return err
}
