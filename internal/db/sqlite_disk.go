package db

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"

	"github.com/balerhq/baler/internal/diskspace"
)

// Translate implements gorm.ErrorTranslator.
func (d sqliteDialect) Translate(err error) error {
	if code := sqliteCode(err); code == sqlite3.IOERR || code == sqlite3.FULL {
		return d.explainDisk(err)
	}
	return Misread(err)
}

// explainDisk says of a write that the disk refused why it did.
func (d sqliteDialect) explainDisk(err error) error {
	if errors.Is(err, errDisk) {
		return err
	}
	if free, ok := diskspace.Free(d.folder); ok && free < 1<<20 {
		return fmt.Errorf("%w: the disk of %s is full: %w", errDisk, d.folder, err)
	}
	return fmt.Errorf("%w: writing to %s fails; look at its disk, quotas, and the limit of this user on the size of files: %w",
		errDisk, d.folder, err)
}

// errDisk marks errors that explainDisk has explained.
var errDisk = errors.New("SQLite cannot write")
