package web

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

// manyFiles is a transfer of n files, of which each third is an image with a wrong extension.
type manyFiles struct{ n, most int64 }

func (m *manyFiles) FilesAfter(_ context.Context, _ tasks.Transfer, after int64, limit int) (files []tasks.File, _ error) {
	for no := after + 1; no <= m.n && len(files) < limit; no++ {
		files = append(files, tasks.File{No: no, Path: fmt.Sprintf("/data/%d.TXT", no), Size: 2})
	}
	m.most = max(m.most, int64(len(files)))
	return files, nil
}

func (m *manyFiles) FactsOf(_ context.Context, _ tasks.Transfer, numbers tasks.Ranges) (map[int64]map[string]any, error) {
	facts := make(map[int64]map[string]any)
	for no := range numbers.All() {
		if no%3 == 0 {
			facts[no] = map[string]any{"puid": "fmt/11", "format": "PNG", "mime": "image/png", "format_warning": "extension mismatch"}
		}
	}
	return facts, nil
}

func TestASurveyCountsEveryFileOnceInParts(t *testing.T) {
	t.Parallel()
	files := &manyFiles{n: 3*surveyPage - 1}
	one := tasks.Transfer{UUID: "x", State: tasks.StateCompleted, Files: files.n}
	all := newSurveys()
	now := time.Unix(1700000000, 0)
	s := all.get(&one, now)
	for range 9 { // with no time at all, a request counts nothing
		if err := s.advance(t.Context(), files, &one, -1); err != nil || s.files != 0 {
			t.Fatalf("%v: %d files", err, s.files)
		}
	}
	if err := s.advance(t.Context(), files, &one, time.Hour); err != nil || !s.ended || s.files != files.n || files.most > surveyPage {
		t.Fatalf("%v: %d files, %d at once, ended %t", err, s.files, files.most, s.ended)
	}
	images := files.n / 3
	if got := *s.kinds["puid"]["fmt/11"]; got != (kindCount{images, 2 * images}) || s.kinds["extension"][".txt"].files != files.n {
		t.Errorf("%+v", got)
	}
	if s.misfit != images || len(s.misfits) != surveyMisfit || s.misfits[0].no != 3 {
		t.Errorf("%d with a wrong extension, %d listed", s.misfit, len(s.misfits))
	}
	if all.get(&one, now) != s {
		t.Error("a second look counts again")
	}
	one.Steps = []tasks.StepProgress{{Counts: tasks.Counts{Succeeded: 1}}}
	if all.get(&one, now) == s {
		t.Error("results that came since are not counted")
	}
}
