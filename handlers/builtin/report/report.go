// Package report writes a report of a whole transfer: a page for people, a table, or JSON.
package report

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/balerhq/baler/handlers"
)

// The formats of a report.
const (
	asJSON  = "json"  // the summary and every failure
	asHTML  = "html"  // a page to read and to print
	asCSV   = "csv"   // a row for each result
	asFiles = "files" // CSV with a row for each file, and a column for each fact
)

type reportArgs struct {
	To    string `json:"to"`
	As    string `json:"as"`
	Title string `json:"title"`
}

func newReportArgs(args any) (r reportArgs, err error) {
	if err := handlers.DecodeArgs(args, &r); err != nil {
		return r, err
	}
	if r.To == "" {
		return r, handlers.Fail(handlers.CodeBadArgs, errors.New("to is missing: the path of the report"))
	}
	if r.As == "" {
		r.As = usual(r.To)
	}
	if known := []string{asJSON, asHTML, asCSV, asFiles}; !slices.Contains(known, r.As) {
		return r, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("unknown as %q: one of %s", r.As, strings.Join(known, ", ")))
	}
	return r, nil
}

// usual is the kind of a report by its extension.
func usual(path string) string {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".html", ".htm":
		return asHTML
	case ".csv":
		return asCSV
	}
	return asJSON
}

// Register adds the finalizer report to a registry.
func Register(reg *handlers.Registry) error {
	return reg.RegisterFinalizer("report", Finalize,
		handlers.WithDescription("page to read and print, CSV or JSON: summary, formats, failures"),
		handlers.WithArgsCheck(handlers.CheckWith(newReportArgs)), handlers.WithOutput(output))
}

func output(args any) handlers.Output {
	a, _ := newReportArgs(args) // wrong arguments are the check's
	return handlers.Output{Path: a.To}
}

// Finalize writes a report of the collection in bounded memory. Arguments: {"to": path,
// "as": kind, "title": text}. The kinds are json, the summary and every failure; html, a page
// without scripts; csv, a row for each result; and files, CSV with a row for each file and a
// column for each fact. Without "as", the extension of the path decides.
func Finalize(ctx context.Context, c *handlers.TransferJob) error {
	args, err := newReportArgs(c.Args())
	if err != nil {
		return err
	}
	switch args.As {
	case asHTML:
		return writePage(ctx, c, &args)
	case asCSV:
		return writeResults(ctx, c, args.To)
	case asFiles:
		return writeFiles(ctx, c, args.To)
	}
	return writeJSON(ctx, c, args.To)
}
