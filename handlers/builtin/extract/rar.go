package extract

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"regexp"

	"github.com/nwaples/rardecode/v2"
)

// maxRarDictionary limits the memory that an archive can make its decoder allocate, in bytes.
// WinRAR uses 32 MiB unless told otherwise.
const maxRarDictionary = 256 << 20

// rarMembers reads a rar archive from its beginning to its end.
func rarMembers(in *input) iter.Seq2[*member, error] {
	return func(yield func(*member, error) bool) {
		in.at = in.start
		solid := isSolidRar(in)
		r, err := rardecode.NewReader(in, rardecode.MaxDictionarySize(maxRarDictionary))
		for err == nil {
			var h *rardecode.FileHeader
			if h, err = r.Next(); err != nil {
				break
			}
			if !yield(rarMember(h, r), nil) {
				return
			}
			if solid && !h.Encrypted {
				// The members after it need its content, also when it was refused. Read it here,
				// where it counts, as the decoder would read it without a limit.
				err = in.pass(rarReader{r})
			}
		}
		switch {
		case errors.Is(err, rardecode.ErrInvalidFileBlock) && rarVolume.MatchString(in.path): // it begins in another volume
			yield(nil, rarError(rardecode.ErrMultiVolume))
		case !errors.Is(err, io.EOF):
			yield(nil, rarError(err))
		}
	}
}

// rarVolume matches names of volumes but the first: a.part2.rar, a.r00.
var rarVolume = regexp.MustCompile(`(?i)\.(?:part\d+\.rar|r\d\d)$`)

// rarError names errors as extract does.
func rarError(err error) error {
	switch {
	case errors.Is(err, rardecode.ErrArchiveEncrypted), errors.Is(err, rardecode.ErrBadPassword):
		return errEncrypted
	case errors.Is(err, rardecode.ErrArchivedFileEncrypted):
		return errMemberEncrypted
	case errors.Is(err, rardecode.ErrMultiVolume):
		return errVolume("a rar archive", "unrar x a.part1.rar, and process what it has extracted")
	case errors.Is(err, rardecode.ErrDictionaryTooLarge), errors.Is(err, rardecode.ErrUnknownVersion):
		return fmt.Errorf("%w: %w", errUnsupported, err)
	case errors.Is(err, rardecode.ErrUnexpectedArcEnd), errors.Is(err, rardecode.ErrShortFile), errors.Is(err, rardecode.ErrDecoderOutOfData):
		return fmt.Errorf("%w: %w", errTruncated, err)
	}
	return err
}

func rarMember(h *rardecode.FileHeader, r *rardecode.Reader) *member {
	m := &member{
		raw: h.Name, kind: regular, size: h.UnPackedSize, time: h.ModificationTime, encrypted: h.Encrypted, target: h.LinkTarget,
		open: func() (io.ReadCloser, error) { return io.NopCloser(rarReader{r}), nil },
	}
	if h.UnKnownSize {
		m.size = -1
	}
	switch mode := h.Mode(); {
	case h.LinkType == rardecode.LinkTypeHardLink || h.LinkType == rardecode.LinkTypeFileCopy:
		m.kind = hardLink
	case h.LinkType != rardecode.LinkTypeNone || mode&fs.ModeSymlink != 0:
		m.kind = link
	case h.IsDir:
		m.kind = folder
	case mode&fs.ModeType != 0:
		m.kind = special
	}
	return m
}

// rarReader names the errors of reading a member.
type rarReader struct{ r *rardecode.Reader }

// Read implements io.Reader.
func (r rarReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = rarError(err)
	}
	return n, err
}

// isSolidRar reports whether the members of an archive share a dictionary (technical notes of
// rarlab: flag 8 of the main header of version 4, flag 4 of that of version 5).
func isSolidRar(in *input) bool {
	const four, five = rarSignature + "\x00", rarSignature + "\x01\x00"
	b := make([]byte, 64)
	n, _ := in.ReadAt(b, in.start) // an error of the system is remembered
	b = b[:n]
	if rest, ok := bytes.CutPrefix(b, []byte(four)); ok {
		const mainHeader, solid = 0x73, 8
		return len(rest) > 4 && rest[2] == mainHeader && rest[3]&solid != 0
	}
	rest, ok := bytes.CutPrefix(b, []byte(five))
	if !ok || len(rest) < 4 {
		return false
	}
	rest = rest[4:] // the checksum
	number := func() uint64 {
		v, n := binary.Uvarint(rest)
		rest = rest[max(n, 0):]
		return v
	}
	const mainHeader, hasExtra, hasData, solid = 1, 1, 2, 4
	number() // the size
	if number() != mainHeader {
		return false
	}
	flags := number()
	if flags&hasExtra != 0 {
		number()
	}
	if flags&hasData != 0 {
		number()
	}
	return number()&solid != 0
}
