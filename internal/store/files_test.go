package store

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"

	"github.com/balerhq/baler/internal/testkit"
)

// With any number of concurrent producers, files are numbered without gaps, and the count
// equals the rows.
func TestManyProducersOfOneTransfer(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		const producers, rounds, some = 8, 12, 30
		tr := b.transfer(t, 2)
		var mu sync.Mutex
		numbers := make([]int64, 0, producers*rounds*some)
		testkit.AtOnce(t, producers, func(p int) error {
			for round := range rounds {
				files := make([]tasks.File, some)
				for i := range files {
					files[i] = tasks.File{Path: fmt.Sprintf("/p%d/%d/%d", p, round, i), Size: int64(p)}
				}
				err := b.AddFiles(t.Context(), FileBatch{Transfer: tr.ID, Files: files, FirstSteps: map[int]int64{1: some - 1, 2: 1}})
				if err != nil {
					return err
				}
				mu.Lock()
				for i := range files {
					numbers = append(numbers, files[i].No)
				}
				mu.Unlock()
			}
			return nil
		})
		slices.Sort(numbers)
		for i, n := range numbers {
			if n != int64(i)+1 {
				t.Fatalf("number %d of the files is %d", i+1, n)
			}
		}
		b.checkCounters(t.Context(), t, tr.ID)
		read := b.read(t, tr.ID)
		if read.Files != producers*rounds*some || read.Steps[0].Selected != producers*rounds*(some-1) || read.Steps[1].Selected != producers*rounds {
			t.Errorf("%+v", read)
		}
	})
}

// Paths are bytes, and times are whatever a file system holds.
func TestOddFiles(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		var all strings.Builder
		for c := 1; c < 256; c++ {
			all.WriteByte(byte(c))
		}
		mtimes := []time.Time{
			{},
			time.Unix(0, 0),
			time.Unix(-1, 999_999_999),
			time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
			time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Date(12, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Unix(1<<40, 0),
			time.Unix(-1<<40, 0),
			time.Date(2026, 3, 4, 5, 6, 7, 123456789, time.FixedZone("east", 3600)),
		}
		paths := []string{
			"/a\nb", "/\xff\xfe", "/\U0001F4E6 x", "/" + strings.Repeat("é", 2000) + "!", "/" + strings.Repeat("x", 4095),
			"/tab\t'\"\\`%_?", "/" + all.String(), "/trailing ", "/Case", "/case",
		}
		files := make([]tasks.File, len(paths))
		for i, p := range paths {
			files[i] = tasks.File{Path: p, Size: int64(i) << 50, MTime: mtimes[i], ScanError: strings.Repeat("\xff", 700)}
		}
		if err := b.AddFiles(t.Context(), FileBatch{Transfer: tr.ID, Files: files, RunKey: "l"}); err != nil {
			t.Fatal(err)
		}
		read, err := b.Files(t.Context(), tr.ID, tasks.Ranges{{First: 1, Last: 100}})
		if err != nil || len(read) != len(files) {
			t.Fatalf("%d files, %v", len(read), err)
		}
		for i, f := range read {
			if f.Path != paths[i] || f.Size != files[i].Size {
				t.Errorf("file %d: %q of %d bytes, want %q", i, f.Path, f.Size, paths[i])
			}
			want := mtimes[i].UTC().Truncate(time.Microsecond)
			if y := want.Year(); y < 1000 || y > 9999 {
				want = time.Time{} // no database holds it: it counts as unknown
			}
			if !f.MTime.Equal(want) {
				t.Errorf("file %d: modified %v, want %v", i, f.MTime, want)
			}
		}
		unseen, err := b.changed(t, "l", files)
		if err != nil || len(unseen) > 0 {
			t.Errorf("unseen: %d, %v", len(unseen), err)
		}
		after, err := b.FilesAfter(t.Context(), tr.ID, 3, 2, true)
		if err != nil || len(after) != 2 || after[0].No != 4 || after[1].No != 5 || after[0].Size != files[3].Size || after[0].Path != "" {
			t.Errorf("after 3: %+v, %v", after, err)
		}
	})
}

