package tableload

import (
	"bytes"
	"encoding/hex"
	"strconv"

	"github.com/balerhq/baler/internal/db"
)

// MeanwhileError is the error for a section when another transfer has loaded the same place
// of the source since the rows were made: loading them would duplicate lines.
type MeanwhileError struct {
	Newest *EarlierSection // the section that is loaded there now; nil: the one that was known no longer is
}

// Error implements error.
func (e *MeanwhileError) Error() string {
	return "another transfer has loaded the same lines meanwhile; the file will be read again"
}

// lockPlace makes other transfers that load the same place of the same source into this
// table wait until this transaction ends, and checks whether one of them was faster. The
// lock is a row of leases that only this transaction sees, so it ends with the
// transaction. unlock deletes the row.
func (l *loading) lockPlace() (unlock func() error, err error) {
	unlock = func() error { return nil }
	if len(l.section.Source) == 0 {
		return unlock, nil
	}
	if l.t.s.db.Dialect() == db.MySQL { // SQLite has one writer at a time
		place := strconv.AppendInt(append(bytes.Clone(l.t.target), l.section.Source...), l.section.ContentOffset, 10)
		name := "load-" + hex.EncodeToString(shortHash(place))
		err = l.tx.Exec("INSERT INTO leases (name, holder, until) VALUES (?, '', '2000-01-01') "+
			"ON DUPLICATE KEY UPDATE holder = ''", name).Error
		if err != nil {
			return nil, err
		}
		unlock = func() error { return l.tx.Exec("DELETE FROM leases WHERE name = ?", name).Error }
	}
	newest, err := l.newest()
	if err != nil {
		return nil, err
	}
	if !newest.same(l.section.Earlier) {
		return nil, &MeanwhileError{newest}
	}
	return unlock, nil
}

// newest is the section that another transfer has loaded last at this place, or nil.
func (l *loading) newest() (*EarlierSection, error) {
	var rows []loadRow
	err := l.tx.Where("target = ? AND source = ? AND content_offset = ? AND transfer_id <> ?",
		l.t.target, l.section.Source, l.section.ContentOffset, l.section.Transfer).
		Order("transfer_id DESC, step_no DESC, file_no DESC, byte_offset DESC").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &EarlierSection{rows[0].ContentOffset, rows[0].Bytes, rows[0].Digest, rows[0]}, nil
}

// same reports whether both are the same section of the same transfer.
func (c *EarlierSection) same(as *EarlierSection) bool {
	if c == nil || as == nil {
		return c == as
	}
	a, b := &c.mark, &as.mark
	return a.TransferID == b.TransferID && a.StepNo == b.StepNo && a.FileNo == b.FileNo && a.ByteOffset == b.ByteOffset
}
