// Package copy copies files to another folder, and compares what has arrived.
package copy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/address"
	"github.com/balerhq/baler/internal/ctxio"
	"github.com/balerhq/baler/tasks"
)

// Args are the arguments of handlers that copy each file into a folder.
type Args struct {
	To      string `json:"to"`
	Replace bool   `json:"replace"`
}

// Register adds the handler copy to a registry; see New.
func Register(reg *handlers.Registry) error {
	return RegisterCopying(reg, "copy", "copies files to another folder or into object storage, and compares what has arrived", New(), docs())
}

// RegisterCopying adds a handler of Each to a registry.
func RegisterCopying(reg *handlers.Registry, name, description string, h handlers.Handler, docs handlers.Option) error {
	return reg.Register(name, h, docs,
		handlers.WithDescription(description),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 200, MaxBytes: 256 << 20}),
		handlers.WithOutputFolder("to"), handlers.WithArgsCheck(handlers.CheckWith(func(args any) (Args, error) { return argsOf(name, args) })),
		handlers.WithFacts("copied_to", "sha256", "size"))
}

// New copies each file into the folder in the argument "to", under its path relative to the
// source, under a temporary name at first, or into object storage, below an address such as
// s3://bucket/prefix. It reads the copy back and compares it, and keeps the modification
// time of a copy that is a file. An existing file with the same content is no error. An
// existing file with other content is an error and stays, unless "replace" is true. Facts:
// copied_to, and the sha256 and size of the copy. When an earlier step has recorded another
// sha256, the file fails and is not copied.
func New() handlers.Handler { return Each("copy", copyFile) }

// Each makes a handler that calls do for each file, which copies the file with To. The name
// says in errors what the handler does.
func Each(name string, do func(context.Context, *handlers.Job, Args) error) handlers.Handler {
	return handlers.PerFile(func(ctx context.Context, job *handlers.Job) error {
		args, err := argsOf(name, job.Args())
		if err != nil {
			return err
		}
		return do(ctx, job, args)
	}, handlers.Parallel(2), handlers.StallLimit(handlers.DefaultStallLimit))
}

func argsOf(name string, args any) (a Args, err error) {
	if err := handlers.DecodeArgs(args, &a); err != nil {
		return a, err
	}
	if a.To == "" {
		return a, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("to is missing: name the folder to %s to", name))
	}
	if err := address.CheckDestination(a.To); err != nil {
		return a, handlers.Fail(handlers.CodeBadArgs, err)
	}
	return a, nil
}

func copyFile(ctx context.Context, job *handlers.Job, args Args) error {
	_, _, err := To(ctx, job, job.DestinationIn(args.To), args.Replace)
	return err
}

// To copies the job's file to a path as New says, and records the facts. It also describes
// the file as it was when it was copied.
func To(ctx context.Context, job *handlers.Job, path string, replace bool) (created handlers.Created, before os.FileInfo, err error) {
	f, err := job.Open()
	if err != nil {
		return created, nil, err
	}
	defer f.Close() // only read from
	if before, err = f.Stat(); err != nil {
		return created, nil, handlers.RetryLater(handlers.CodeIO, err)
	}
	recorded, _ := job.Fact("sha256")
	want, _ := recorded.(string) // empty: no earlier step computed it
	options := handlers.CreateOptions{Replace: replace, SHA256: want, ModTime: before.ModTime()}
	created, err = job.Create(ctx, path, options, func(w io.Writer) error {
		if _, err := io.Copy(w, ctxio.NewReader(ctx, source{job.ReadProgress(f, before.Size())})); err != nil {
			return err
		}
		after, err := f.Stat()
		if err != nil {
			return handlers.RetryLater(handlers.CodeIO, err)
		}
		if after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
			return handlers.RetryLater(handlers.CodeChangedWhileReading, errors.New("the file changed while it was copied"))
		}
		return nil
	})
	if err != nil {
		return created, before, err
	}
	return created, before, errors.Join(
		job.SetFact("copied_to", created.Path), job.SetFact("sha256", created.SHA256), job.SetFact("size", created.Size))
}
