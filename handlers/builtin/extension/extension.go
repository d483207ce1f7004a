// Package extension compares the extension of a file with its format.
package extension

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// The codes of extension.
const (
	CodeMismatch      = "extension-mismatch" // PRONOM knows other extensions for this format
	CodeNotIdentified = "not-identified"     // the format is unknown
)

// mismatch is the warning of identify in format_warning for another extension.
const mismatch = "extension mismatch"

// Register adds the handler extension to a registry; see New.
func Register(reg *handlers.Registry) error {
	return reg.Register("extension", New(),
		handlers.WithDescription("compares a file's extension with its format; after identify"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 1000}),
		handlers.WithArgsCheck(handlers.CheckWith(func(args any) (struct{}, error) {
			var none struct{}
			return none, handlers.DecodeArgs(args, &none)
		})),
		handlers.WithFacts("extension", "extension_matches"), handlers.WithReuse(handlers.ReuseByName, "1"))
}

// New makes a handler that compares the extension of a file with the facts puid, format and
// format_warning, which identify records in an earlier step. It does not read the file. A
// file whose extension does not belong to its format ends with a warning; a file of unknown
// format is skipped. Facts: extension, in small letters and with its dot, and
// extension_matches.
func New() handlers.Handler {
	return handlers.PerFile(func(_ context.Context, job *handlers.Job) error {
		puid := text(job, "puid")
		if puid == "" || puid == "UNKNOWN" {
			return handlers.Skip(CodeNotIdentified, "the format is unknown; run identify in an earlier step")
		}
		extension := strings.ToLower(filepath.Ext(job.File().Path))
		matches := !strings.Contains(text(job, "format_warning"), mismatch)
		if err := errors.Join(job.SetFact("extension", extension), job.SetFact("extension_matches", matches)); err != nil || matches {
			return err
		}
		if extension == "" {
			extension = "(none)"
		}
		return handlers.Warn(CodeMismatch, fmt.Sprintf("the extension %s does not belong to %s (%s)", extension, text(job, "format"), puid))
	})
}

func text(job *handlers.Job, fact string) string {
	v, _ := job.Fact(fact)
	s, _ := v.(string)
	return s
}
