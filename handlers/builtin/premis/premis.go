// Package premis writes the preservation metadata of a whole transfer: PREMIS 3.0.
package premis

import (
	"context"
	"errors"
	"io"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/xmlstream"
)

// Organization is the agent on whose behalf a transfer is processed.
type Organization struct {
	Name           string `json:"name"`
	Identifier     string `json:"identifier"`
	IdentifierType string `json:"identifier_type"`
}

type premisArgs struct {
	To           string            `json:"to"`
	Organization Organization      `json:"organization"`
	Events       map[string]string `json:"events"`
}

func newPremisArgs(args any) (p premisArgs, err error) {
	if err := handlers.DecodeArgs(args, &p); err != nil {
		return p, err
	}
	if p.To == "" {
		return p, handlers.Fail(handlers.CodeBadArgs, errors.New("to is missing: the path of the PREMIS document"))
	}
	return p, p.Organization.Check()
}

// Check reports what is missing.
func (o *Organization) Check() error {
	if o.Name == "" && (o.Identifier != "" || o.IdentifierType != "") {
		return handlers.Fail(handlers.CodeBadArgs, errors.New("organization has no name"))
	}
	return nil
}

// Register adds the finalizer premis to a registry.
func Register(reg *handlers.Registry) error {
	return reg.RegisterFinalizer("premis", Finalize, docs(),
		handlers.WithDescription("PREMIS 3.0: files, events and agents"),
		handlers.WithArgsCheck(handlers.CheckWith(newPremisArgs)), handlers.WithOutput(output))
}

func output(args any) handlers.Output {
	a, _ := newPremisArgs(args) // wrong arguments are the check's
	return handlers.Output{Path: a.To}
}

// Finalize writes a PREMIS document of the collection in bounded memory: an object for the
// transfer and for each file, an event for each result, and the agents. Arguments: {"to":
// path, "organization": {"name", "identifier", "identifier_type"}, "events": {step: type}}.
func Finalize(ctx context.Context, c *handlers.TransferJob) error {
	args, err := newPremisArgs(c.Args())
	if err != nil {
		return err
	}
	return c.Create(args.To, func(w io.Writer) error {
		return Write(ctx, c, w, Options{Organization: args.Organization, Events: args.Events})
	})
}

// Options say what a document contains beside what is recorded.
type Options struct {
	Organization Organization
	Events       map[string]string // event types by step, in place of the usual ones
}

// Write writes a whole document.
func Write(ctx context.Context, c *handlers.TransferJob, w io.Writer, o Options) error {
	d := NewDocument(c, o)
	x := xmlstream.New(w)
	x.Start("premis", "xmlns", Namespace, "xmlns:xsi", schemaInstance,
		"xsi:schemaLocation", SchemaLocation, "version", "3.0")
	d.Transfer(x, "")
	for f, err := range c.Files(ctx) {
		if err != nil {
			return err
		}
		d.File(x, &f, "")
	}
	for l, err := range c.Results(ctx) {
		if err != nil {
			return err
		}
		for _, kind := range d.Events(&l) {
			d.Event(x, &l, kind, "")
		}
	}
	for i := range d.Agents() {
		d.Agent(x, i, "")
	}
	x.End()
	if x.Err() != nil {
		return handlers.RetryLater(handlers.CodeIO, x.Err())
	}
	return nil
}
