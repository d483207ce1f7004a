package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"slices"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// What is shown of a picture at most: the handler thumbnail writes JPEG of up to 4096 pixels.
const (
	maxThumbnail     = 4 << 20
	maxThumbnailSide = 4096
)

// HaveThumbnails implements web.Thumbnails.
func (b *Backend) HaveThumbnails(ctx context.Context, t *tasks.Transfer, files tasks.Ranges) (map[int64]bool, error) {
	all, err := b.Store.Thumbnails(ctx, t.ID, thumbnailSteps(t), files)
	have := make(map[int64]bool, len(all))
	for no := range all {
		have[no] = true
	}
	return have, err
}

// thumbnailSteps are the steps of the built-in handler. Others may have a fact of its name.
func thumbnailSteps(t *tasks.Transfer) (steps []int) {
	for _, s := range t.Steps {
		if s.Handler == "thumbnail" {
			steps = append(steps, s.Number)
		}
	}
	return steps
}

// Thumbnail implements web.Thumbnails. The path is what a step has recorded, and whoever can
// write to the database can record any: so only a JPEG of a bounded size is read, within the
// folders and prefixes in the settings outputs and roots.
func (b *Backend) Thumbnail(ctx context.Context, t *tasks.Transfer, file int64) ([]byte, error) {
	all, err := b.Store.Thumbnails(ctx, t.ID, thumbnailSteps(t), tasks.NewRanges([]int64{file}))
	if err != nil {
		return nil, err
	}
	if len(all[file]) == 0 {
		return nil, noThumbnail(errors.New("no step has made a picture of this file"))
	}
	roots, err := handlers.NewRoots(b.thumbnailRoots())
	if err != nil {
		return nil, err
	}
	defer roots.Close() // nothing was written
	f, err := roots.WithObjects(b.Objects).Open(all[file][0])
	if err != nil { // without its reason, which would tell what exists elsewhere
		return nil, noThumbnail(errors.New("the picture is gone, or outside of the folders in the settings outputs and roots"))
	}
	defer f.Close() // nothing was written
	content, err := io.ReadAll(io.LimitReader(f, maxThumbnail+1))
	if err != nil {
		return nil, noThumbnail(fmt.Errorf("the picture cannot be read: %w", err))
	}
	shape, err := jpeg.DecodeConfig(bytes.NewReader(content))
	if err != nil || len(content) > maxThumbnail || max(shape.Width, shape.Height) > maxThumbnailSide {
		return nil, noThumbnail(errors.New("the file in the place of the picture is no small JPEG"))
	}
	return content, nil
}

func noThumbnail(err error) error { return &api.RequestError{Missing: true, Err: err} }

// thumbnailRoots are where pictures may be. A run of one person, on a database of their own,
// writes anywhere unless outputs is set, and so its pages read from anywhere.
func (b *Backend) thumbnailRoots() []string {
	if b.ownRun && len(b.Writable) == 0 && b.Store.Dialect() == db.SQLite {
		return []string{"/"}
	}
	return slices.Concat(b.Writable, b.Readable)
}
