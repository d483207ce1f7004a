// Package checksum computes digests of files.
package checksum

import (
	"context"
	"crypto/md5"  //nolint:gosec // fixity is compared with manifests that people have, not relied on against forgery
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"slices"
	"sync"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// The codes of files that have changed.
const (
	CodeSizeChanged = "size-changed" // the file's size is not the one that the scan saw
)

// readSize is what is read at a time: few calls on large files, and an ended
// context is noticed within a millisecond.
const readSize = 256 << 10

// algorithms gives the digests that checksum knows, by the names of their facts.
func algorithms() map[string]func() hash.Hash {
	return map[string]func() hash.Hash{
		"md5":    md5.New,
		"sha1":   sha1.New,
		"sha256": sha256.New,
		"sha512": sha512.New,
	}
}

type checksumArgs struct {
	Algorithms []string `json:"algorithms"`
}

type checksum struct {
	known   map[string]func() hash.Hash
	chosen  func(args any) ([]string, error)
	buffers sync.Pool // of *[]byte, readSize each
}

// Register adds the handler checksum to a registry; see New.
func Register(reg *handlers.Registry) error {
	return reg.Register("checksum", New(), docs(), handlers.WithoutEarlierFacts(),
		handlers.WithDescription("digests of the content, any of md5, sha1, sha256 and sha512, in one read"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 500, MaxBytes: 256 << 20}),
		handlers.WithArgsCheck(checkArgs), handlers.WithFactsOf(factNames),
		handlers.WithReuse(handlers.ReuseByDigest, "1"))
}

// Known reports whether there is an algorithm of this name.
func Known(name string) bool { return algorithms()[name] != nil }

// NewHash makes the hash of an algorithm that is Known.
func NewHash(name string) hash.Hash { return algorithms()[name]() }

// New computes digests of a file's content in one read. Arguments:
// {"algorithms": ["md5", "sha1", "sha256", "sha512"]}, sha256 when not given.
// Facts: a hexadecimal digest under each algorithm's name, and size, the bytes read.
func New() handlers.Handler {
	return handlers.PerFile(newChecksumOf(algorithms()).file, handlers.Parallel(0), handlers.StallLimit(handlers.DefaultStallLimit))
}

func newChecksumOf(known map[string]func() hash.Hash) *checksum {
	c := &checksum{known: known}
	c.chosen = handlers.OncePerArgs(func(args any) ([]string, error) { return chosenAlgorithms(args, known) })
	c.buffers.New = func() any { return new(make([]byte, readSize)) }
	return c
}

// factNames are the facts of a step with these arguments.
func factNames(args any) []string {
	chosen, _ := chosenAlgorithms(args, algorithms()) // checkArgs reports the error
	return append(slices.Clone(chosen), "size")
}

func checkArgs(args any) error {
	_, err := chosenAlgorithms(args, algorithms())
	return err
}

func chosenAlgorithms(args any, known map[string]func() hash.Hash) ([]string, error) {
	chosen := checksumArgs{Algorithms: []string{"sha256"}}
	if err := handlers.DecodeArgs(args, &chosen); err != nil {
		return nil, err
	}
	if len(chosen.Algorithms) == 0 {
		return nil, handlers.Fail(handlers.CodeBadArgs, errors.New("algorithms is empty: name some of md5, sha1, sha256, sha512"))
	}
	for i, name := range chosen.Algorithms {
		if known[name] == nil {
			return nil, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("unknown algorithm %q: one of md5, sha1, sha256, sha512", name))
		}
		if slices.Contains(chosen.Algorithms[:i], name) {
			return nil, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("algorithm %q is named twice", name))
		}
	}
	return chosen.Algorithms, nil
}

func (c *checksum) file(ctx context.Context, job *handlers.Job) error {
	names, err := c.chosen(job.Args())
	if err != nil {
		return err
	}
	digests, size, err := c.digests(ctx, job, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := job.SetFact(name, digests[name]); err != nil {
			return err
		}
	}
	if err := job.SetFact("size", size); err != nil {
		return err
	}
	if scanned := job.File().Size; scanned != size {
		return handlers.Warn(CodeSizeChanged, fmt.Sprintf("the scan saw %d bytes, now there are %d", scanned, size))
	}
	return nil
}

// Reader computes digests for other handlers. It is safe for concurrent use.
type Reader struct{ c *checksum }

// NewReader makes a Reader that knows the algorithms md5, sha1, sha224, sha256, sha384 and
// sha512.
func NewReader() *Reader {
	known := algorithms()
	known["sha224"], known["sha384"] = sha256.New224, sha512.New384
	return &Reader{newChecksumOf(known)}
}

// Digests reads a job's whole file and returns its digests by algorithm, in hexadecimal.
// A file that changes meanwhile is an error, to be retried.
func (r *Reader) Digests(ctx context.Context, job *handlers.Job, names []string) (map[string]string, error) {
	digests, _, err := r.c.digests(ctx, job, names)
	return digests, err
}

func (c *checksum) digests(ctx context.Context, job *handlers.Job, names []string) (map[string]string, int64, error) {
	f, err := job.Open()
	if err != nil {
		return nil, 0, err
	}
	defer f.Close() // only read from: closing has nothing to tell
	digests := make([]hash.Hash, len(names))
	for i, name := range names {
		digests[i] = c.known[name]()
	}
	size, err := c.read(ctx, f, digests, job)
	if err != nil {
		return nil, 0, err
	}
	texts := make(map[string]string, len(names))
	for i, name := range names {
		texts[name] = hex.EncodeToString(digests[i].Sum(nil))
	}
	return texts, size, nil
}

// read feeds the whole file to the digests, and makes sure that it stayed as it was.
func (c *checksum) read(ctx context.Context, f handlers.ReadableFile, digests []hash.Hash, job *handlers.Job) (int64, error) {
	before, err := f.Stat()
	if err != nil {
		return 0, handlers.RetryLater(handlers.CodeIO, err)
	}
	size, err := c.feed(ctx, f, digests, func(n int64) { job.SetProgress(tasks.Progress{Bytes: n, OfBytes: before.Size()}) })
	if err != nil {
		return 0, err
	}
	after, err := f.Stat()
	if err != nil {
		return 0, handlers.RetryLater(handlers.CodeIO, err)
	}
	return size, unchanged(before, after, size)
}

func (c *checksum) feed(ctx context.Context, r io.Reader, digests []hash.Hash, progress func(n int64)) (int64, error) {
	buffer, _ := c.buffers.Get().(*[]byte) // New gives nothing else
	defer c.buffers.Put(buffer)
	var size int64
	for {
		if err := ctx.Err(); err != nil {
			return size, err
		}
		n, err := r.Read(*buffer)
		for _, digest := range digests {
			digest.Write((*buffer)[:n]) // a hash never fails to write
		}
		size += int64(n)
		progress(size)
		if errors.Is(err, io.EOF) {
			return size, nil
		}
		if err != nil {
			return size, handlers.RetryLater(handlers.CodeIO, err)
		}
	}
}

func unchanged(before, after fs.FileInfo, read int64) error {
	if before.Size() == read && after.Size() == read && before.ModTime().Equal(after.ModTime()) {
		return nil
	}
	return handlers.RetryLater(handlers.CodeChangedWhileReading, fmt.Errorf(
		"the file changed while it was read: %d bytes of %s before, %d read, %d of %s after",
		before.Size(), before.ModTime(), read, after.Size(), after.ModTime()))
}
