package tableload

import (
	"context"
	"fmt"
)

// EarlierSection is a run of lines of a file that another transfer has loaded.
type EarlierSection struct {
	Offset int64 // in the whole file's content
	Bytes  int64
	Digest []byte // of its bytes, see Digest

	mark loadRow
}

// Digest identifies the bytes of a section.
func Digest(data []byte) []byte { return shortHash(data) }

// EarlierSections lists the sections of a source that other transfers have loaded into this
// table, between two offsets of the file's content. Of several sections at one offset it
// lists that of the newest transfer, which has the latest content of the file.
func (t *Table) EarlierSections(ctx context.Context, source []byte, transfer, from, to int64) ([]EarlierSection, error) {
	var rows []loadRow
	err := t.s.db.Session(ctx).
		Where("target = ? AND source = ? AND content_offset >= ? AND content_offset < ? AND transfer_id <> ?",
			t.target, source, from, to, transfer).
		Order("content_offset, transfer_id, step_no, file_no, byte_offset").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read sections of the file that earlier transfers loaded: %w", err)
	}
	var sections []EarlierSection
	for i := range rows {
		c := EarlierSection{rows[i].ContentOffset, rows[i].Bytes, rows[i].Digest, rows[i]}
		if last := len(sections) - 1; last >= 0 && sections[last].Offset == c.Offset {
			sections[last] = c
			continue
		}
		sections = append(sections, c)
	}
	return sections, nil
}

// RejectedIn lists the rejected lines of a section; the first line of the section is 0.
func (s *Store) RejectedIn(ctx context.Context, c *EarlierSection) (map[int64]bool, error) {
	rejected := make(map[int64]bool)
	if c.mark.Bad == 0 {
		return rejected, nil
	}
	var lines []int64
	err := s.db.Session(ctx).Table("rejected_lines").
		Where("transfer_id = ? AND step_no = ? AND file_no = ? AND line >= ? AND line < ?",
			c.mark.TransferID, c.mark.StepNo, c.mark.FileNo, c.mark.LineNo, c.mark.LineNo+c.mark.Lines).
		Pluck("line", &lines).Error
	if err != nil {
		return nil, fmt.Errorf("read lines that earlier transfers rejected: %w", err)
	}
	for _, line := range lines {
		rejected[line-c.mark.LineNo] = true
	}
	return rejected, nil
}
