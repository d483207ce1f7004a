package recipe_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

func when(t testing.TB, condition string) *recipe.Recipe {
	t.Helper()
	return parse(t, fmt.Sprintf("name: a\nsteps:\n  - handler: noop\n    when: %q\n", condition))
}

func TestConditions(t *testing.T) {
	t.Parallel()
	file := &tasks.File{Path: "/a/b.d/Photo.JPG", Size: 10, MTime: time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)}
	facts := map[string]any{
		"mime": "image/jpeg", "width": 640.0, "ok": true, "tags": []any{"q"},
		"exif": map[string]any{"width": 12.0},
	}
	for condition, want := range map[string]bool{
		`path == "/a/b.d/Photo.JPG"`:            true,
		`name == "Photo.JPG"`:                   true,
		`dir == "/a/b.d"`:                       true,
		`ext == ".jpg"`:                         true,
		`ext in [".png", ".jpg"]`:               true,
		`size == 10 and size < 11`:              true,
		`mtime > date("2020-01-01")`:            true,
		`mtime > date("2025-01-01")`:            false,
		`facts.mime startsWith "image/"`:        true,
		`facts["mime"] matches "^video/"`:       false,
		`facts.width > 600`:                     true,
		`facts.ok`:                              true,
		`not facts.ok`:                          false,
		`"q" in facts.tags`:                     true,
		`facts.exif?.width > 11`:                true,
		`facts.exif.width > 12`:                 false,
		`lower(facts.mime) contains "jpeg"`:     true,
		`facts.mime == nil`:                     false,
		`facts.missing == nil`:                  true,
		`facts.missing != "x"`:                  true,
		`facts.missing > 3`:                     false,
		`3 > facts.missing`:                     false,
		`facts.missing <= facts.gone`:           false,
		`facts["missing"] startsWith "x"`:       false,
		`"x" endsWith facts.missing`:            false,
		`facts.missing contains "x"`:            false,
		`facts.missing matches "x"`:             false,
		`facts.missing in ["x"]`:                false,
		`"x" in facts.missing`:                  false,
		`facts.missing?.width > 3`:              false,
		`facts.missing`:                         false,
		`not facts.missing`:                     true,
		`facts.missing or facts.ok`:             true,
		`facts.ok && facts.missing`:             false,
		`facts.missing ? true : false`:          false,
		`not (facts.missing > 3)`:               true,
		`(facts.missing ?? 4) > 3`:              true,
		`any(facts.tags, # startsWith "q")`:     true,
		`let w = facts.missing ?? 3; w == size`: false,
	} {
		got, err := when(t, condition).Next(0, file, facts)
		if err != nil || got == 1 != want {
			t.Errorf("%s: step %d, %v; want %v", condition, got, err, want)
		}
	}
}

func TestExtension(t *testing.T) {
	t.Parallel()
	for path, ext := range map[string]string{
		"/a/b.TIFF": ".tiff", "/a/b": "", "/a.d/b": "", "/a/.profile": "", "/a/b.": "", "/a/x.tar.gz": ".gz", "/a/.x.Jpg": ".jpg",
	} {
		if got, err := when(t, fmt.Sprintf("ext == %q", ext)).Next(0, &tasks.File{Path: path}, nil); got != 1 || err != nil {
			t.Errorf("%s: extension is not %q", path, ext)
		}
	}
}

func TestFailingConditionKeepsTheFile(t *testing.T) {
	t.Parallel()
	r := parse(t, `
name: a
steps:
  - handler: first
  - {handler: second, name: wide, when: facts.width > 100}
  - handler: third
`)
	step, err := r.Next(1, &tasks.File{Path: "/a"}, map[string]any{"width": "wide"})
	failure, ok := errors.AsType[*recipe.EvalError](err)
	if step != 2 || !ok || failure.Number != 2 || failure.Step != "wide" || failure.Part != "when" {
		t.Fatalf("step %d, %v", step, err)
	}
	if want := `step wide: when "facts.width > 100": invalid operation: text > number (column 13)`; err.Error() != want {
		t.Errorf("got %q", err)
	}
	for _, condition := range []string{"facts.s", "not facts.s", "len(facts.gone) > 1", "facts.gone.x > 3", "facts.s[9] == 'x'", "facts.gone + 1 > 2"} {
		step, err := when(t, condition).Next(0, &tasks.File{Path: "/a"}, map[string]any{"s": "text"})
		if step != 1 || err == nil {
			t.Errorf("%s: step %d, %v", condition, step, err)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: an error of several lines: %q", condition, err)
		}
	}
}

