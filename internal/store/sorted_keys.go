package store

import (
	"cmp"
	"maps"
	"slices"
)

// sortedKeys gives the one order in which rows are locked.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}

func sortedFunc[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	return slices.SortedFunc(maps.Keys(m), compare)
}

func compareResults(a, b resultRecord) int {
	return cmp.Or(cmp.Compare(a.TransferID, b.TransferID), cmp.Compare(a.StepNo, b.StepNo), cmp.Compare(a.FileNo, b.FileNo))
}
