package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/internal/writable"
	"github.com/balerhq/baler/tasks"
)

// Limits of what a person looks at before a transfer starts.
const (
	shownEntries   = 500              // of a folder
	readEntries    = 10_000           // of a folder, to sort them
	previewTimeout = 10 * time.Second // for a look at all files; pages answer within a minute
)

// Roots implements web.Starter.
func (b *Backend) Roots() []string { return b.Readable }

// Folder implements web.Starter.
func (b *Backend) Folder(ctx context.Context, path string) (f web.Folder, err error) {
	if tasks.IsObject(path) {
		return f, &api.RequestError{
			Err: fmt.Errorf("%q is in object storage, whose folders are not shown here: write the path where paths are written", path),
		}
	}
	path = filepath.Clean(path)
	if !filepath.IsAbs(path) {
		return f, &api.RequestError{Err: fmt.Errorf("%q is not an absolute path", path)}
	}
	roots := worker.ReadableRoots(b.Readable)
	if err := checkReadable(roots, path); err != nil {
		return f, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return f, &api.RequestError{Missing: true, Err: fmt.Errorf("%q cannot be looked at: %w", path, reason(err))}
	}
	if f.Path = path; !info.IsDir() {
		f.Path = filepath.Dir(path)
	}
	if parent := filepath.Dir(f.Path); checkReadable(roots, parent) == nil && parent != f.Path {
		f.Parent = parent
	}
	entries, err := readFolder(ctx, f.Path)
	if err != nil {
		return f, &api.RequestError{Denied: true, Err: fmt.Errorf("%q cannot be looked at: %w", f.Path, reason(err))}
	}
	f.More = len(entries) > shownEntries
	for _, e := range entries[:min(len(entries), shownEntries)] {
		at := filepath.Join(f.Path, e.Name())
		// Links are not followed by a transfer either. They are left out, wherever they lead.
		if e.Type()&^fs.ModeDir != 0 {
			continue
		}
		entry := web.FolderEntry{Name: e.Name(), Path: at, Dir: e.IsDir()}
		if info, err := e.Info(); err == nil {
			entry.Size = info.Size()
		}
		f.Entries = append(f.Entries, entry)
	}
	return f, nil
}

// readFolder reads the entries of a folder, folders first, each sorted by name.
func readFolder(ctx context.Context, path string) (entries []fs.DirEntry, err error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close() // it was read only
	for len(entries) < readEntries && ctx.Err() == nil {
		some, err := dir.ReadDir(500)
		entries = append(entries, some...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int {
		if a.IsDir() != b.IsDir() {
			if a.IsDir() {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name(), b.Name())
	})
	return entries, ctx.Err()
}

// reason is an error of the system without the path, which the message has already.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// Preview implements web.Starter.
func (b *Backend) Preview(ctx context.Context, s api.SubmissionRequest) (p web.SubmissionPreview, err error) {
	r, err := b.recipeOf(ctx, &s)
	if err != nil {
		return p, err
	}
	sub := ingest.TransferRequest{Paths: s.Paths, Selection: s.Selection, Recipe: r, Name: s.Name}
	sources, err := b.sources(&sub)
	if err != nil {
		return p, err
	}
	if err := b.Ingester.CheckPaths(ctx, &sub); err != nil {
		return p, &api.RequestError{Field: "paths", Err: err}
	}
	leftOut, err := b.OutputFiles(r, s.Name, sources)
	if err != nil {
		return p, &api.RequestError{Field: "recipe", Err: err}
	}
	looking, cancel := context.WithTimeout(ctx, previewTimeout)
	defer cancel()
	found, err := b.Ingester.Preview(looking, &sub, sources, "", leftOut)
	if err != nil {
		if looking.Err() == nil || ctx.Err() != nil {
			return p, err
		}
		p.Partial = true
	}
	for _, o := range writable.CheckWorker(r, b.Registry, b.Writable) {
		p.Warnings = append(p.Warnings, fmt.Sprintf("%s cannot be written by this server (%s): %s. "+
			"Unless the workers can, what is to be written there ends as an error.", o.Path, strings.Join(o.Uses, ", "), o.Problem))
	}
	p.Files, p.Bytes, p.Problems = found.Files, found.Bytes, found.Problems
	for _, e := range found.Extensions {
		p.Extensions = append(p.Extensions, web.PreviewCount{Extension: e.Extension, Files: e.Files, Bytes: e.Bytes})
	}
	for _, left := range []struct {
		n         int64
		one, many string
	}{
		{found.Links, "symbolic link is not followed", "symbolic links are not followed"},
		{found.Specials, "socket, named pipe or device is left out", "sockets, named pipes or devices are left out"},
		{found.EmptyFolders, "folder is empty", "folders are empty"},
	} {
		switch {
		case left.n == 1:
			p.Left = append(p.Left, "1 "+left.one+".")
		case left.n > 1:
			p.Left = append(p.Left, fmt.Sprintf("%d %s.", left.n, left.many))
		}
	}
	return p, nil
}
