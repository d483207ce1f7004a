package keyset

import (
	"iter"

	"github.com/balerhq/baler/tasks"
)

// Paginate yields items page by page, so that one page of them is in memory at a
// time. Page lists up to size items after a key, fewer only when there are no
// more; the first page is that behind the zero key. It ends with the first error.
func Paginate[K, T any](size int, page func(after K) ([]T, error), keyOf func(*T) K) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var after K
		for {
			items, err := page(after)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for i := range items {
				if !yield(items[i], nil) {
					return
				}
			}
			if len(items) < size {
				return
			}
			after = keyOf(&items[len(items)-1])
		}
	}
}

// PaginateResults yields the results of a transfer as people see them, by the pages of
// Store.Results; see Pages.
func PaginateResults(
	t *tasks.Transfer, size int, page func(after tasks.ResultKey) ([]tasks.ResultRow, error),
) iter.Seq2[tasks.ResultLine, error] {
	steps := make(map[int]string, len(t.Steps))
	for _, s := range t.Steps {
		steps[s.Number] = s.Name
	}
	return func(yield func(tasks.ResultLine, error) bool) {
		for r, err := range Paginate(size, page, (*tasks.ResultRow).Key) {
			line := tasks.ResultLine{}
			if err == nil {
				line = r.Line(steps[r.Step])
			}
			if !yield(line, err) {
				return
			}
		}
	}
}
