package storage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/balerhq/baler/tasks"
)

// pageSize is how many objects are listed by one request: the most that S3 takes.
const pageSize = 1000

// List calls emit for the object at path, if there is one, and for all objects below
// path + "/", in the order of their keys' bytes. It holds one page of the listing in memory.
// When there is none at all it returns fs.ErrNotExist, but for a bucket that is empty.
func (b *Buckets) List(ctx context.Context, path string, emit func(tasks.File) error) error {
	s, key, err := b.bucket(ctx, path)
	if err != nil {
		return err
	}
	bucket, _ := tasks.SplitObject(path)
	l := lister{service: s, bucket: bucket, emit: emit}
	if key == "" {
		return l.below(ctx, "")
	}
	if _, err := l.one(ctx, key); err != nil {
		return err
	}
	if err := l.below(ctx, key+"/"); err != nil {
		return err
	}
	if l.found == 0 {
		return noneBelow(key)
	}
	return nil
}

// Stat describes the object at path; fs.ErrNotExist when there is none.
func (b *Buckets) Stat(ctx context.Context, path string) (o tasks.File, err error) {
	s, key, err := b.bucket(ctx, path)
	if err != nil {
		return o, err
	}
	bucket, _ := tasks.SplitObject(path)
	l := lister{service: s, bucket: bucket, emit: func(found tasks.File) error { o = found; return nil }}
	there, err := l.one(ctx, key)
	if err == nil && !there {
		err = missing("there is no such object")
	}
	return o, err
}

// Exists returns an error when there is no object at path and none below it, and the bucket
// does not exist, or cannot be listed.
func (b *Buckets) Exists(ctx context.Context, path string) error {
	s, key, err := b.bucket(ctx, path)
	if err != nil {
		return err
	}
	bucket, _ := tasks.SplitObject(path)
	l := lister{service: s, bucket: bucket, emit: nothing}
	if key == "" {
		_, _, err := l.page(ctx, "", "", 1)
		return err
	}
	there, err := l.one(ctx, key)
	if err != nil || there {
		return err
	}
	below, _, err := l.page(ctx, key+"/", "", 1)
	if err == nil && len(below) == 0 {
		err = noneBelow(key)
	}
	return err
}

func noneBelow(key string) error {
	return missing(fmt.Sprintf("there is no object %q, and none below it", key))
}

func nothing(tasks.File) error { return nil }

type lister struct {
	service service
	bucket  string
	emit    func(tasks.File) error
	found   int
	last    string
}

// one emits the object with this key. Of all keys that begin with it, it is the first.
func (l *lister) one(ctx context.Context, key string) (there bool, err error) {
	page, _, err := l.page(ctx, key, "", 1)
	if err != nil || len(page) == 0 || page[0].key != key {
		return false, err
	}
	return true, l.put(&page[0])
}

func (l *lister) below(ctx context.Context, prefix string) error {
	for token := ""; ; {
		page, next, err := l.page(ctx, prefix, token, pageSize)
		if err != nil {
			return err
		}
		for i := range page {
			if l.found > 0 && page[i].key <= l.last {
				return fmt.Errorf("%s lists %q behind %q: Baler needs buckets that list keys in the order of their bytes",
					l.bucket, page[i].key, l.last)
			}
			if err := l.put(&page[i]); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		token = next
	}
}

func (l *lister) page(ctx context.Context, prefix, token string, n int) (page []listed, next string, err error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	page, next, err = l.service.list(ctx, prefix, token, n)
	if err != nil {
		return nil, "", fmt.Errorf("list %s: %w", l.bucket, failure(err))
	}
	for i := range page {
		if !strings.HasPrefix(page[i].key, prefix) {
			return nil, "", fmt.Errorf("list %s: the server lists %q, which does not begin with %q", l.bucket, page[i].key, prefix)
		}
	}
	return page, next, nil
}

func (l *lister) put(o *listed) error {
	l.found++
	l.last = o.key
	return l.emit(tasks.File{
		Path: l.bucket + "/" + o.key, Size: o.size, MTime: o.modTime.UTC().Truncate(time.Microsecond), Version: o.version,
	})
}
