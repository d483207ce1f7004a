// Package pdfconfig has the settings under which handlers read PDFs with pdfcpu.
package pdfconfig

import (
	"sync"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
)

// disableConfigDir keeps the library from writing settings into the home folder. All handlers
// share it, because it writes a variable of the library that New reads.
//
//nolint:gochecknoglobals // the library has it globally
var disableConfigDir = sync.OnceFunc(api.DisableConfigDir)

// New returns settings that read PDFs by ISO 32000, leniently where common writers deviate
// from it, and without the network.
func New() *model.Configuration {
	disableConfigDir()
	c := model.NewDefaultConfiguration()
	c.ValidationMode = model.ValidationRelaxed
	c.Offline = true
	return c
}
