package handlers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/balerhq/baler/tasks"
)

// CreateOptions configures Job.Create. The zero value is ready to use.
type CreateOptions struct {
	// Replace replaces a file that is there with other content. Without it that is an error.
	Replace bool

	// SHA256 is the digest that the content must have, in hexadecimal; empty: any. Content
	// with another one fails with CodeDigestMismatch, and nothing is put in place.
	SHA256 string

	ModTime time.Time // the modification time of the file; zero: when it is written
}

// Created is a file that Job.Create has put in place.
type Created struct {
	Path   string // absolute
	Size   int64
	SHA256 string // of what was written, in hexadecimal
}

// CodeOutputInSource says that a step may not write there, because it is in a source.
const CodeOutputInSource = "output-in-source"

// Create writes a file and puts it in place, with a rename, when write has returned nil and
// what can be read back has the digest of what was written. Folders on the way are made.
// The path must lie below a folder that the worker may write (BALER_OUTPUTS), and in no
// source of the transfer. It may be the path of an object, see tasks.IsObject; then it has no
// temporary name, because the store puts it in place as a whole. Because a
// batch may run twice, a file with the same content that is there already is no error.
// An error that is returned as it is ends the file rightly.
func (j *Job) Create(ctx context.Context, path string, opts CreateOptions, write func(w io.Writer) error) (c Created, err error) {
	if tasks.IsObject(path) {
		return j.createObject(ctx, path, opts, write)
	}
	whole := filepath.Clean(path)
	if !filepath.IsAbs(path) {
		whole = filepath.Join(j.spec.Outputs.relative, path)
	}
	if err := j.outsideSources(whole); err != nil {
		return c, err
	}
	p, err := j.spec.Outputs.at(path)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, p.root.Close()) }()
	if err := j.sweep(p); err != nil {
		return c, WriteFailure(path, err)
	}
	temporary := p.beside(j.temporary())
	digest := sha256.New()
	err = WriteNew(p.root, temporary, func(w io.Writer) error {
		return write(&progressWriter{ctx, io.MultiWriter(w, digest), j, &c.Size})
	})
	if err == nil {
		c.Path, c.SHA256 = p.path, hex.EncodeToString(digest.Sum(nil))
		if want := opts.SHA256; want != "" && !strings.EqualFold(want, c.SHA256) {
			err = Fail(CodeDigestMismatch, fmt.Errorf("sha256 is %s, not %s", c.SHA256, want))
		}
	}
	if err == nil {
		err = j.putFile(ctx, p, temporary, opts, c.SHA256)
	}
	if err != nil {
		return Created{}, errors.Join(err, p.root.RemoveAll(temporary))
	}
	return c, nil
}

// putFile compares what was written with its digest, and puts it in its place.
func (j *Job) putFile(ctx context.Context, p *destination, temporary string, opts CreateOptions, digest string) error {
	written, err := j.fileDigest(ctx, p.root, temporary)
	if err != nil {
		return WriteFailure(p.path, err)
	}
	if written != digest {
		return RetryLater(CodeIO, fmt.Errorf(
			"write %s: what can be read back is not what was written: sha256 %s instead of %s", p.path, written, digest))
	}
	if !opts.Replace {
		there, err := j.fileDigest(ctx, p.root, p.name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return WriteFailure(p.path, err)
		case there == digest:
			return errors.Join(p.keep(), p.root.Remove(temporary))
		default:
			return Fail(CodeDestinationExists, fmt.Errorf("%s is there with other content; it stays as it is", p.path))
		}
	}
	if !opts.ModTime.IsZero() {
		if err := p.root.Chtimes(temporary, opts.ModTime, opts.ModTime); err != nil {
			return WriteFailure(p.path, err)
		}
	}
	if err := errors.Join(p.root.Rename(temporary, p.name), syncPath(p.root, p.dir())); err != nil {
		return WriteFailure(p.path, err)
	}
	return nil
}

// keep syncs an existing file: the process that put it there may have died before that, and
// the source may be removed now.
func (p *destination) keep() error {
	if err := errors.Join(syncPath(p.root, p.name), syncPath(p.root, p.dir())); err != nil {
		return WriteFailure(p.path, err)
	}
	return nil
}

// fileDigest reads a file of the folder.
func (j *Job) fileDigest(ctx context.Context, root *os.Root, name string) (string, error) {
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	return j.digestOf(ctx, f)
}

// digestOf reads f to its end, and closes it.
func (j *Job) digestOf(ctx context.Context, f io.ReadCloser) (string, error) {
	defer f.Close() // only read from
	digest := sha256.New()
	var size int64
	if _, err := io.Copy(&progressWriter{ctx, digest, j, &size}, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// progressWriter ends with its context, and reports that the job makes progress.
type progressWriter struct {
	ctx  context.Context //nolint:containedctx // of one call of Create
	w    io.Writer
	job  *Job
	size *int64
}

func (p *progressWriter) Write(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := p.w.Write(b)
	*p.size += int64(n)
	p.job.Progress()
	return n, err
}

// prefix is how the temporary files of this file at this step are called, at all attempts.
func (j *Job) prefix() string {
	return fmt.Sprintf(".baler-%d-%d-%d-", j.spec.Transfer, j.spec.Step, j.spec.File.No)
}

// temporary is a name of this attempt alone: one that was only frozen must not put in place
// what a later one is writing.
func (j *Job) temporary() string { return j.prefix() + rand.Text() }

// sweep removes what earlier attempts have left beside a place.
func (j *Job) sweep(p *destination) error {
	if j.spec.Attempt <= 1 && !j.spec.RunBefore {
		return nil
	}
	entries, err := fs.ReadDir(p.root.FS(), filepath.ToSlash(p.dir()))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), j.prefix()) {
			if err := p.root.Remove(p.beside(e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
