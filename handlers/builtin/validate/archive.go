package validate

import (
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// checkZIP reads every member and compares it with its checksum.
func checkZIP(in *input) error {
	z, err := zip.NewReader(in, in.size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // nothing is written
		return err
	}
	left := int64(in.args.MaxUnpacked)
	encrypted := 0
	for _, member := range z.File {
		if member.Flags&1 != 0 {
			encrypted++
			continue
		}
		r, err := member.Open()
		if errors.Is(err, zip.ErrAlgorithm) {
			return fmt.Errorf("%w: member %q has the unknown compression method %d", errNotChecked, member.Name, member.Method)
		}
		if err != nil {
			return fmt.Errorf("member %q: %w", member.Name, err)
		}
		n, err := discard(r, left)
		_ = r.Close() // only read from
		if err != nil {
			return fmt.Errorf("member %q: %w", member.Name, err)
		}
		left -= n
	}
	if encrypted > 0 {
		return fmt.Errorf("%w: %d of %d members", errEncrypted, encrypted, len(z.File))
	}
	return nil
}

// checkGzip reads all members of a gzip file, which have checksums.
func checkGzip(in *input) error {
	r, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	_, err = discard(r, int64(in.args.MaxUnpacked))
	return err
}

// discard reads to the end, up to a limit.
func discard(r io.Reader, limit int64) (int64, error) {
	n, err := io.Copy(io.Discard, io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = fmt.Errorf("%w: it unpacks to more than max_unpacked", errNotChecked)
	}
	return n, err
}
