package load

import (
	"context"
	"io"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/tasks"
)

// File loads the content of a file or a chunk, compressed or not. It loads uncompressed
// content one section at a time, because such files are split and other jobs load their
// other chunks at the same time.
func File(ctx context.Context, l *Loader, src Input, r io.ReadSeeker) (tasks.LoadCounts, error) {
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
