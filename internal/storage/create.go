package storage

import (
	"context"
	"io"
)

// Create writes an object once write has returned nil, all of it or nothing. Unless replace is
// set, it fails with fs.ErrExist when there is an object.
func (b *Buckets) Create(ctx context.Context, path string, replace bool, write func(io.Writer) error) error {
	s, key, err := b.bucket(ctx, path)
	if err != nil {
		return err
	}
	if !replace {
		there, err := (&lister{service: s, emit: nothing}).one(ctx, key)
		if err != nil {
			return err
		}
		if there { // also on a server that takes no conditions
			return errExists
		}
	}
	return failure(s.put(ctx, key, write, replace))
}

// Remove removes an object.
func (b *Buckets) Remove(ctx context.Context, path string) error {
	s, key, err := b.bucket(ctx, path)
	if err != nil {
		return err
	}
	return failure(s.remove(ctx, key))
}
