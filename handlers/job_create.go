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
func (j *Job) Create(ctx context.Context, path string, opts CreateOptions, write func(w io.Writer) error) (Created, error) {
	pending := j.Pending()
	if _, err := pending.Create(ctx, path, opts, write); err != nil {
		return Created{}, errors.Join(err, pending.Close())
	}
	var created Created
	err := pending.Put(ctx, func(c Created, err error) error {
		created = c
		return err
	})
	return created, errors.Join(err, pending.Close())
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
