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
		content := &tarContent{r: t, whole: true}
		for {
			end.zeros = 0
			h, err := t.Next()
			switch {
			case errors.Is(err, io.EOF) && !end.marked(content.whole):
				yield(nil, fmt.Errorf("%w: the mark of its end is missing", errTruncated))
				return
			case errors.Is(err, io.EOF):
				return
			case err != nil && !errors.Is(err, tar.ErrInsecurePath):
				yield(nil, err)
				return
			}
			content = &tarContent{r: t, whole: h.Size == 0}
			if m := tarMember(h, content); m != nil && !yield(m, nil) {
				return
			}
		}
	}
}

// tarMember describes a member; it is nil for what is only about others.
func tarMember(h *tar.Header, content io.Reader) *member {
	m := &member{
		raw: h.Name, size: h.Size, time: h.ModTime, target: h.Linkname,
		open: func() (io.ReadCloser, error) { return io.NopCloser(content), nil },
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

// tarContent is the content of a member, and notes whether it was read to its end.
type tarContent struct {
	r     io.Reader
	whole bool
}

// Read implements io.Reader.
func (c *tarContent) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.whole = c.whole || errors.Is(err, io.EOF)
	return n, err
}

// tarEnd looks for the mark at the end of an archive, two blocks of zeros, or one in some old
// archives: the decoder does not mind when it is missing.
type tarEnd struct {
	r     io.Reader
	zeros int  // at the end of what was read since the last member
	over  bool // more was asked for than there is
}

// marked reports whether the decoder has found the end mark of two blocks: then it reads
// nothing after them. A single block can be distinguished from a member of zeros that ends
// early only if that member was read to its end, because the decoder reads the rest of a
// member together with the mark.
func (e *tarEnd) marked(whole bool) bool { return !e.over || whole && e.zeros >= tarBlock }

// Read implements io.Reader.
func (e *tarEnd) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.over = e.over || n == 0 && errors.Is(err, io.EOF)
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
