package storage

import (
	"context"
	"errors"
	"io"

	"gocloud.dev/blob"
)

// contentType is that of all objects: Baler does not guess it.
const contentType = "application/octet-stream"

// putBlob writes an object whose key the options set. What write leaves unfinished is never
// put in place. Unless replace is set, the options have the service refuse an object that is there.
func putBlob(ctx context.Context, b *blob.Bucket, options *blob.WriterOptions, write func(io.Writer) error, replace bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	options.ContentType, options.DisableContentTypeDetection = contentType, true
	w, err := b.NewWriter(ctx, "key", options)
	if err != nil {
		return err
	}
	if err := write(w); err != nil {
		cancel()      // so that Close drops the object
		_ = w.Close() // says only that
		return err
	}
	if err = failure(w.Close()); errors.Is(err, errChanged) && !replace {
		err = errExists
	}
	return err
}
