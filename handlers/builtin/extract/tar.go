package extract

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"iter"
)

// tarMembers reads a tar archive.
func tarMembers(r io.Reader) iter.Seq2[*member, error] {
	return func(yield func(*member, error) bool) {
		end := &tarEnd{r: r}
		t := tar.NewReader(end)
		for {
			h, err := t.Next()
			switch {
			case errors.Is(err, io.EOF) && end.zeros < tarBlock:
				yield(nil, fmt.Errorf("%w: the mark of its end is missing", errTruncated))
				return
			case errors.Is(err, io.EOF):
				return
			case err != nil && !errors.Is(err, tar.ErrInsecurePath):
				yield(nil, err)
				return
			}
			if m := tarMember(h, t); m != nil && !yield(m, nil) {
				return
			}
		}
	}
}

// tarMember describes a member; it is nil for what is only about others.
func tarMember(h *tar.Header, t *tar.Reader) *member {
	m := &member{
		raw: h.Name, size: h.Size, time: h.ModTime, target: h.Linkname,
		open: func() (io.ReadCloser, error) { return io.NopCloser(t), nil },
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeRegA, tar.TypeCont, tar.TypeGNUSparse: //nolint:staticcheck // old archives have TypeRegA
		m.kind = regular
	case tar.TypeDir:
		m.kind = folder
	case tar.TypeSymlink:
		m.kind = link
	case tar.TypeLink:
		m.kind = hardLink
	case tar.TypeXGlobalHeader:
		return nil
	default:
		m.kind = special
	}
	return m
}

const tarBlock = 512

// tarEnd counts the zeros at the end of what was read: a whole archive ends with blocks of
// them, and the decoder does not mind when they are missing.
type tarEnd struct {
	r     io.Reader
	zeros int
}

// Read implements io.Reader.
func (e *tarEnd) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	at := n
	for at > 0 && p[at-1] == 0 {
		at--
	}
	if at > 0 {
		e.zeros = 0
	}
	e.zeros += n - at
	return n, err
}
