// Package mets writes a METS document of a whole transfer: version 1.12.1.
package mets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/premis"
	"github.com/balerhq/baler/internal/xmlstream"
)

type metsArgs struct {
	To           string              `json:"to"`
	Premis       string              `json:"premis"`
	Base         string              `json:"base"`
	Organization premis.Organization `json:"organization"`
	Events       map[string]string   `json:"events"`
}

// embedded is the argument premis for metadata within the document.
const embedded = "embedded"

func newMetsArgs(args any) (m metsArgs, err error) {
	if err := handlers.DecodeArgs(args, &m); err != nil {
		return m, err
	}
	if m.To == "" {
		return m, handlers.Fail(handlers.CodeBadArgs, errors.New("to is missing: the path of the METS document"))
	}
	m.Premis = cmp.Or(m.Premis, embedded)
	d := document{options: Options{Premis: m.Premis, Base: m.Base}}
	if err := d.locations(); err != nil {
		return m, err
	}
	return m, m.Organization.Check()
}

// Register adds the finalizer mets to a registry.
func Register(reg *handlers.Registry) error {
	return reg.RegisterFinalizer("mets", Finalize, docs(),
		handlers.WithDescription("METS 1.12.1: files with checksums, folders, and PREMIS"),
		handlers.WithArgsCheck(handlers.CheckWith(newMetsArgs)), handlers.WithOutput(output))
}

func output(args any) handlers.Output {
	a, _ := newMetsArgs(args) // wrong arguments are the check's
	return handlers.Output{Path: a.To}
}

// Finalize writes a METS document of the collection in bounded memory: its header, PREMIS
// or a reference to it, the files with their checksums, and the folders that they are in.
// Arguments: {"to": path, "premis": "embedded" or the path of the PREMIS document, "base":
// the beginning of the locations of files, "organization", "events"}, the last two as for
// premis.
func Finalize(ctx context.Context, c *handlers.TransferJob) error {
	args, err := newMetsArgs(c.Args())
	if err != nil {
		return err
	}
	return c.Create(args.To, func(w io.Writer) error {
		return Write(ctx, c, w, Options{
			Options: premis.Options{Organization: args.Organization, Events: args.Events}, Premis: args.Premis, Base: args.Base,
		})
	})
}

// Options say what a document contains beside what is recorded.
type Options struct {
	premis.Options

	Premis string // where the PREMIS document is, or embedded
	Base   string // what locations of files begin with
}

// Write writes a whole document.
func Write(ctx context.Context, c *handlers.TransferJob, w io.Writer, o Options) error {
	d := &document{ctx: ctx, job: c, x: xmlstream.New(w), options: o, base: handlers.CommonFolder(c.Transfer().Sources)}
	if err := d.locations(); err != nil {
		return err
	}
	t := c.Transfer()
	schemas := "http://www.loc.gov/METS/ https://www.loc.gov/standards/mets/version1121/mets.xsd"
	if o.Premis == embedded { // a validator refuses xsi:type of an object without the schema that has the type
		schemas += " " + premis.SchemaLocation
	}
	d.x.Start("mets", "xmlns", "http://www.loc.gov/METS/", "xmlns:xlink", "http://www.w3.org/1999/xlink",
		"xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance",
		"xsi:schemaLocation", schemas, "OBJID", t.UUID, "LABEL", t.Name)
	d.header()
	for _, write := range []func() error{d.metadata, d.files, d.folders} {
		if err := write(); err != nil {
			return err
		}
	}
	d.x.End()
	if d.x.Err() != nil {
		return handlers.RetryLater(handlers.CodeIO, fmt.Errorf("write METS: %w", d.x.Err()))
	}
	return nil
}
