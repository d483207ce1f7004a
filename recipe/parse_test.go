package recipe_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

var update = flag.Bool("update", false, "write the golden files")

func TestParse(t *testing.T) {
	t.Parallel()
	r := parse(t, `
name: photos
description: Checksums and formats
steps:
  - name: sums
    handler: checksum
    with: {algorithms: [sha256]}
    when: 'size > 0 && ext == ".jpg"'
    timeout: 10m
    retry: {attempts: 3, backoff: 2s, max_backoff: 5m}
    batch: {max_items: 500, max_bytes: 256MiB, max_delay: 250ms, target: 2s}
    on_failure: continue
  - handler: identify
    batch: {max_bytes: 1048576}
`)
	if r.Name != "photos" || r.Description != "Checksums and formats" || len(r.Steps) != 2 {
		t.Fatalf("got %+v", r)
	}
	s := r.Steps[0]
	if s.Number != 1 || s.Name != "sums" || s.Handler != "checksum" || s.When != `size > 0 && ext == ".jpg"` ||
		!s.HasCondition() || s.Timeout != 10*time.Minute || s.OnFailure != recipe.Continue {
		t.Errorf("step 1: %+v", s)
	}
	if want := (tasks.RetryPolicy{Attempts: 3, Backoff: 2 * time.Second, MaxBackoff: 5 * time.Minute}); s.Retry != want {
		t.Errorf("retry: %+v", s.Retry)
	}
	if want := (tasks.BatchPolicy{MaxItems: 500, MaxBytes: 256 << 20, MaxDelay: 250 * time.Millisecond, Target: 2 * time.Second}); s.Batch != want {
		t.Errorf("batch: %+v", s.Batch)
	}
	s = r.Steps[1]
	if s.Name != "identify" || s.HasCondition() || s.OnFailure != recipe.Stop || s.Batch.MaxBytes != 1<<20 || s.Timeout != 0 {
		t.Errorf("step 2: %+v", s)
	}
	if r.Step(2) != s || r.Step(0) != nil || r.Step(3) != nil {
		t.Error("Step numbers do not begin at 1, or Step returns one that does not exist")
	}
}

