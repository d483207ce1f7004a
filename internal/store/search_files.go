package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// A search reads the files in the order of their numbers, so much at a time. There is no
// index of paths or digests: every registered file would pay for it.
const (
	searchFirst   = 500     // files of the first query
	searchStretch = 10_000  // files of a query at most
	searchMost    = 200_000 // files of one call
)

// searchPace decides how many files the next query of a search reads. It begins with few,
// because many files may suit, and doubles, because few may. Of what a query reads, nothing
// shows how long it takes until it ends; so none reads more than the time that is left has
// room for, by the queries before.
type searchPace struct {
	within time.Duration // of all queries; 0: no limit
	last   int64         // files of the query before
}

func (p *searchPace) next(searched int64, took time.Duration) int64 {
	next := min(max(2*p.last, searchFirst), searchStretch)
	if p.within > 0 && took > 0 && searched > 0 {
		room := float64(searched) * float64(p.within-took) / float64(took)
		next = min(next, max(int64(room), searchFirst))
	}
	p.last = next
	return next
}

// SearchFiles looks for files of a transfer by a part of the path, by extension or by the value of a fact, in one
// stretch that reads a bounded number of rows.
func (s *Store) SearchFiles(ctx context.Context, transfer int64, search *ledger.FileSearch) (ledger.FilesFound, error) {
	var found ledger.FilesFound
	var last int64
	if err := s.db.Session(ctx).Model(&transferRow{}).Where("id = ?", transfer).Select("files").Scan(&last).Error; err != nil {
		return found, fmt.Errorf("search files: %w", err)
	}
	look, err := s.look(ctx, transfer, search)
	if err != nil {
		return found, err
	}
	began, at := time.Now(), search.After
	pace := searchPace{within: search.Time}
	for at < last && found.Searched < searchMost && (found.Searched == 0 || search.Time == 0 || time.Since(began) < search.Time) {
		to := min(at+pace.next(found.Searched, time.Since(began)), last)
		files, err := look(at, to, search.Limit-len(found.Files))
		if err != nil {
			return found, fmt.Errorf("search files: %w", err)
		}
		found.Files = append(found.Files, files...)
		if len(found.Files) >= search.Limit {
			to = files[len(files)-1].No
		}
		found.Searched, at = found.Searched+to-at, to
		if len(found.Files) >= search.Limit {
			break
		}
	}
	if at < last {
		found.Next = at
	}
	return found, nil
}

// look returns a function that looks for up to limit files between two numbers.
func (s *Store) look(
	ctx context.Context, transfer int64, search *ledger.FileSearch,
) (func(after, to int64, limit int) ([]tasks.File, error), error) {
	if search.Value == "" {
		return func(after, to int64, limit int) ([]tasks.File, error) {
			return s.pathStretch(ctx, transfer, after, to, search, limit)
		}, nil
	}
	from, err := chooseSource(s.db.Session(ctx), transfer, tasks.ResultSelector{})
	if err != nil {
		return nil, err
	}
	quoted := `%"` + likeLiteral(strings.ToLower(search.Value)) + `"%`
	return func(after, to int64, limit int) ([]tasks.File, error) {
		return s.factStretch(ctx, transfer, from.steps, after, to, quoted, limit)
	}, nil
}

// pathStretch reads the files between two numbers whose path suits a search.
func (s *Store) pathStretch(ctx context.Context, transfer, after, to int64, search *ledger.FileSearch, limit int) ([]tasks.File, error) {
	q := s.db.Session(ctx).Where("transfer_id = ? AND no > ? AND no <= ?", transfer, after, to)
	if search.Extension == "" {
		return readFiles(q.Where("INSTR(path, ?) > 0", []byte(search.Text)).Limit(limit), limit)
	}
	files, err := readFiles(q, searchStretch) // paths are bytes, of which no database makes small letters
	files = slices.DeleteFunc(files, func(f tasks.File) bool {
		return len(f.Path) < len(search.Extension) || !strings.EqualFold(f.Path[len(f.Path)-len(search.Extension):], search.Extension)
	})
	return files[:min(len(files), limit)], err
}

