package store

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/watch"
)

func TestWatchedItems(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		ctx, tr := t.Context(), b.transfer(t, 1)
		due := func(state watch.Stage, want ...string) {
			t.Helper()
			var paths []string
			for after := ""; ; {
				page, err := b.DueItems(ctx, "w", state, after, 1)
				testkit.Must(t, err)
				if len(page) == 0 {
					break
				}
				after = page[0].Path
				paths = append(paths, after)
			}
			if len(paths) != len(want) {
				t.Errorf("%s: %q, want %q", state, paths, want)
			}
		}
		yes := func(want bool) func(bool, error) {
			return func(got bool, err error) {
				t.Helper()
				if err != nil || got != want {
					t.Errorf("%v, %v; want %v", got, err, want)
				}
			}
		}
		one, two := watch.Item{Path: "a\n\xff", Print: "1", Token: "t1", Stage: watch.Submitting}, watch.Item{Path: "b", Print: "1", Token: "t2", Stage: watch.Submitting}
		yes(true)(b.BeginItem(ctx, "w", &one, ""))
		yes(false)(b.BeginItem(ctx, "w", &one, "")) // another was faster
		yes(true)(b.BeginItem(ctx, "other", &one, ""))
		yes(true)(b.BeginItem(ctx, "w", &two, ""))
		due(watch.Submitting, one.Path, two.Path)
		one.Stage, one.Transfer = watch.Submitted, tr.ID
		yes(true)(b.ChangeItem(ctx, "w", &one, watch.Submitting))
		yes(false)(b.ChangeItem(ctx, "w", &one, watch.Submitting))
		due(watch.Submitted) // it goes on
		two.Stage, two.Transfer = watch.Submitted, -5
		yes(true)(b.ChangeItem(ctx, "w", &two, watch.Submitting))
		due(watch.Submitted, two.Path) // it was deleted
		if _, err := b.Cancel(ctx, tr.ID); err != nil {
			t.Fatal(err)
		}
		due(watch.Submitted, one.Path, two.Path)
		one.Stage, two.Stage = watch.Ended, watch.Ended
		yes(true)(b.ChangeItem(ctx, "w", &one, watch.Submitted))
		yes(true)(b.ChangeItem(ctx, "w", &two, watch.Submitted))
		due(watch.Ended, two.Path)
		again := watch.Item{Path: one.Path, Print: "2", Token: "t3", Stage: watch.Submitting}
		yes(false)(b.BeginItem(ctx, "w", &again, "t0"))
		yes(true)(b.BeginItem(ctx, "w", &again, "t1"))
		testkit.Must(t, b.DropItem(ctx, "w", &one)) // its token is another
		all, err := b.WatchedItems(ctx, "w", []string{one.Path, two.Path, "c"})
		testkit.Must(t, err)
		if len(all) != 2 || all[one.Path] != again || all[two.Path] != two {
			t.Errorf("%+v", all)
		}
		testkit.Must(t, b.DropItem(ctx, "w", &again))
		if n := b.count(t, "watched_items", "1 = 1"); n != 2 {
			t.Errorf("%d rows are left, want 2", n)
		}
	})
}

func TestWatchesTellAboutThemselves(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		s := watch.FolderActivity{Name: "n\xff", Folder: "/in/\n", Recipe: "checksum", Holder: "h", How: "every 10s", StartedAt: b.clock.Now(), Waiting: 3}
		testkit.Must(t, b.SaveWatch(t.Context(), &s))
		b.clock.Advance(time.Minute)
		s.Submitted, s.Moved, s.LastAt, s.LastPath, s.Problem = 5, 4, b.clock.Now(), "/in/a\xff", "full"
		testkit.Must(t, b.SaveWatch(t.Context(), &s))
		all, err := b.Watches(t.Context())
		testkit.Must(t, err)
		s.SeenAt = b.clock.Now()
		if len(all) != 1 || !all[0].SeenAt.Equal(s.SeenAt) || !all[0].LastAt.Equal(s.LastAt) || all[0].LastPath != s.LastPath || all[0].Problem != s.Problem || all[0].Submitted != 5 {
			t.Errorf("%+v, want %+v", all, s)
		}
		b.clock.Advance(keepWatch + time.Hour)
		other := watch.FolderActivity{Name: "other", StartedAt: b.clock.Now()}
		testkit.Must(t, b.SaveWatch(t.Context(), &other))
		if all, err = b.Watches(t.Context()); err != nil || len(all) != 1 || all[0].Name != "other" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
