package load

import (
	"context"
	"io"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/tasks"
)

// File loads a file's content, compressed or not. One that is not compressed
// is loaded section by section: it was split, and others load other parts.
func File(ctx context.Context, l *Loader, src Chunk, r io.ReadSeeker) (tasks.LoadCounts, error) {
	content, err := OpenLines(r)
	if err != nil {
		return tasks.LoadCounts{}, err
	}
	defer content.Close()
	if content.Compression == scan.NoCompression {
		src.Abreast = 1
	}
	return l.Load(ctx, src, content.Reader)
}
