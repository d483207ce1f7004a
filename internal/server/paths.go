package server

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/address"
	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/tasks"
)

// sources checks the paths of a submission.
func (b *Backend) sources(sub *ingest.TransferRequest) ([]string, error) {
	if len(b.Readable) == 0 {
		return nil, &api.RequestError{
			Denied: true, Err: fmt.Errorf("the server accepts no files over HTTP: %w", worker.ErrNoRoots),
		}
	}
	for _, p := range sub.Paths {
		if tasks.IsObject(p) {
			if path, _, err := address.Parse(p); err != nil || strings.TrimSuffix(p, "/") != path {
				// Where requests with this server's credentials go is not for clients to choose.
				return nil, &api.RequestError{
					Field: "paths", Err: errors.New("a path in object storage is scheme://bucket/prefix, without parameters"),
				}
			}
			continue
		}
		if !filepath.IsAbs(p) {
			return nil, &api.RequestError{Field: "paths", Err: fmt.Errorf("%q is not an absolute path", p)}
		}
	}
	// Check this first: a client that may not read a path must not learn whether it exists.
	roots := worker.ReadableRoots(b.Readable)
	for _, p := range sub.Paths {
		if err := checkReadable(roots, cleanPath(p)); err != nil {
			return nil, err
		}
	}
	sources, err := b.Ingester.Sources(sub)
	if err != nil {
		return nil, &api.RequestError{Err: err}
	}
	return sources, nil
}

// checkReadable reports whether a path leads out of the roots.
func checkReadable(roots []string, path string) error {
	if tasks.IsObject(path) {
		return checkWithin(roots, path, path)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		real = path // it does not exist, or may not be looked at: its name decides
	}
	return checkWithin(roots, path, path, real)
}

// checkWithin reports whether one of the names of a path lies outside of the roots.
func checkWithin(roots []string, path string, names ...string) error {
	for _, p := range names {
		if !slices.ContainsFunc(roots, func(root string) bool { return isIn(p, root) }) {
			return &api.RequestError{
				Denied: true, Err: fmt.Errorf("%q lies outside of the folders that the server may read (BALER_ROOTS)", path),
			}
		}
	}
	return nil
}

func isIn(path, root string) bool {
	if tasks.IsObject(path) || tasks.IsObject(root) {
		return handlers.IsInObject(root, path)
	}
	return path == root || ingest.Below(path, root)
}

// cleanPath is filepath.Clean for paths of files. Those of objects are as they are.
func cleanPath(path string) string {
	if tasks.IsObject(path) {
		return strings.TrimSuffix(path, "/")
	}
	return filepath.Clean(path)
}

// CheckWithinRoots reports a path outside of the folders that this process may read, when
// these are set.
func (b *Backend) CheckWithinRoots(path string) error {
	roots := worker.ReadableRoots(b.Readable)
	if len(roots) == 0 {
		return nil
	}
	return checkWithin(roots, path, path)
}
