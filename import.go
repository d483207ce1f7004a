package baler

import (
	"context"
	"io"

	"github.com/balerhq/baler/internal/exchange"
	"github.com/balerhq/baler/internal/export"
)

// Imported says what Import has done with one transfer.
type Imported = exchange.Imported

// BrokenLine is a line that is not what Export has written.
type BrokenLine = export.BrokenLine //nolint:errname // it is one of a BrokenLinesError

// BrokenLinesError names the lines of an import that are broken, and says that nothing was
// imported.
type BrokenLinesError = exchange.BrokenLinesError

// ErrImportDiffers is the error for a transfer that the database has with other content.
var ErrImportDiffers = exchange.ErrImportDiffers

// Import reads transfers that Export has written as JSON lines into the database. It first
// reads all of them: if a line is broken it imports nothing, and returns a *BrokenLinesError.
// An import that was cut off goes on when it is repeated; nobody sees a transfer before it is
// complete, and is the same as in its export. A transfer that is there already stays as it is,
// and an ErrImportDiffers says when it is another. done is called after each transfer.
func (b *Baler) Import(ctx context.Context, r io.ReadSeeker, done func(Imported)) error {
	return exchange.Import(ctx, b.store, r, done)
}
