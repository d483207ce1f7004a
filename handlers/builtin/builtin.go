// Package builtin holds the handlers that come with Baler and need no database, one
// package each: checksum, coprocess, copy, exec, extract, move, sanitize-names, identify, characterize, extension, verify, validate,
// virus-scan and noop for files, manifest, report, bag, premis and mets for final steps. A worker adds load itself, because load
// needs the worker's database.
package builtin

import (
	"errors"
	"fmt"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/bag"
	"github.com/balerhq/baler/handlers/builtin/characterize"
	"github.com/balerhq/baler/handlers/builtin/checksum"
	"github.com/balerhq/baler/handlers/builtin/coprocess"
	copyfile "github.com/balerhq/baler/handlers/builtin/copy"
	"github.com/balerhq/baler/handlers/builtin/exec"
	"github.com/balerhq/baler/handlers/builtin/extension"
	"github.com/balerhq/baler/handlers/builtin/extract"
	"github.com/balerhq/baler/handlers/builtin/faulty"
	"github.com/balerhq/baler/handlers/builtin/identify"
	"github.com/balerhq/baler/handlers/builtin/manifest"
	"github.com/balerhq/baler/handlers/builtin/mets"
	"github.com/balerhq/baler/handlers/builtin/move"
	"github.com/balerhq/baler/handlers/builtin/noop"
	"github.com/balerhq/baler/handlers/builtin/premis"
	"github.com/balerhq/baler/handlers/builtin/report"
	"github.com/balerhq/baler/handlers/builtin/sanitizenames"
	"github.com/balerhq/baler/handlers/builtin/thumbnail"
	"github.com/balerhq/baler/handlers/builtin/validate"
	"github.com/balerhq/baler/handlers/builtin/verify"
	"github.com/balerhq/baler/handlers/builtin/virusscan"
)

// Register adds all of them to a registry. Names that are taken are reported
// together; the others are added.
func Register(reg *handlers.Registry) error {
	return errors.Join(
		checksum.Register(reg), characterize.Register(reg), identify.Register(reg), extension.Register(reg), verify.Register(reg), validate.Register(reg),
		copyfile.Register(reg), move.Register(reg), sanitizenames.Register(reg), extract.Register(reg), thumbnail.Register(reg),
		exec.Register(reg), coprocess.Register(reg), noop.Register(reg), virusscan.Register(reg),
		manifest.Register(reg), report.Register(reg), bag.Register(reg), premis.Register(reg), mets.Register(reg),
		faulty.Register(reg),
	)
}

// Registry returns a new registry with all of them. Other handlers can be
// registered beside them.
func Registry() *handlers.Registry {
	reg := &handlers.Registry{}
	if err := Register(reg); err != nil {
		panic(fmt.Sprintf("built-in handlers: %v", err)) // a defect of this program
	}
	return reg
}
