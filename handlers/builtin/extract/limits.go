package extract

import (
	"context"
	"fmt"
	"io"

	"github.com/balerhq/baler/handlers"
)

// ratioFrom is how much may be unpacked whatever the ratio: small texts of zeros are no bombs.
const ratioFrom = 64 << 20

// limits bound what comes of a file from the sources: of all archives in it together.
type limits struct {
	args           *extractArgs
	packed         int64 // size of the file from the sources
	members, bytes int64 // so far
}

func newLimits(ctx context.Context, job *handlers.Job, args *extractArgs) (*limits, error) {
	before, err := job.EmittedBefore(ctx)
	if err != nil {
		return nil, err
	}
	return &limits{args: args, packed: max(before.TopSize, 1), members: before.Files, bytes: before.Bytes}, nil
}

// exceeded ends the extraction.
type exceeded struct {
	code string
	err  error
}

func (e *exceeded) Error() string { return e.err.Error() }

func exceed(code, format string, args ...any) error {
	return &exceeded{code, fmt.Errorf(format, args...)}
}

// addMember counts a member of a declared size; -1 is unknown.
func (l *limits) addMember(size int64) error {
	l.members++
	if l.members > l.args.MaxMembers {
		return exceed(CodeTooMany, "more than %d files would be extracted from one file of the sources; set max_members to allow it",
			l.args.MaxMembers)
	}
	return l.check(l.bytes + max(size, 0))
}

// maxFolders is how many folders an archive may have: members that each lie thousands of
// folders deep would use up what a file system has.
const maxFolders = 100_000

func (l *limits) checkFolders(n int) error {
	if n > maxFolders {
		return exceed(CodeTooMany, "the archive has more than %d folders", maxFolders)
	}
	return nil
}

// check reports whether so many bytes are too many.
func (l *limits) check(bytes int64) error {
	if bytes > int64(l.args.MaxTotal) || bytes < 0 {
		return exceed(CodeTooLarge, "more than %d bytes would be extracted from one file of the sources; set max_total to allow it",
			int64(l.args.MaxTotal))
	}
	if bytes > ratioFrom && bytes/l.packed >= l.args.MaxRatio {
		return exceed(CodeRatio, "%d bytes unpack to more than %d times as many, as in a zip bomb; set max_ratio to allow it",
			l.packed, l.args.MaxRatio)
	}
	return nil
}

// counted is a reader whose bytes count.
type counted struct {
	r io.Reader
	l *limits
	n int64

	tell func(n int64) // called after each read
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.tell(c.n)
	if over := c.l.check(c.l.bytes + c.n); over != nil {
		return n, over
	}
	return n, err
}
