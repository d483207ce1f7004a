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
	return chosen.Algorithms, check(chosen.Algorithms, known)
}

// Check returns an error when there is no algorithm of one of the names, or a name is there
// twice. md5, sha1, sha256 and sha512 are known.
func Check(names []string) error { return check(names, algorithms()) }

func check(names []string, known map[string]func() hash.Hash) error {
	for i, name := range names {
		if known[name] == nil {
			return handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("unknown algorithm %q: one of md5, sha1, sha256, sha512", name))
		}
		if slices.Contains(names[:i], name) {
			return handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("algorithm %q is named twice", name))
		}
	}
	return nil
}

func (c *checksum) file(ctx context.Context, job *handlers.Job) error {
	names, err := c.chosen(job.Args())
	if err != nil {
		return err
	}
	f, err := job.Open()
	if err != nil {
		return err
	}
	defer f.Close() // only read from: closing has nothing to tell
	return c.record(ctx, job, f, names, func(io.ReaderAt, int64) error { return nil })
}

// record sets the facts of an open file; see Reader.Record.
func (c *checksum) record(ctx context.Context, job *handlers.Job, f handlers.ReadableFile, names []string, look look) error {
	return c.digests(ctx, job, f, names, func(digests []string, content io.ReaderAt, size int64) error {
		for i, name := range names {
			if err := job.SetFact(name, digests[i]); err != nil {
				return err
			}
		}
		if err := job.SetFact("size", size); err != nil {
			return err
		}
		if err := look(content, size); err != nil {
			return err
		}
		if scanned := job.File().Size; scanned != size {
			return handlers.Warn(CodeSizeChanged, fmt.Sprintf("the scan saw %d bytes, now there are %d", scanned, size))
		}
		return nil
	})
}

// look is called with what a file contains, or, when that is much, with the file itself.
type look = func(content io.ReaderAt, size int64) error

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
	f, err := job.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read from: closing has nothing to tell
	texts := make(map[string]string, len(names))
	err = r.c.digests(ctx, job, f, names, func(digests []string, _ io.ReaderAt, _ int64) error {
		for i, name := range names {
			texts[name] = digests[i]
		}
		return nil
	})
	return texts, err
}

// Record does to a job's open file what the handler checksum does, and then calls look, for
// a handler that looks at the content, too, so that it reads the file once. look gets a
// InMemory when the file is small, valid until it returns, else the file itself. Its
// error, which may be a warning, comes before the warning that the size has changed.
func (r *Reader) Record(ctx context.Context, job *handlers.Job, f handlers.ReadableFile, names []string,
	look func(content io.ReaderAt, size int64) error,
) error {
	return r.c.record(ctx, job, f, names, look)
}

// digests reads a file, makes sure that it stayed as it was, and passes on its digests and
// its content.
func (c *checksum) digests(ctx context.Context, job *handlers.Job, f handlers.ReadableFile, names []string,
	then func(digests []string, content io.ReaderAt, size int64) error,
) error {
	hashes := make([]hash.Hash, len(names))
	for i, name := range names {
		hashes[i] = c.known[name]()
	}
	buffer, _ := c.buffers.Get().(*[]byte) // New gives nothing else
	defer c.buffers.Put(buffer)
	size, err := read(ctx, f, *buffer, hashes, job)
	if err != nil {
		return err
	}
	digests := make([]string, len(names))
	for i := range names {
		digests[i] = hex.EncodeToString(hashes[i].Sum(nil))
	}
	if size < int64(len(*buffer)) {
		return then(digests, InMemory((*buffer)[:size]), size)
	}
	return then(digests, f, size)
}

// read gives the whole file to the hashes, and makes sure that it stayed as it was.
func read(ctx context.Context, f handlers.ReadableFile, buffer []byte, hashes []hash.Hash, job *handlers.Job) (int64, error) {
	before, err := f.Stat()
	if err != nil {
		return 0, handlers.RetryLater(handlers.CodeIO, err)
	}
	size, err := feed(ctx, f, buffer, hashes, func(n int64) { job.SetProgress(tasks.Progress{Bytes: n, OfBytes: before.Size()}) })
	if err != nil {
		return 0, err
	}
	after, err := f.Stat()
	if err != nil {
		return 0, handlers.RetryLater(handlers.CodeIO, err)
	}
	return size, unchanged(before, after, size)
}

// InMemory is the whole content of a file, in memory.
type InMemory []byte

// ReadAt copies from the content.
func (c InMemory) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, c[min(off, int64(len(c))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// feed gives all that there is to the hashes. What is less than the buffer stays in it.
func feed(ctx context.Context, r io.Reader, buffer []byte, hashes []hash.Hash, progress func(n int64)) (int64, error) {
	var size int64
	filled := 0
	for {
		if err := ctx.Err(); err != nil {
			return size, err
		}
		n, err := r.Read(buffer[filled:])
		for _, h := range hashes {
			h.Write(buffer[filled:][:n]) // a hash never fails to write
		}
		size += int64(n)
		if filled += n; filled == len(buffer) {
			filled = 0
		}
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
