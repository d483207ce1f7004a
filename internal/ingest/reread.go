package ingest

import (
	"context"
	"errors"
	"math"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// ErrRereadChunks says that files which a recipe splits cannot be read again.
var ErrRereadChunks = errors.New("files that a recipe splits cannot be read again: their lines would be loaded twice")

// digests are the facts by which the content of a file is compared with what it was.
func digests() []string { return []string{"sha256", "sha512", "sha1", "md5"} }

// rereadPage is how many files are compared at a time.
const rereadPage = 1000

// CompareReread compares the digests of the files that a transfer has read again with
// those that they had before. Files of which one differs are marked as damaged, and
// keep their former results. Without new digests a file stays to be compared.
func (g *Ingester) CompareReread(ctx context.Context, runKey string, transfer int64) error {
	for after := int64(0); ; {
		page, err := g.store.RereadFiles(ctx, runKey, transfer, after, rereadPage)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].No
		same, damaged, err := g.compare(ctx, transfer, page)
		if err != nil {
			return err
		}
		if err := g.store.SettleReread(ctx, runKey, transfer, tasks.NewRanges(same), tasks.NewRanges(damaged)); err != nil {
			return err
		}
	}
}

func (g *Ingester) compare(ctx context.Context, transfer int64, page []ledger.RereadFile) (same, damaged []int64, err error) {
	numbers := make(map[int64][]int64)
	for _, f := range page {
		numbers[transfer] = append(numbers[transfer], f.No)
		numbers[f.Was.Transfer] = append(numbers[f.Was.Transfer], f.Was.File)
	}
	facts := make(map[int64]map[int64]map[string]any, len(numbers))
	for of, nos := range numbers {
		if facts[of], err = g.store.Facts(ctx, of, math.MaxInt32, tasks.NewRanges(nos)); err != nil {
			return nil, nil, err
		}
	}
	for _, f := range page {
		switch compareDigests(facts[f.Was.Transfer][f.Was.File], facts[transfer][f.No]) {
		case contentSame:
			same = append(same, f.No)
		case contentDiffers:
			damaged = append(damaged, f.No)
		case contentUnread:
		}
	}
	return same, damaged, nil
}

type comparison int

const (
	contentSame comparison = iota
	contentDiffers
	contentUnread // a digest is missing now: the file could not be read
)

// compareDigests compares the facts of a file with those of the same file before.
func compareDigests(was, is map[string]any) comparison {
	for _, name := range digests() {
		before, known := was[name]
		now, read := is[name]
		switch {
		case known && !read:
			return contentUnread
		case known && now != before:
			return contentDiffers
		}
	}
	return contentSame
}