// Next returns the first step after a given one whose condition holds; a simple loop
// computes the expected step.
func TestNextProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limits := rapid.SliceOfN(rapid.IntRange(-1, 20), 1, 12).Draw(t, "limits") // -1: unconditional
		var b strings.Builder
		b.WriteString("name: a\nsteps:\n")
		for i, limit := range limits {
			fmt.Fprintf(&b, "  - {handler: noop, name: s%d", i)
			if limit >= 0 {
				fmt.Fprintf(&b, ", when: size >= %d", limit)
			}
			b.WriteString("}\n")
		}
		r, err := recipe.Parse("f", []byte(b.String()))
		testkit.Must(t, err)
		size := rapid.IntRange(0, 20).Draw(t, "size")
		after := rapid.IntRange(-1, len(limits)+1).Draw(t, "after")
		want := 0
		for i := len(limits) - 1; i >= max(after, 0); i-- {
			if limits[i] <= size {
				want = i + 1
			}
		}
		got, err := r.Next(after, &tasks.File{Path: "/a", Size: int64(size)}, nil)
		if err != nil || got != want {
			t.Fatalf("after %d: step %d, %v; want %d", after, got, err, want)
		}
	})
}

func TestNeedsFacts(t *testing.T) {
	t.Parallel()
	r := parse(t, `
name: a
steps:
  - handler: one
  - {handler: two, when: size > 0 && "x" in keys(facts)}
  - {handler: three, with: {deep: [{text: "a ${ path }"}]}}
  - {handler: four, with: {deep: [{text: "a ${ facts.x ?? 1 }"}, "${size}"]}}
  - {handler: five, with: "facts.x"}
`)
	for step, want := range map[int]bool{-1: true, 0: true, 1: true, 2: true, 3: true, 4: true, 5: false, 6: false, 99: false} {
		if got := r.NeedsFacts(step); got != want {
			t.Errorf("NeedsFacts(%d) = %v", step, got)
		}
	}
}

func TestStopsOnFailure(t *testing.T) {
	t.Parallel()
	r := parse(t, "name: a\nsteps:\n  - handler: a\n  - {handler: b, on_failure: continue}\n")
	for _, o := range tasks.Outcomes() {
		bad := o == tasks.OutcomeFailed || o == tasks.OutcomeError || o == tasks.OutcomeTimedOut
		if got := r.Step(1).StopsOnFailure(o); got != (bad || o == tasks.OutcomeCanceled) {
			t.Errorf("stop: Stops(%s) = %v", o, got)
		}
		if got := r.Step(2).StopsOnFailure(o); got != (o == tasks.OutcomeCanceled) {
			t.Errorf("continue: Stops(%s) = %v", o, got)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r := parse(t, "name: a\nsteps:\n  - handler: one\n    when: size > facts.limit\n    with: {n: '${size}', l: [1]}\n")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				f := &tasks.File{Path: "/a", Size: int64(g*1000 + i)}
				step, err := r.Next(0, f, map[string]any{"limit": 500})
				if want := f.Size > 500; err != nil || (step == 1) != want {
					t.Errorf("size %d: step %d, %v", f.Size, step, err)
				}
				args, err := r.Step(1).Args(f, nil)
				if err != nil {
					t.Error(err)
					continue
				}
				m := args.(map[string]any)
				if m["n"] != int(f.Size) || m["l"].([]any)[0] != 1 {
					t.Errorf("size %d: %v", f.Size, args)
				}
				m["n"], m["l"].([]any)[0] = nil, nil // the caller may change its arguments
			}
		})
	}
	wg.Wait()
}

func TestNextOfUnconditionalStepsAllocatesNothing(t *testing.T) {
	r := parse(t, "name: a\nsteps:\n  - handler: one\n  - {handler: two, when: size > 1}\n")
	f := &tasks.File{Path: "/a/b.jpg", Size: 1}
	if n := testing.AllocsPerRun(100, func() { _, _ = r.Next(0, f, nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNext(b *testing.B) {
	r := parse(b, "name: a\nsteps:\n  - handler: one\n  - {handler: two, when: 'size > 1 && ext == \".jpg\"'}\n  - {handler: three, when: 'facts.mime startsWith \"image/\"'}\n")
	f := &tasks.File{Path: "/a/b.jpg", Size: 2}
	facts := map[string]any{"mime": "image/png"}
	for after, name := range []string{"unconditional", "size", "facts"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if step, err := r.Next(after, f, facts); step != after+1 || err != nil {
					b.Fatal(step, err)
				}
			}
		})
	}
}
