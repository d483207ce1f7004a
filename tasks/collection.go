package tasks

import "cmp"

// A collection is what a transfer's final steps work over: all files that runs of the
// same sources and steps have registered, each with its newest results, without those
// that are gone. A transfer that no run began is a collection by itself.

// FileKey is the position of a file in a collection: by transfer, then by number. The
// zero value is before the first.
type FileKey struct{ Transfer, File int64 }

// CollectedFile is a file of a collection, with the transfer that has its results.
type CollectedFile struct {
	File

	Transfer int64
}

// Key returns the file's position in its collection.
func (f *CollectedFile) Key() FileKey { return FileKey{f.Transfer, f.No} }

// CollectedKey is the position of a result in a collection: by transfer, step and file.
// The zero value is before the first.
type CollectedKey struct {
	Transfer int64
	ResultKey
}

// Compare orders keys by transfer, step and file.
func (k CollectedKey) Compare(l CollectedKey) int {
	return cmp.Or(cmp.Compare(k.Transfer, l.Transfer), k.ResultKey.Compare(l.ResultKey))
}

// CollectedResult is a result of a collection, with the transfer that it belongs to.
type CollectedResult struct {
	ResultRow

	Transfer int64
}

// Key returns the result's position in its collection.
func (r *CollectedResult) Key() CollectedKey { return CollectedKey{r.Transfer, r.ResultRow.Key()} }
