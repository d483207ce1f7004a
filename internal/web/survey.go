package web

import (
	"cmp"
	"context"
	"path"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/balerhq/baler/tasks"
)

// FormatReader reads files with what was found out about them.
type FormatReader interface {
	// FilesAfter reads files behind a number, ascending.
	FilesAfter(ctx context.Context, t tasks.Transfer, after int64, limit int) ([]tasks.File, error)

	// FactsOf reads the facts of files, by their numbers.
	FactsOf(ctx context.Context, t tasks.Transfer, numbers tasks.Ranges) (map[int64]map[string]any, error)
}

// Limits of surveys.
const (
	surveyPage   = 500  // files read at a time
	surveyMost   = 200  // pages read for one request
	surveyKinds  = 3000 // values of a kind that are told apart; the others count together
	surveyKept   = 16   // surveys kept in memory
	surveyMisfit = 50   // files with a wrong extension that are listed
	otherKinds   = "other"

	surveyFirst = 25 * time.Millisecond  // for a request that shows the page
	surveyNext  = 700 * time.Millisecond // for one that follows it
)

// survey counts what kinds of files a transfer has. It reads them once, some for each
// request that asks for it, so that no request reads many and nobody else pays.
type survey struct {
	mutex   sync.Mutex
	of      int64 // results of the transfer when it began
	after   int64 // number of the last file that was counted
	files   int64
	ended   bool
	began   time.Time
	kinds   map[string]map[string]*kindCount // puid, mime and extension
	names   map[string]string                // of PUIDs
	misfits []misfit
	misfit  int64
}

type kindCount struct{ files, bytes int64 }

// misfit is a file whose extension does not suit its format.
type misfit struct {
	no                  int64
	path, warning, puid string
}

// surveys keeps the surveys of the transfers that were looked at last.
type surveys struct {
	mutex sync.Mutex
	kept  *lru.LRU[string, *survey] // by the id of the transfer
}

func newSurveys() surveys {
	kept, err := lru.NewLRU[string, *survey](surveyKept, nil)
	if err != nil {
		panic(err) // the size is positive
	}
	return surveys{kept: kept}
}

// surveyAgain is how old a survey of a transfer that goes on must be to be made again.
const surveyAgain = 30 * time.Second

// get returns the survey of a transfer, a new one when results have come since.
func (s *surveys) get(t *tasks.Transfer, now time.Time) *survey {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	results := t.Totals()
	total := results.Total()
	v, known := s.kept.Get(t.UUID)
	if !known || v.stale(total, t.State.Ended(), now) {
		v = &survey{of: total, began: now, kinds: make(map[string]map[string]*kindCount), names: make(map[string]string)}
		s.kept.Add(t.UUID, v)
	}
	return v
}

func (v *survey) stale(total int64, ended bool, now time.Time) bool {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return v.ended && v.of != total && (ended || now.Sub(v.began) > surveyAgain)
}

// advance counts further files, for a short time.
func (v *survey) advance(ctx context.Context, from FormatReader, t *tasks.Transfer, span time.Duration) error {
	began := time.Now()
	for range surveyMost {
		if v.ended || time.Since(began) > span {
			return nil
		}
		files, err := from.FilesAfter(ctx, *t, v.after, surveyPage)
		if err != nil {
			return err
		}
		if len(files) < surveyPage {
			v.ended = true
		}
		if len(files) == 0 {
			return nil
		}
		numbers := tasks.Ranges{{First: files[0].No, Last: files[len(files)-1].No}}
		facts, err := from.FactsOf(ctx, *t, numbers)
		if err != nil {
			return err
		}
		for i := range files {
			v.count(&files[i], facts[files[i].No])
		}
		v.after = files[len(files)-1].No
	}
	return nil
}

func (v *survey) count(f *tasks.File, facts map[string]any) {
	v.files++
	text := func(name string) string {
		s, _ := facts[name].(string)
		return s
	}
	puid := text("puid")
	v.add("puid", cmp.Or(puid, "not identified"), f.Size)
	v.add("mime", cmp.Or(text("mime"), "unknown"), f.Size)
	v.add("extension", cmp.Or(strings.ToLower(path.Ext(strings.TrimLeft(path.Base(f.Path), "."))), "none"), f.Size)
	if name := text("format"); puid != "" && name != "" && len(v.names) < surveyKinds {
		if version := text("format_version"); version != "" {
			name += " " + version
		}
		v.names[puid] = name
	}
	if warning := text("format_warning"); strings.Contains(warning, "extension mismatch") {
		if v.misfit++; len(v.misfits) < surveyMisfit {
			v.misfits = append(v.misfits, misfit{f.No, f.Path, warning, puid})
		}
	}
}

func (v *survey) add(kind, value string, size int64) {
	of := v.kinds[kind]
	if of == nil {
		of = make(map[string]*kindCount)
		v.kinds[kind] = of
	}
	if of[value] == nil {
		if len(of) >= surveyKinds {
			value = otherKinds
		}
		if of[value] == nil {
			of[value] = new(kindCount)
		}
	}
	of[value].files++
	of[value].bytes += max(size, 0)
}
