package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestFilesAreSearchedInStretches(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		tr := b.transfer(t, 2)
		b.files(t, tr.ID, 2*searchStretch+10) // /data/000000 is number 1
		for text, want := range map[string]string{"/data/000007": "[8]", "00001": "[2 11 12]", "%": "[]", fmt.Sprintf("%06d", 2*searchStretch+3): "[20004]"} {
			found, err := b.SearchFiles(ctx, tr.ID, &ledger.FileSearch{Text: text, Limit: 3})
			if got := fmt.Sprint(numbersOf(found.Files)); err != nil || got != want {
				t.Errorf("%q: %v, %s, want %s", text, err, got, want)
			}
			if more := text == "00001"; more != (found.Next == 12) {
				t.Errorf("%q goes on at %v", text, found.Next)
			}
		}
		short := &ledger.FileSearch{Text: "no such path", Limit: 3, Time: time.Nanosecond}
		for _, want := range []int64{searchFirst, 2 * searchFirst, 3 * searchFirst} { // each call searches a few files at least
			found, err := b.SearchFiles(ctx, tr.ID, short)
			if err != nil || len(found.Files) != 0 || found.Next != want {
				t.Errorf("%v: %+v, want to go on at %d", err, found, want)
			}
			short.After = found.Next
		}
		found, err := b.SearchFiles(ctx, tr.ID, &ledger.FileSearch{Extension: "04", Limit: 2})
		if got := fmt.Sprint(numbersOf(found.Files)); err != nil || got != "[5 105]" || found.Next != 105 {
			t.Errorf("%v: %s, %+v", err, got, found.Next)
		}
		note := func(step int, files string, numbers ...int64) {
			one := b.batchAt(t, tr.ID, step, files)
			rs := results(one, tasks.OutcomeSucceeded, numbers...)
			for i := range rs {
				rs[i].Facts = []byte(`{"sha256":"0123456789abcdef","n":1}`)
				if i%2 == 1 {
					rs[i].Facts = []byte(`{"sha256":"0123456789ABCDEF"}`)
				}
			}
			b.record(t, &ledger.BatchCompletion{Batch: one, Results: rs})
		}
		note(2, "3-7,20003", 4, 7, 20003)
		note(1, "1-9", 2, 4, 9)
		search := &ledger.FileSearch{Value: "0123456789ABCDEF", Limit: 9}
		found, err = b.SearchFiles(ctx, tr.ID, search)
		if got := fmt.Sprint(numbersOf(found.Files)); err != nil || got != "[2 4 7 9 20003]" || found.Searched != 20010 || found.Next != 0 {
			t.Errorf("%v: %s, %+v", err, got, found)
		}
		search.Limit = 2 // the files of all steps come in the order of their numbers
		for _, want := range []struct {
			files string
			next  int64
		}{{"[2 4]", 4}, {"[7 9]", 9}, {"[20003]", 0}} {
			found, err = b.SearchFiles(ctx, tr.ID, search)
			if got := fmt.Sprint(numbersOf(found.Files)); err != nil || got != want.files || found.Next != want.next {
				t.Errorf("%v: %s, %+v, want %+v", err, got, found, want)
			}
			search.After = found.Next
		}
		if found, err = b.SearchFiles(ctx, tr.ID, &ledger.FileSearch{Value: "1", Limit: 1}); err != nil || len(found.Files) != 0 {
			t.Errorf("a number was found as a text: %v, %+v", err, found)
		}
	})
}

// A search reads a few files first, then more, and no more than the time that is left has room for.
func TestPaceOfASearch(t *testing.T) {
	t.Parallel()
	calm := searchPace{}
	var sizes []int64
	var searched int64
	for range 7 {
		sizes = append(sizes, calm.next(searched, time.Duration(searched)*time.Millisecond))
		searched += sizes[len(sizes)-1]
	}
	if got := fmt.Sprint(sizes); got != "[500 1000 2000 4000 8000 10000 10000]" {
		t.Errorf("without a limit: %s", got)
	}
	for took, want := range map[time.Duration]int64{
		0: 2000, 10 * time.Millisecond: 2000, 30 * time.Millisecond: 1000, 40 * time.Millisecond: 500, 90 * time.Millisecond: 500,
	} {
		short := searchPace{within: 60 * time.Millisecond, last: 1000}
		if got := short.next(1000, took); got != want {
			t.Errorf("after 1,000 files in %s: %d, want %d", took, got, want)
		}
	}
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