func TestSumSizes(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr, _, err := b.Create(t.Context(), NewTransfer{Steps: []tasks.StepProgress{{Number: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		files := make([]tasks.File, 300)
		for i := range files {
			files[i] = tasks.File{Path: fmt.Sprintf("/d/%d", i), Size: int64(i + 1)}
		}
		if err := b.AddFiles(t.Context(), FileBatch{Transfer: tr.ID, Files: files}); err != nil {
			t.Fatal(err)
		}
		var spans []tasks.Range
		var want []int64
		for no := int64(1); no <= 300; no += 3 { // more than one query has parts
			spans, want = append(spans, tasks.Range{First: no, Last: no + 2}), append(want, 3*no+3)
		}
		if got, err := b.SumSizes(t.Context(), tr.ID, spans); err != nil || !slices.Equal(got, want) {
			t.Errorf("the sums are %v, %v", got, err)
		}
		for _, c := range []struct {
			missing int64
			left    int
		}{{300, 99}, {193, 64}, {2, 0}} {
			if err := b.db.Exec("DELETE FROM files WHERE no = ?", c.missing).Error; err != nil {
				t.Fatal(err)
			}
			if got, err := b.SumSizes(t.Context(), tr.ID, spans); err != nil || !slices.Equal(got, want[:c.left]) {
				t.Errorf("without file %d: %v, %v", c.missing, got, err)
			}
		}
		if got, err := b.SumSizes(t.Context(), tr.ID, nil); err != nil || len(got) > 0 {
			t.Errorf("of nothing: %v, %v", got, err)
		}
	})
}

func TestCompareFiles(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
		files := make([]tasks.File, 3000)
		for i := range files {
			files[i] = tasks.File{Path: fmt.Sprintf("/d/%d", i), Size: 10, MTime: at}
		}
		create := func() tasks.Transfer {
			tr, _, err := b.Create(t.Context(), NewTransfer{RunKey: "line", Steps: []tasks.StepProgress{{Number: 1}}})
			if err != nil {
				t.Fatal(err)
			}
			return tr
		}
		unseen := func(files []tasks.File) []tasks.File {
			got, err := b.changed(t, "line", files)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := unseen(nil); len(got) > 0 {
			t.Errorf("of no files %d are unseen", len(got))
		}
		if got := unseen(files); len(got) != len(files) {
			t.Errorf("%d of %d unseen", len(got), len(files))
		}
		first := create()
		if err := b.AddFiles(t.Context(), FileBatch{Transfer: first.ID, Files: slices.Clone(files), RunKey: "line"}); err != nil {
			t.Fatal(err)
		}
		if got := unseen(files); len(got) > 0 {
			t.Errorf("%d unseen after all were registered", len(got))
		}
		if got, err := b.changed(t, "another", files[:5]); err != nil || len(got) != 5 {
			t.Errorf("another lineage has seen them: %d, %v", len(got), err)
		}
		files[7].Size++
		files[9].MTime = files[9].MTime.Add(time.Microsecond)
		files[11].MTime = time.Time{}
		got := unseen(files)
		if len(got) != 3 || got[0].Path != "/d/7" || got[1].Path != "/d/9" || got[2].Path != "/d/11" {
			t.Errorf("changed: %v", got)
		}
		// A changed file is registered again, by a transfer that is canceled afterwards.
		second := create()
		if err := b.AddFiles(t.Context(), FileBatch{Transfer: second.ID, Files: got, RunKey: "line"}); err != nil {
			t.Fatal(err)
		}
		if got := unseen(files); len(got) > 0 {
			t.Errorf("%d unseen after the changed ones were registered", len(got))
		}
		if err := b.db.Exec("UPDATE transfers SET state = ? WHERE id = ?", tasks.StateCanceled, second.ID).Error; err != nil {
			t.Fatal(err)
		}
		if got := unseen(files); len(got) != 3 {
			t.Errorf("%d unseen after the transfer was canceled", len(got))
		}
		if latest, err := b.Latest(t.Context(), "line"); err != nil || latest.ID != second.ID {
			t.Errorf("latest: %d, %v", latest.ID, err)
		}
	})
}

// Batches are inserted concurrently, in any order, and counted in the order of their
// numbers. Rows that are not counted do not belong to the transfer.
func TestFilesAreCountedInOrder(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		token, next, err := b.BeginRegistering(t.Context(), tr.ID)
		if err != nil || next != 1 {
			t.Fatalf("the next file is %d, %v", next, err)
		}
		first := FileBatch{Transfer: tr.ID, Producer: token, Files: someFiles(20), First: 1, RunKey: "l"}
		second := FileBatch{Transfer: tr.ID, Producer: token, Files: someFiles(30), First: 21, RunKey: "l"}
		testkit.Must(t, b.InsertFiles(t.Context(), second))
		testkit.Must(t, b.InsertFiles(t.Context(), first))
		wantErr(t, b.CountFiles(t.Context(), second), ErrProducerConflict)
		if after, err := b.FilesAfter(t.Context(), tr.ID, 0, 100, true); err != nil || len(after) > 0 {
			t.Errorf("%d files are read before any is counted, %v", len(after), err)
		}
		if n := b.count(t, "seen_files", "1 = 1"); n > 0 {
			t.Errorf("%d files are seen before any is counted", n)
		}
		testkit.Must(t, b.CountFiles(t.Context(), first))
		if last, err := b.LastFileNo(t.Context(), tr.ID); err != nil || last.No != 20 {
			t.Errorf("the last file is %d, %v; want 20", last.No, err)
		}
		wantErr(t, b.CountFiles(t.Context(), first), ErrProducerConflict)
		testkit.Must(t, b.CountFiles(t.Context(), second))
		if read := b.read(t, tr.ID); read.Files != 50 || read.Bytes != 50 {
			t.Errorf("%d files of %d bytes are counted, want 50 of 50", read.Files, read.Bytes)
		}
	})
}

