package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// WrittenOutputs remembers what final steps have written, so that they replace that and
// nothing else. It is of one transfer, or of all transfers of the same runs.
type WrittenOutputs interface {
	// Wrote reports whether content with this digest was written to an absolute path.
	Wrote(path, digest string) (bool, error)

	// Note notes what is about to be written.
	Note(path, digest string) error
}

// folderDigest stands for the content of a folder, which its finalizer recognizes.
const folderDigest = "folder"

// wrote reports whether an earlier final step wrote content with this digest to a path.
func (c *TransferJob) wrote(path, digest string) (bool, error) {
	if c.spec.Written == nil {
		return false, nil
	}
	return c.spec.Written.Wrote(path, digest)
}

func (c *TransferJob) note(path, digest string) error {
	if c.spec.Written == nil {
		return nil
	}
	return c.spec.Written.Note(path, digest)
}

// replaceableFile reports what keeps a file from being put in its place.
func (c *TransferJob) replaceableFile(p *destination) error {
	info, err := p.root.Lstat(p.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return WriteFailure(p.path, err)
	}
	if !info.Mode().IsRegular() {
		return p.occupied("is no file that this step wrote")
	}
	digest, err := p.digest()
	if err != nil {
		return WriteFailure(p.path, err)
	}
	ours, err := c.wrote(p.path, digest)
	if err == nil && !ours {
		err = p.occupied("is not as a final step of this transfer, or of an earlier run of the same sources and steps, wrote it")
	}
	return err
}

// CodeNotWritten says that a final step was to read what no final step before it has written.
const CodeNotWritten = "not-written"

// CopyWritten copies a file that a final step of this transfer, or of an earlier run of the
// same sources and steps, has written, as it was written. Any other file, also one that has
// changed since, is refused, perhaps after it has been copied in part. The path is as for
// Create.
func (c *TransferJob) CopyWritten(path string, to io.Writer) (err error) {
	refuse := func(why string) error {
		return Fail(CodeNotWritten, fmt.Errorf("%s %s: name a file that a final step before this one writes", path, why))
	}
	p, err := c.spec.Outputs.existing(path)
	if errors.Is(err, fs.ErrNotExist) {
		return refuse("does not exist")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.root.Close()) }()
	info, err := p.root.Lstat(p.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return refuse("does not exist")
	case err != nil:
		return RetryLater(CodeIO, fmt.Errorf("read %s: %w", path, err))
	case !info.Mode().IsRegular():
		return refuse("is not a file")
	}
	digest, err := p.copyTo(to)
	if err != nil {
		return RetryLater(CodeIO, fmt.Errorf("copy %s: %w", path, err))
	}
	ours, err := c.wrote(p.path, digest)
	if err == nil && !ours {
		err = refuse("is not as a final step of this transfer, or of an earlier run of the same sources and steps, wrote it")
	}
	return err
}

// digest is that of the file in a place.
func (p *destination) digest() (string, error) { return p.copyTo(io.Discard) }

// copyTo copies the file in a place, and returns its digest.
func (p *destination) copyTo(w io.Writer) (string, error) {
	f, err := p.root.Open(p.name)
	if err != nil {
		return "", err
	}
	defer f.Close() // only read from
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(h, w), f); err != nil {
		return "", fmt.Errorf("read the existing output: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// occupied says that something is in a place that must not be replaced.
func (p *destination) occupied(why string) error {
	return Fail(CodeDestinationExists, fmt.Errorf(
		"%s is there already and %s: move it away, or give each transfer a path of its own with ${transfer}", p.path, why))
}
