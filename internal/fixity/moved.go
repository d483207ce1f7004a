package fixity

import (
	"context"
	"fmt"
	"math"

	"github.com/balerhq/baler/tasks"
)

// Reader reads what transfers have recorded.
type Reader interface {
	// Files reads the files with the numbers given, ascending.
	Files(ctx context.Context, transfer int64, numbers tasks.Ranges) ([]tasks.File, error)

	// Facts reads what the steps before a number have found of files, by their numbers.
	Facts(ctx context.Context, transfer int64, before int, numbers tasks.Ranges) (map[int64]map[string]any, error)
}

// Page is how many files are compared at a time.
const Page = 1000

// movedAtOnce is how many files that are gone are held in memory with their digests.
const movedAtOnce = 50_000

// Move is a file that is gone, and a new one with its content: indexes into the lists
// that MatchMoved was given.
type Move struct{ Gone, New int }

// MatchMoved pairs files that are gone with new ones of the same size and digest, each
// with one at most. It holds a bounded number of digests in memory, and reads the new files
// once for each so many that are gone.
func MatchMoved(ctx context.Context, r Reader, gone, added []tasks.FileKey) (moves []Move, err error) {
	taken := make([]bool, len(added))
	for first := 0; first < len(gone) && len(added) > len(moves); first += movedAtOnce {
		some := gone[first:min(first+movedAtOnce, len(gone))]
		wanted := make(map[content][]int)
		err := eachContent(ctx, r, some, func(i int, contents []content) {
			for _, c := range contents {
				wanted[c] = append(wanted[c], first+i)
			}
		})
		if err != nil {
			return nil, err
		}
		matched := make(map[int]bool)
		err = eachContent(ctx, r, added, func(i int, contents []content) {
			if taken[i] {
				return
			}
			for _, c := range contents {
				for len(wanted[c]) > 0 {
					from := wanted[c][0]
					wanted[c] = wanted[c][1:]
					if !matched[from] { // by another kind of digest
						matched[from], taken[i] = true, true
						moves = append(moves, Move{Gone: from, New: i})
						return
					}
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return moves, nil
}

// content tells contents apart.
type content struct {
	size         int64
	kind, digest string
}

// eachContent calls do with the contents of each file that has a digest.
func eachContent(ctx context.Context, r Reader, keys []tasks.FileKey, do func(i int, contents []content)) error {
	for first := 0; first < len(keys); first += Page {
		page := keys[first:min(first+Page, len(keys))]
		facts, err := FactsOf(ctx, r, page)
		if err != nil {
			return err
		}
		files, err := FilesOf(ctx, r, page)
		if err != nil {
			return err
		}
		for i, k := range page {
			f, found := files[k]
			if !found {
				continue
			}
			var contents []content
			for _, kind := range tasks.DigestFacts() {
				if digest, ok := facts[k][kind].(string); ok {
					contents = append(contents, content{f.Size, kind, digest})
				}
			}
			do(first+i, contents)
		}
	}
	return nil
}

// FactsOf reads the facts of files, with one query a transfer.
func FactsOf(ctx context.Context, r Reader, keys []tasks.FileKey) (map[tasks.FileKey]map[string]any, error) {
	return factsOf(keys, func(of int64, numbers tasks.Ranges) (map[int64]map[string]any, error) {
		return r.Facts(ctx, of, math.MaxInt32, numbers)
	})
}

// FormerReader reads what was recorded of files before they were retried.
type FormerReader interface {
	// FormerDigests reads the digests that were recorded first of files, by their numbers.
	FormerDigests(ctx context.Context, transfer int64, numbers tasks.Ranges) (map[int64]map[string]any, error)
}

// FormerDigestsOf reads the digests that were recorded first of files, whatever a retry in
// the same transfer has recorded since.
func FormerDigestsOf(ctx context.Context, r FormerReader, keys []tasks.FileKey) (map[tasks.FileKey]map[string]any, error) {
	return factsOf(keys, func(of int64, numbers tasks.Ranges) (map[int64]map[string]any, error) {
		return r.FormerDigests(ctx, of, numbers)
	})
}

func factsOf(
	keys []tasks.FileKey, read func(of int64, numbers tasks.Ranges) (map[int64]map[string]any, error),
) (map[tasks.FileKey]map[string]any, error) {
	all := make(map[tasks.FileKey]map[string]any, len(keys))
	for of, numbers := range byTransfer(keys) {
		facts, err := read(of, numbers)
		if err != nil {
			return nil, fmt.Errorf("read digests: %w", err)
		}
		for no, f := range facts {
			all[tasks.FileKey{Transfer: of, File: no}] = f
		}
	}
	return all, nil
}

// FilesOf reads files, with one query a transfer.
func FilesOf(ctx context.Context, r Reader, keys []tasks.FileKey) (map[tasks.FileKey]tasks.File, error) {
	all := make(map[tasks.FileKey]tasks.File, len(keys))
	for of, numbers := range byTransfer(keys) {
		files, err := r.Files(ctx, of, numbers)
		if err != nil {
			return nil, fmt.Errorf("read files: %w", err)
		}
		for i := range files {
			all[tasks.FileKey{Transfer: of, File: files[i].No}] = files[i]
		}
	}
	return all, nil
}

func byTransfer(keys []tasks.FileKey) map[int64]tasks.Ranges {
	numbers := make(map[int64][]int64)
	for _, k := range keys {
		if k.Transfer > 0 {
			numbers[k.Transfer] = append(numbers[k.Transfer], k.File)
		}
	}
	ranges := make(map[int64]tasks.Ranges, len(numbers))
	for of, nos := range numbers {
		ranges[of] = tasks.NewRanges(nos)
	}
	return ranges
}
