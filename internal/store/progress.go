package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// mostRunningFiles bounds how many files that take long are listed, and mostLongBatches the
// batches that are read for them.
const (
	mostRunningFiles = 20
	mostLongBatches  = 200
)

// fileProgress is a file that takes long in the column progress of a batch.
type fileProgress struct {
	File    int64     `json:"file"`
	Started time.Time `json:"started"`
	tasks.Progress
}

// RecordProgress records which files of batches take long, for LiveWork. A batch that is not
// the caller's any more stays as it is. Without batches it does nothing.
func (s *Store) RecordProgress(ctx context.Context, batches []ledger.BatchProgress) error {
	if len(batches) == 0 {
		return nil
	}
	texts := make([]any, len(batches))
	for i := range batches {
		rows := make([]fileProgress, len(batches[i].Files))
		for n, f := range batches[i].Files {
			rows[n] = fileProgress{f.File, f.StartedAt.UTC(), f.Valid()}
		}
		if len(rows) == 0 {
			continue // NULL
		}
		text, err := json.Marshal(rows)
		if err != nil {
			return fmt.Errorf("record progress: %w", err)
		}
		texts[i] = string(text)
	}
	return s.db.Write(ctx, "record progress", func(tx *gorm.DB, _ time.Time) error {
		for i := range batches {
			err := tx.Exec("UPDATE batches SET progress = ? WHERE id = ? AND fencing_token = ?",
				texts[i], batches[i].Batch, batches[i].FencingToken).Error
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// runningFiles lists the files of a transfer on which workers work for long, the longest first.
func (s *Store) runningFiles(
	ctx context.Context, transfer int64, running []runningBatch, names map[int]string,
) ([]tasks.RunningFile, error) {
	files := []tasks.RunningFile{}
	read := 0
	for i := range running {
		r := &running[i]
		if r.Progress == nil {
			continue
		}
		if read++; read > mostLongBatches {
			break
		}
		var of []fileProgress
		if json.Unmarshal([]byte(*r.Progress), &of) != nil {
			continue // it only informs, and the next heartbeat replaces it
		}
		for _, f := range of {
			files = append(files, tasks.RunningFile{
				Worker: r.HeldBy, Step: names[r.StepNo], File: f.File, StartedAt: f.Started, Progress: f.Valid(),
			})
		}
	}
	slices.SortStableFunc(files, func(a, b tasks.RunningFile) int { return a.StartedAt.Compare(b.StartedAt) })
	files = files[:min(len(files), mostRunningFiles)]
	if len(files) == 0 {
		return files, nil
	}
	return files, s.addPaths(ctx, transfer, files)
}

// addPaths adds the paths of files.
func (s *Store) addPaths(ctx context.Context, transfer int64, files []tasks.RunningFile) error {
	numbers := make([]int64, len(files))
	for i := range files {
		numbers[i] = files[i].File
	}
	slices.Sort(numbers)
	found, err := s.Files(ctx, transfer, tasks.NewRanges(slices.Compact(numbers)))
	if err != nil {
		return err
	}
	paths := pathsOf(found)
	for i := range files {
		f := &files[i]
		if f.Path = paths[f.File]; !utf8.ValidString(f.Path) {
			f.Path, f.PathBytes = strings.ToValidUTF8(f.Path, "\uFFFD"), []byte(f.Path)
		}
	}
	return nil
}

// progressText is a progress as a column has it; not valid, which is NULL, when there is none.
func progressText(p tasks.Progress) (text sql.NullString, err error) {
	if p = p.Valid(); p == (tasks.Progress{}) {
		return text, nil
	}
	b, err := json.Marshal(p)
	return sql.NullString{String: string(b), Valid: err == nil}, err
}

// progressOf reads what progressText has written. What cannot be read says nothing.
func progressOf(text *string) (p tasks.Progress) {
	if text != nil && json.Unmarshal([]byte(*text), &p) != nil {
		return tasks.Progress{}
	}
	return p.Valid()
}