// factStretch reads the files between two numbers of which a fact, of any of the steps, has a value.
func (s *Store) factStretch(
	ctx context.Context, transfer int64, steps []int, after, to int64, quoted string, limit int,
) ([]tasks.File, error) {
	text := "facts"
	if s.db.Dialect() == db.MySQL {
		text = "LOWER(CAST(facts AS CHAR))"
	}
	var numbers []int64
	for _, step := range steps { // a query for each: of several, the database would sort the files
		var some []int64
		err := s.db.Session(ctx).Model(&resultRecord{}).
			Where("transfer_id = ? AND step_no = ? AND file_no > ? AND file_no <= ? AND "+text+" LIKE ? ESCAPE '!'",
				transfer, step, after, to, quoted).
			Order("file_no").Limit(limit).Pluck("file_no", &some).Error
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, some...)
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	return s.Files(ctx, transfer, tasks.NewRanges(numbers[:min(len(numbers), limit)]))
}

// How much FileStory reads.
const (
	storyAttempts = 50
	storyMade     = 50
	storyEarlier  = 10
	storyWindow   = 1000 // files around the same number, in which another transfer is searched
)

// FileStory reads what is known about one file besides its results.
func (s *Store) FileStory(ctx context.Context, t *tasks.Transfer, no int64) (story ledger.FileStory, err error) {
	files, err := s.Files(ctx, t.ID, tasks.NewRanges([]int64{no}))
	if err != nil || len(files) == 0 {
		return story, err
	}
	story.File = files[0]
	if story.Attempts, err = s.attemptsOf(ctx, t, no); err != nil {
		return story, err
	}
	if story.Made, err = s.madeOf(ctx, t.ID, no); err != nil {
		return story, err
	}
	story.Earlier, err = s.earlier(ctx, t, &story.File)
	return story, err
}

func (s *Store) attemptsOf(ctx context.Context, t *tasks.Transfer, no int64) ([]tasks.Result, error) {
	var rows []attemptRow
	steps := make([]int, len(t.Steps)) // they choose the index
	for i := range t.Steps {
		steps[i] = t.Steps[i].Number
	}
	err := s.db.Session(ctx).Where("transfer_id = ? AND step_no IN ? AND file_no = ?", t.ID, steps, no).
		Order("id").Limit(storyAttempts).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read attempts: %w", err)
	}
	attempts := make([]tasks.Result, len(rows))
	for i := range rows {
		attempts[i] = rows[i].End.result(rows[i].StepNo, no)
	}
	return attempts, nil
}

func (s *Store) madeOf(ctx context.Context, transfer, no int64) ([]tasks.File, error) {
	var numbers []int64
	err := s.db.Session(ctx).Model(&emittedRow{}).Where("transfer_id = ? AND parent_no = ? AND file_no IS NOT NULL", transfer, no).
		Limit(storyMade).Pluck("file_no", &numbers).Error
	if err != nil || len(numbers) == 0 {
		if err != nil {
			err = fmt.Errorf("list files that were made of one: %w", err)
		}
		return nil, err
	}
	return s.Files(ctx, transfer, tasks.NewRanges(numbers))
}

// earlier looks for the path in other transfers of the same sources. Files of the same
// sources come in the same order, so that only the neighbours of the number are searched.
func (s *Store) earlier(ctx context.Context, t *tasks.Transfer, f *tasks.File) (found []ledger.FileBefore, err error) {
	var self transferRow
	if err := s.db.Session(ctx).Select("sources_key", "run_key").Take(&self, t.ID).Error; err != nil {
		return nil, fmt.Errorf("look for earlier transfers: %w", err)
	}
	if self.SourcesKey == "" {
		return nil, nil
	}
	var others []transferRow
	err = s.db.Session(ctx).Where("sources_key = ? AND id <> ?", self.SourcesKey, t.ID).
		Order("id DESC").Limit(storyEarlier).Find(&others).Error
	if err != nil {
		return nil, fmt.Errorf("look for earlier transfers: %w", err)
	}
	for i := range others {
		near, err := readFiles(s.db.Session(ctx).Where("transfer_id = ? AND no BETWEEN ? AND ? AND path = ?",
			others[i].ID, f.No-storyWindow, f.No+storyWindow, []byte(f.Path)), 1)
		if err != nil {
			return nil, err
		}
		for j := range near {
			if bytes.Equal([]byte(near[j].Path), []byte(f.Path)) && near[j].Part == f.Part {
				found = append(found, ledger.FileBefore{Transfer: others[i].transfer(), No: near[j].No, Size: near[j].Size})
				break
			}
		}
	}
	return found, nil
}
