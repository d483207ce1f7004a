package tableload

import (
	"context"
	"fmt"
)

// EarlierChunk is a run of lines of a file that another transfer has loaded.
type EarlierChunk struct {
	Offset int64 // in the whole file's content
	Bytes  int64
	Digest []byte // of its bytes, see Digest

	mark loadRow
}

// Digest identifies the bytes of a chunk.
func Digest(data []byte) []byte { return shortHash(data) }

// EarlierChunks lists the chunks of a source that other transfers have loaded into this
// table, between two offsets of the file's content. Of several chunks at one offset it
// lists that of the newest transfer, which has the latest content of the file.
func (t *Table) EarlierChunks(ctx context.Context, source []byte, transfer, from, to int64) ([]EarlierChunk, error) {
	var rows []loadRow
	err := t.s.db.Session(ctx).
		Where("target = ? AND source = ? AND content_offset >= ? AND content_offset < ? AND transfer_id <> ?",
			t.target, source, from, to, transfer).
		Order("content_offset, transfer_id, step_no, file_no, byte_offset").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read chunks of the file that earlier transfers loaded: %w", err)
	}
	var chunks []EarlierChunk
	for i := range rows {
		c := EarlierChunk{rows[i].ContentOffset, rows[i].Bytes, rows[i].Digest, rows[i]}
		if last := len(chunks) - 1; last >= 0 && chunks[last].Offset == c.Offset {
			chunks[last] = c
			continue
		}
		chunks = append(chunks, c)
	}
	return chunks, nil
}

// RejectedIn lists the rejected lines of a chunk; the first line of the chunk is 0.
func (s *Store) RejectedIn(ctx context.Context, c *EarlierChunk) (map[int64]bool, error) {
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
