package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/address"
	"github.com/balerhq/baler/tasks"
)

// Buckets opens buckets when they are needed, and keeps them open. Make one with New. It is
// safe for concurrent use.
type Buckets struct {
	mu     sync.Mutex
	closed bool
	params map[string]url.Values // of buckets that Add was given, by bucket
	open   map[string]service
}

// service is one bucket. Keys are as the service has them.
type service interface {
	// list returns objects whose keys begin with prefix, in the order of the keys' bytes,
	// and what continues the listing; "" at its end. n is how many objects are wanted.
	list(ctx context.Context, prefix, token string, n int) (objects []listed, next string, err error)

	// fetch opens n bytes at an offset, or fewer at the object's end. With a version it
	// fails with errChanged when the object has another one.
	fetch(ctx context.Context, key string, off, n int64, version string) (io.ReadCloser, content, error)

	// put writes an object, unless there is one with this key; then it fails with
	// errExists. It fails with the error of write.
	put(ctx context.Context, key string, write func(io.Writer) error, replace bool) error

	remove(ctx context.Context, key string) error

	io.Closer
}

// listed is an object of a listing.
type listed struct {
	key     string
	size    int64
	modTime time.Time
	version string
}

// content describes an object of which a part was fetched.
type content struct {
	size    int64
	modTime time.Time
	version string
}

// The errors of services that have a meaning here, beside those of package fs.
var (
	errChanged = errors.New("the object has changed since it was opened")
	errExists  = fmt.Errorf("there is an object with this key: %w", fs.ErrExist)
	errPastEnd = errors.New("the offset lies behind the end of the object")
)

// New makes Buckets without any.
func New() *Buckets {
	return &Buckets{params: make(map[string]url.Values), open: make(map[string]service)}
}

// Add notes the parameters of the address of a bucket and returns its path, without them. Addresses of
// the same bucket must not contradict each other.
func (b *Buckets) Add(source string) (path string, err error) {
	path, params, err := address.Parse(source)
	if err != nil || len(params) == 0 {
		return path, err
	}
	bucket, _ := tasks.SplitObject(path)
	b.mu.Lock()
	defer b.mu.Unlock()
	if has, known := b.params[bucket]; known && has.Encode() != params.Encode() {
		return "", fmt.Errorf("two addresses of %s have different parameters", bucket)
	}
	if _, open := b.open[bucket]; open && b.params[bucket] == nil {
		return "", fmt.Errorf("%s is open already, without parameters", bucket)
	}
	b.params[bucket] = params
	return path, nil
}

// Close closes the buckets. Objects that are open cannot be read any more.
func (b *Buckets) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	var err error
	for name, s := range b.open {
		err = errors.Join(err, s.Close())
		delete(b.open, name)
	}
	return err
}

// bucket returns the bucket of a path, and the key. The bucket stays open when ctx ends.
func (b *Buckets) bucket(ctx context.Context, path string) (s service, key string, err error) {
	bucket, key := tasks.SplitObject(path)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, "", errors.New("object storage is closed")
	}
	if s, ok := b.open[bucket]; ok {
		return s, key, nil
	}
	if s, err = openBucket(context.WithoutCancel(ctx), bucket, b.params[bucket]); err != nil {
		return nil, "", err
	}
	b.open[bucket] = s
	return s, key, nil
}

func openBucket(ctx context.Context, bucket string, params url.Values) (service, error) {
	u, err := url.Parse(bucket)
	if err != nil {
		return nil, errors.New("the name of the bucket is invalid")
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	switch u.Scheme {
	case "s3":
		return openS3(ctx, u.Host, params)
	case "gs":
		return openGCS(ctx, u.Host, params)
	default:
		return openAzure(ctx, u.Host, params)
	}
}

// requestTime limits one request, with the content that it reads.
const requestTime = 2 * time.Minute