func TestParseAcceptsFormsOfYAML(t *testing.T) {
	t.Parallel()
	want := parse(t, "name: a\nsteps:\n  - handler: noop\n").Digest()
	for _, source := range []string{
		"\ufeffname: a\nsteps: [{handler: noop}]\n",
		"name: a\r\nsteps:\r\n- handler: noop\r\n",
		"%YAML 1.2\n---\nname: a\nsteps: [{handler: noop}]\n...\n",
		`{"name": "a", "steps": [{"handler": "noop", "with": null}]}`,
		"# comment\n\"name\": a # comment\nsteps:\n\n- handler: >-\n    noop\n",
	} {
		if got := parse(t, source).Digest(); got != want {
			t.Errorf("%q: another digest", source)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	const steps = "name: a\nsteps: [{handler: noop}]\n"
	if r := parse(t, steps+"split: {lines: 8MiB}\n"); r.Split != 8<<20 {
		t.Errorf("chunks of %d bytes", r.Split)
	}
	if r := parse(t, steps); r.Split != 0 {
		t.Errorf("split into %d without the key split", r.Split)
	}
	for bad, want := range map[string]string{
		"split: 8MiB":            "mapping with the keys lines",
		"split: {}":              "the size of chunks",
		"split: {records: 8MiB}": "unknown key",
		"split: {lines: 1}":      "from 4KiB to 1GiB",
		"split: {lines: 2GiB}":   "from 4KiB to 1GiB",
		"split: {lines: many}":   "not a size",
	} {
		_, err := recipe.Parse("test.yaml", []byte(steps+bad+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestErrorsGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(file)
			testkit.Must(t, err)
			r, err := recipe.Parse("photos.yaml", source)
			if r != nil || err == nil {
				t.Fatal("parsed")
			}
			testkit.Golden(t, strings.TrimSuffix(file, ".yaml")+".golden", err.Error()+"\n", *update)
		})
	}
}

func TestErrorsAreTyped(t *testing.T) {
	t.Parallel()
	_, err := recipe.Parse("photos.yaml", []byte("name: a\nsteps:\n  - handler: noop\n    timeout: 5\n    on_failure: x\n"))
	all, ok := errors.AsType[recipe.Errors](err)
	if !ok || len(all) != 2 {
		t.Fatalf("got %T %v", err, err)
	}
	one, ok := errors.AsType[*recipe.Error](err)
	if !ok || one != all[0] || one.File != "photos.yaml" || one.Line != 4 || all[1].Line != 5 {
		t.Errorf("got %+v", one)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	steps := func(n int) string {
		var b strings.Builder
		b.WriteString("name: a\nsteps:\n")
		for i := range n {
			fmt.Fprintf(&b, "  - {handler: noop, name: s%d}\n", i)
		}
		return b.String()
	}
	step := "name: a\nsteps:\n  - handler: noop\n"
	sum := func(n int) string { return "1" + strings.Repeat("+1", n) + " > 0" }
	for name, tc := range map[string]struct{ good, bad string }{
		"source":      {step + "#" + strings.Repeat("x", 63_000), step + "#" + strings.Repeat("x", 64_000)},
		"steps":       {steps(100), steps(101)},
		"no steps":    {steps(1), "name: a\nsteps: []\n"},
		"name":        {"name: " + strings.Repeat("x", 64) + step[7:], "name: " + strings.Repeat("x", 65) + step[7:]},
		"description": {step + "description: " + strings.Repeat("x", 1000), step + "description: " + strings.Repeat("x", 1001)},
		"expression":  {step + "    when: " + sum(100), step + "    when: " + sum(1000)},
		"nodes":       {step + "    when: " + sum(200), step + "    when: " + sum(300)},
		"depth": {step + "    with: " + strings.Repeat("[", 31) + strings.Repeat("]", 31),
			step + "    with: " + strings.Repeat("[", 33) + strings.Repeat("]", 33)},
		"text": {step, step + "# \x00"},
	} {
		if _, err := recipe.Parse("f", []byte(tc.good)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := recipe.Parse("f", []byte(tc.bad)); err == nil {
			t.Errorf("%s: more than the limit parsed", name)
		}
	}
}

func TestSnapshotParsesAgain(t *testing.T) {
	t.Parallel()
	for _, name := range recipe.Builtins() {
		r, _ := recipe.Builtin(name)
		again := parse(t, r.YAML())
		if again.YAML() != r.YAML() || again.Digest() != r.Digest() || !reflect.DeepEqual(outline(r), outline(again)) {
			t.Errorf("%s: the snapshot reads differently", name)
		}
	}
}

// outline returns what other packages can see of a recipe.
func outline(r *recipe.Recipe) []string {
	out := []string{r.Name, r.Description}
	for _, s := range r.Steps {
		out = append(out, fmt.Sprint(s.Number, s.Name, s.Handler, s.When, s.Timeout, s.Retry, s.Batch, s.OnFailure))
	}
	return out
}

func TestDigest(t *testing.T) {
	t.Parallel()
	base := "name: a\nsteps:\n  - handler: one\n    with: {a: 1, b: '${size}'}\n    when: size > 0\n  - handler: two\n"
	same := []string{
		"name: other\ndescription: d\nsteps:\n  - handler: one\n    name: x\n    with:\n      b: ${size}\n      a: 1\n    when: 'size > 0'\n    timeout: 3s\n    retry: {attempts: 2}\n    batch: {max_items: 3}\n  - handler: two\n",
	}
	different := []string{
		strings.Replace(base, "a: 1", "a: 2", 1),
		strings.Replace(base, "a: 1", "a: '1'", 1),
		strings.Replace(base, "${size}", "$${size}", 1),
		strings.Replace(base, "size > 0", "size > 1", 1),
		strings.Replace(base, "    when: size > 0\n", "", 1),
		strings.Replace(base, "    when: size > 0\n", "    when: size > 0\n    on_failure: continue\n", 1),
		strings.Replace(base, "two", "three", 1),
		"split: {lines: 1MiB}\n" + base,
		"name: a\nsteps:\n  - handler: two\n  - handler: one\n    with: {a: 1, b: '${size}'}\n    when: size > 0\n",
	}
	digest := parse(t, base).Digest()
	for _, s := range same {
		if parse(t, s).Digest() != digest {
			t.Errorf("the digest changed, but results do not:\n%s", s)
		}
	}
	for _, s := range different {
		if parse(t, s).Digest() == digest {
			t.Errorf("the digest is the same, but results change:\n%s", s)
		}
	}
	// Digests are stored, so another version must compute the same.
	if want := "0bd07301801f426e4f919591d4f19191bd438800cb1866e27bbee46fcd0f5440"; digest != want {
		t.Errorf("digest %s, want %s", digest, want)
	}
}

func parse(t testing.TB, source string) *recipe.Recipe {
	t.Helper()
	r, err := recipe.Parse("test.yaml", []byte(source))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, source)
	}
	return r
}

func TestEmitFrom(t *testing.T) {
	t.Parallel()
	r := parse(t, `
name: archives
steps:
  - handler: checksum
  - {name: unpack, handler: extract, emit_from: check}
  - {name: check, handler: noop, emit_from: next}
  - {name: last, handler: noop, emit_from: first}
`)
	for i, want := range []int{0, 2, 3, 0} { // the step before the one at which files start
		if got := r.Steps[i].EmitFrom.After(i + 1); got != want {
			t.Errorf("files of step %d start after %d, want %d", i+1, got, want)
		}
	}
	plain := parse(t, "name: a\nsteps: [{handler: noop}]\n")
	if !r.SkipsForEmitted() || plain.SkipsForEmitted() {
		t.Error("SkipsForEmitted is wrong")
	}
	if same := parse(t, "name: a\nsteps: [{handler: noop, emit_from: first}]\n"); same.Digest() != plain.Digest() {
		t.Error("the default changes the digest")
	}
	if other := parse(t, "name: a\nsteps: [{handler: noop, emit_from: next}]\n"); other.Digest() == plain.Digest() {
		t.Error("emit_from does not change the digest")
	}
	_, err := recipe.Parse("r.yaml", []byte("name: a\nsteps:\n  - {handler: noop, emit_from: nowhere}\n"))
	if err == nil || !strings.Contains(err.Error(), `r.yaml:3: emit_from "nowhere" must be first, next or the name of a step: noop`) {
		t.Errorf("got %v", err)
	}
}

// Every time in a recipe may be in days, and a deadline as far away as elsewhere.
func TestTimesInDays(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	r := parse(t, `
name: slow
deadline: 40d
steps:
  - {handler: noop, timeout: 1d12h, batch_timeout: 2d, retry: {attempts: 2, backoff: 1d, max_backoff: 2d}}
`)
	s := r.Steps[0]
	if r.Deadline != 40*day || s.Timeout != 36*time.Hour || s.BatchTimeout != 2*day || s.Retry.Backoff != day || s.Retry.MaxBackoff != 2*day {
		t.Errorf("deadline %s, step %+v", r.Deadline, s)
	}
}