// A file that is not there is not counted.
func TestLostFilesAreNotCounted(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		a := FileBatch{Transfer: tr.ID, Files: someFiles(20), First: 1, RunKey: "l"}
		testkit.Must(t, b.InsertFiles(t.Context(), a))
		testkit.Must(t, b.db.Exec("DELETE FROM files WHERE no = 7").Error)
		wantErr(t, b.CountFiles(t.Context(), a), ErrFilesLost)
		if b.read(t, tr.ID).Files > 0 || b.count(t, "seen_files", "1 = 1") > 0 {
			t.Error("files are counted although one is lost")
		}
	})
}

// Rows that a dead producer has inserted and not counted are gone when the transfer gets
// another producer, is sealed, or is canceled. A producer that was only slow adds nothing.
func TestUncountedFilesAreDeleted(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		for name, end := range map[string]struct {
			by   func(id int64) error
			want error
		}{
			"another producer": {func(id int64) error { _, _, err := b.BeginRegistering(t.Context(), id); return err }, ErrProducerConflict},
			"sealed":           {func(id int64) error { _, err := b.Seal(t.Context(), id); return err }, ErrSealed},
			"canceled":         {func(id int64) error { _, err := b.Cancel(t.Context(), id); return err }, ErrSealed},
		} {
			tr := b.transfer(t, 1)
			b.files(t, tr.ID, 5)
			token, next, err := b.BeginRegistering(t.Context(), tr.ID)
			if err != nil || next != 6 {
				t.Fatalf("%s: the next file is %d, %v", name, next, err)
			}
			inserted := FileBatch{Transfer: tr.ID, Producer: token, Files: someFiles(20), First: next}
			testkit.Must(t, b.InsertFiles(t.Context(), inserted))
			testkit.Must(t, end.by(tr.ID))
			late := FileBatch{Transfer: tr.ID, Producer: token, Files: someFiles(10), First: next + 20}
			wantErr(t, b.InsertFiles(t.Context(), late), end.want)
			wantErr(t, b.CountFiles(t.Context(), inserted), end.want)
			if n := b.count(t, "files", "transfer_id = ?", tr.ID); n != 5 {
				t.Errorf("%s: the transfer has %d rows of files, want the 5 that are counted", name, n)
			}
		}
	})
}
