package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

// CodeUnsupportedName says that the destination has no such names.
const CodeUnsupportedName = "unsupported-name"

// maxKey is how long a key may be, in bytes.
const maxKey = 1024

// DestinationIn returns where the job's file goes below a folder, or a prefix in object
// storage: under its path relative to the source.
func (j *Job) DestinationIn(to string) string {
	if tasks.IsObject(to) {
		return JoinDestination(to, j.RelativeKey())
	}
	return JoinDestination(to, j.RelativePath())
}

// JoinDestination joins a folder, or a prefix in object storage, with a relative path.
func JoinDestination(to, rel string) string {
	if tasks.IsObject(to) {
		return strings.TrimSuffix(to, "/") + "/" + filepath.ToSlash(rel)
	}
	return filepath.Join(to, rel)
}

// createObject is Create for an object. write is called once: into the object, or into the
// digest that an object which is there is compared with.
func (j *Job) createObject(ctx context.Context, path string, opts CreateOptions, write func(w io.Writer) error) (c Created, err error) {
	if err := j.mayCreateObject(path); err != nil {
		return c, err
	}
	c.Path = path
	digest := sha256.New()
	writeTo := func(w io.Writer) error {
		if err := write(&progressWriter{ctx, io.MultiWriter(w, digest), j, &c.Size}); err != nil {
			return err
		}
		c.SHA256 = hex.EncodeToString(digest.Sum(nil))
		if want := opts.SHA256; want != "" && !strings.EqualFold(want, c.SHA256) {
			return Fail(CodeDigestMismatch, fmt.Errorf("sha256 is %s, not %s", c.SHA256, want))
		}
		return nil
	}
	there := ""
	if !opts.Replace {
		there, err = j.objectDigest(ctx, path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && opts.Replace:
		if err = j.spec.Outputs.store.Create(ctx, path, opts.Replace, writeTo); errors.Is(err, fs.ErrExist) {
			there, err = j.objectDigest(ctx, path) // another was faster, such as an attempt that was taken for dead
			break
		}
		if err == nil {
			return c, j.verifyObject(ctx, &c)
		}
	case err == nil:
		err = writeTo(io.Discard)
	}
	switch {
	case err != nil:
		return Created{}, objectFailure(path, err)
	case there != c.SHA256:
		return Created{}, Fail(CodeDestinationExists, fmt.Errorf("%s is there with other content; it stays as it is", path))
	}
	return c, nil
}

// mayCreateObject reports why an object may not be written.
func (j *Job) mayCreateObject(path string) error {
	for _, source := range j.spec.Sources {
		if tasks.IsObject(source) && (isIn(source, path) || IsInObject(source, path)) {
			return Fail(CodeOutputInSource, fmt.Errorf(
				"%s lies in the source %s: the next run would take it for a file to process", path, source))
		}
	}
	o := &j.spec.Outputs
	if !o.anywhere && !slices.ContainsFunc(o.objects, func(root string) bool { return IsInObject(root, path) }) {
		return o.refuse(path)
	}
	if o.store == nil {
		return Fail(CodeOutsideOutputs, ErrNoObjectStore)
	}
	switch _, key := tasks.SplitObject(path); {
	case key == "":
		return Fail(CodeBadArgs, fmt.Errorf("%s is a bucket, not an object", path))
	case len(key) > maxKey:
		return Fail(CodeUnsupportedName, fmt.Errorf("the key of %s would have %d bytes; %d is the most", path, len(key), maxKey))
	case !utf8.ValidString(key):
		return Fail(CodeUnsupportedName, fmt.Errorf("%q is not UTF-8, as a key must be: sanitize-names makes such names safe", path))
	}
	return nil
}

// objectDigest reads an object.
func (j *Job) objectDigest(ctx context.Context, path string) (string, error) {
	f, err := j.spec.Outputs.store.Open(path)
	if err != nil {
		return "", err
	}
	return j.digestOf(ctx, f)
}

// verifyObject compares what was written with its digest. What differs is removed: it is
// what this attempt has written.
func (j *Job) verifyObject(ctx context.Context, c *Created) error {
	written, err := j.objectDigest(ctx, c.Path)
	if err != nil {
		return objectFailure(c.Path, err)
	}
	if written == c.SHA256 {
		return nil
	}
	err = RetryLater(CodeIO, fmt.Errorf(
		"write %s: what can be read back is not what was written: sha256 %s instead of %s; it is removed", c.Path, written, c.SHA256))
	return errors.Join(err, j.spec.Outputs.store.Remove(ctx, c.Path))
}

// objectFailure is the verdict of an error of writing an object.
func objectFailure(path string, err error) error {
	if v, ok := errors.AsType[*Verdict](err); ok {
		return fmt.Errorf("write %s: %w", path, v)
	}
	err = fmt.Errorf("write %s: %w", path, err)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return Fail(CodeNotPermitted, err)
	case errors.Is(err, fs.ErrNotExist): // the bucket
		return Fail(CodeNotFound, err)
	}
	return RetryLater(CodeIO, err)
}

// openWritten opens a file, or an object, that may be written.
func (o OutputRoots) openWritten(path string) (ReadableFile, error) {
	if !tasks.IsObject(path) {
		f, err := o.Open(path)
		if err != nil {
			return nil, err
		}
		return f, nil
	}
	if o.store == nil || !o.anywhere && !slices.ContainsFunc(o.objects, func(root string) bool { return IsInObject(root, path) }) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: ErrOutsideRoots}
	}
	return o.store.Open(path)
}
