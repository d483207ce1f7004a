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

// digest is that of the file in a place.
func (p *destination) digest() (string, error) {
	f, err := p.root.Open(p.name)
	if err != nil {
		return "", err
	}
	defer f.Close() // only read from
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read what is there: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// occupied says that something is in a place that must not be replaced.
func (p *destination) occupied(why string) error {
	return Fail(CodeDestinationExists, fmt.Errorf(
		"%s is there already and %s: move it away, or give each transfer a path of its own with ${transfer}", p.path, why))
}
