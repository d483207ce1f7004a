package fixity

import (
	"context"
	"iter"

	"github.com/balerhq/baler/tasks"
)

// cursor reads the files of a source in the order of their paths, each path once.
type cursor struct {
	source string
	pull   func() (tasks.File, error, bool)
	ahead  tasks.File
	there  bool // ahead has been read
}

// cursor makes a cursor, which is empty without a source. stop must be called.
func (d *differ) cursor(ctx context.Context, of *tasks.Transfer, source *string) (c *cursor, stop func()) {
	if source == nil {
		return &cursor{pull: func() (f tasks.File, err error, ok bool) { return f, nil, false }}, func() {}
	}
	pull, stop := iter.Pull2(d.r.FilesByPath(ctx, of.ID, *source))
	return &cursor{source: *source, pull: pull}, stop
}

// next returns the next file: of several with one path, the last that was registered.
func (c *cursor) next() (f tasks.File, ok bool, err error) {
	if !c.there {
		if c.ahead, err, c.there = c.pull(); err != nil || !c.there {
			return f, false, err
		}
	}
	for f = c.ahead; ; f = c.ahead {
		if c.ahead, err, c.there = c.pull(); err != nil || !c.there || c.ahead.Path != f.Path {
			return f, err == nil, err
		}
	}
}

func (c *cursor) relative(f *tasks.File) string { return relative(f.Path, c.source) }
