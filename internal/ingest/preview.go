package ingest

import (
	"cmp"
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// Preview says what a submission would register.
type Preview struct {
	Files    int64 // that would be registered
	Bytes    int64 // their sizes
	Problems int64 // of the files: missing or unreadable; each would get a failed result

	Hidden       int64 // found files whose name, or a folder's below the source, begins with a dot
	Unselected   int64 // files that the selection leaves out, and folders with all that they hold
	Unchanged    int64 // files that an earlier run has processed as they are
	EmptyFolders int64 // they hold nothing to register
	Links        int64 // symlinks, which are not followed
	Specials     int64 // sockets, named pipes, devices

	Extensions []ExtensionCount // the largest first
	Sizes      []SizeCount      // in order of size
}

// ExtensionCount counts the files with one extension.
type ExtensionCount struct {
	Extension string `json:"extension"` // in small letters, with its dot; empty: none
	Files     int64  `json:"files"`
	Bytes     int64  `json:"bytes"`
}

// SizeCount counts the files of one class of sizes: larger than the class before it.
type SizeCount struct {
	UpTo  int64 `json:"up_to"` // bytes; 0 in the first class: empty files; -1 in the last: no limit
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
}

// sizeClass is the limit of the class of a Preview that a size belongs to, in bytes: 0, and
// powers of 16 from 64 KiB to 4 GiB, or -1 above.
func sizeClass(size int64) int64 {
	limit := int64(0)
	for size > limit {
		switch limit {
		case 0:
			limit = 64 << 10
		case 4 << 30:
			return -1
		default:
			limit *= 16
		}
	}
	return limit
}

// Preview scans the sources and registers nothing. With a run key it leaves out what a run
// with this key would not process again.
func (g *Ingester) Preview(
	ctx context.Context, s *TransferRequest, sources []string, runKey string, leftOut map[string]bool,
) (p Preview, err error) {
	c := previewCounter{extensions: make(map[string]*ExtensionCount), sizes: make(map[int64]*SizeCount)}
	emit := leavingOut(leftOut, func(f tasks.File) error { c.count(&f); return nil })
	var flush func() error
	if runKey != "" {
		emit, flush = g.onlyChanged(ctx, s, runKey, &c, emit)
	}
	report, err := g.scan(ctx, s, sources, emit)
	if err == nil && flush != nil {
		err = flush()
	}
	if err != nil && ctx.Err() == nil {
		return p, err
	}
	p = c.preview
	p.Hidden, p.Unselected = report.Hidden, report.Unselected
	p.EmptyFolders, p.Links, p.Specials = report.EmptyFolders, report.Links, report.Specials
	p.Extensions, p.Sizes = c.byExtension(), c.bySize()
	return p, err
}

// onlyChanged passes on the files that a run would process.
func (g *Ingester) onlyChanged(
	ctx context.Context, s *TransferRequest, runKey string, c *previewCounter, emit func(tasks.File) error,
) (add func(tasks.File) error, flush func() error) {
	var pending []tasks.File
	flush = func() error {
		if len(pending) == 0 {
			return nil
		}
		seen, err := g.store.CompareFiles(ctx, runKey, 0, pending)
		if err != nil {
			return err
		}
		for i := range pending {
			status := seen[i].Status
			if !s.Reread && (status == ledger.Unchanged || status == ledger.Accepted || status == ledger.Failed && s.AcceptFailures) {
				c.preview.Unchanged++
				continue
			}
			if err := emit(pending[i]); err != nil {
				return err
			}
		}
		pending = pending[:0]
		return nil
	}
	add = func(f tasks.File) error {
		if pending = append(pending, f); len(pending) < store.ComparePage {
			return nil
		}
		return flush()
	}
	return add, flush
}

// previewCounter adds files up.
type previewCounter struct {
	preview    Preview
	extensions map[string]*ExtensionCount
	sizes      map[int64]*SizeCount // by limit
}

func (c *previewCounter) count(f *tasks.File) {
	c.preview.Files++
	c.preview.Bytes += f.Size
	if f.ScanError != "" {
		c.preview.Problems++
	}
	limit := sizeClass(f.Size)
	class := c.sizes[limit]
	if class == nil {
		class = &SizeCount{UpTo: limit}
		c.sizes[limit] = class
	}
	class.Files++
	class.Bytes += f.Size
	extension := extensionOf(f.Path)
	n := c.extensions[extension]
	if n == nil {
		n = &ExtensionCount{Extension: extension}
		c.extensions[extension] = n
	}
	n.Files++
	n.Bytes += f.Size
}

// extensionOf is the extension of a path in small letters. A hidden file such as .profile has none.
func extensionOf(path string) string {
	name := strings.TrimLeft(filepath.Base(path), ".")
	return strings.ToLower(filepath.Ext(name))
}

func (c *previewCounter) byExtension() []ExtensionCount {
	counts := make([]ExtensionCount, 0, len(c.extensions))
	for n := range maps.Values(c.extensions) {
		counts = append(counts, *n)
	}
	slices.SortFunc(counts, func(a, b ExtensionCount) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Files, a.Files), cmp.Compare(a.Extension, b.Extension))
	})
	return counts
}

func (c *previewCounter) bySize() []SizeCount {
	counts := make([]SizeCount, 0, len(c.sizes))
	for n := range maps.Values(c.sizes) {
		counts = append(counts, *n)
	}
	// As unsigned, -1 comes last.
	slices.SortFunc(counts, func(a, b SizeCount) int { return cmp.Compare(uint64(a.UpTo), uint64(b.UpTo)) })
	return counts
}
