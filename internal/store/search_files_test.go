package store

import (
	"fmt"
	"testing"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestFilesAreSearchedInStretches(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		tr := b.transfer(t, 2)
		b.files(t, tr.ID, searchStretch+10) // /data/000000 is number 1
		for text, want := range map[string]string{"/data/000007": "[8]", "00001": "[2 11 12]", "%": "[]", fmt.Sprintf("%06d", searchStretch+3): "[20004]"} {
			found, err := b.SearchFiles(ctx, tr.ID, &ledger.FileSearch{Text: text, Limit: 3})
			if got := fmt.Sprint(numbersOf(found.Files)); err != nil || got != want {
				t.Errorf("%q: %v, %s, want %s", text, err, got, want)
			}
			if more := text == "00001"; more != (found.Next.File == 12) {
				t.Errorf("%q goes on at %v", text, found.Next)
			}
		}
		found, err := b.SearchFiles(ctx, tr.ID, &ledger.FileSearch{Extension: "04", Limit: 2})
		if got := fmt.Sprint(numbersOf(found.Files)); err != nil || got != "[5 105]" || found.Next.File != 105 {
			t.Errorf("%v: %s, %+v", err, got, found.Next)
		}
		one := b.batchAt(t, tr.ID, 2, "1-9")
		rs := results(one, tasks.OutcomeSucceeded, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		rs[3].Facts = []byte(`{"sha256":"0123456789abcdef"}`)
		rs[6].Facts = []byte(`{"sha256":"0123456789ABCDEF"}`)
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: rs})
		found, err = b.SearchFiles(ctx, tr.ID, &ledger.FileSearch{Value: "0123456789ABCDEF", Limit: 9})
		if got := fmt.Sprint(numbersOf(found.Files)); err != nil || got != "[4 7]" || found.Searched != 9 || found.Next != (tasks.ResultKey{}) {
			t.Errorf("%v: %s, %+v", err, got, found)
		}
		found, err = b.SearchFiles(ctx, tr.ID, &ledger.FileSearch{Value: "0123456789abcdef", Limit: 1})
		if err != nil || found.Next != (tasks.ResultKey{Step: 2, File: 4}) {
			t.Errorf("%v: %+v", err, found)
		}
		found, err = b.SearchFiles(ctx, tr.ID, &ledger.FileSearch{Value: "0123456789abcdef", Limit: 1, After: found.Next})
		if err != nil || fmt.Sprint(numbersOf(found.Files)) != "[7]" {
			t.Errorf("%v: %+v", err, found)
		}
	})
}

func numbersOf(files []tasks.File) []int64 {
	numbers := []int64{}
	for i := range files {
		numbers = append(numbers, files[i].No)
	}
	return numbers
}

func TestStoryOfAFile(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		var made []tasks.Transfer
		for range 3 {
			tr, _, err := b.Create(ctx, NewTransfer{Name: "n", Via: tasks.ViaBulk, Queue: "q", SourcesKey: "same", Steps: []tasks.StepProgress{{Number: 1, Name: "one", Handler: "noop"}}})
			testkit.Must(t, err)
			b.files(t, tr.ID, 5)
			made = append(made, tr)
		}
		one := b.batch(t, made[2].ID, "1-5")
		failed := results(one, tasks.OutcomeError, 3)
		b.record(t, &ledger.BatchCompletion{Batch: one, FailedAttempts: failed, FollowUp: finishing(one)})
		story, err := b.FileStory(ctx, &made[2], 3)
		if err != nil || story.File.No != 3 || len(story.Attempts) != 1 || len(story.Earlier) != 2 || story.Earlier[0].No != 3 || story.Earlier[0].Transfer.UUID != made[1].UUID {
			t.Errorf("%v: %+v", err, story)
		}
		if story, err = b.FileStory(ctx, &made[2], 6); err != nil || story.File.No != 0 {
			t.Errorf("%v: %+v of no file", err, story)
		}
	})
}
