package store

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"
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

// statementBytes bounds one INSERT, below the smallest max_allowed_packet in
// common use (16 MiB on MariaDB) even when every character is escaped.
const statementBytes = 4 << 20

// rowBytes bounds one row: escaped, it still fits into that packet. MySQL would
// not refuse a larger one but hang up, as if it were gone.
const rowBytes = 7 << 20

// errRowTooLarge says that a row is larger than every database takes.
var errRowTooLarge = errors.New("row is too large")

// createBySize inserts rows in statements of as many rows as a chunk and about
// statementBytes.
func createBySize[S ~[]R, R any](tx *gorm.DB, rows S, size func(*R) int) error {
	most := chunk(tx)
	for len(rows) > 0 {
		n, total := 0, 0
		for n < len(rows) && n < most && (n == 0 || total+size(&rows[n]) <= statementBytes) {
			total += size(&rows[n])
			n++
		}
		if n == 1 && total > rowBytes {
			return fmt.Errorf("%w: %d bytes, at most %d can be kept", errRowTooLarge, total, rowBytes)
		}
		if err := tx.CreateInBatches(rows[:n], n).Error; err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
