package extract

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testkit/storagetest"
	"github.com/balerhq/baler/tasks"
)

// bucketTrial extracts an archive below s3://films/out, where a worker may write.
type bucketTrial struct {
	server *storagetest.S3
	run    handlertest.DryRun
	path   string
}

func newBucketTrial(t *testing.T, content []byte) *bucketTrial {
	t.Helper()
	b := storage.New()
	t.Cleanup(func() { testkit.Must(t, b.Close()) })
	c := &bucketTrial{server: storagetest.New(t)}
	_, err := b.Add(c.server.Address(""))
	testkit.Must(t, err)
	source := t.TempDir()
	c.path = filepath.Join(source, "sub", "a.bin")
	testkit.Must(t, os.MkdirAll(filepath.Dir(c.path), 0o700))
	testkit.Must(t, os.WriteFile(c.path, content, 0o600))
	c.run = handlertest.DryRun{Sources: []string{source}, Outputs: []string{"s3://films/out"}, Objects: b}
	return c
}

func (c *bucketTrial) try(t *testing.T, args map[string]any) tasks.Result {
	t.Helper()
	all := map[string]any{"to": "s3://films/out"}
	maps.Copy(all, args)
	c.run.Args = all
	results, err := c.run.Run(t.Context(), New(), c.path)
	testkit.Must(t, err)
	return results[0]
}

// written are the requests that changed something.
func (c *bucketTrial) written() (n int) {
	for _, r := range c.server.Requests() {
		if !strings.HasPrefix(r, "GET ") && !strings.HasPrefix(r, "HEAD ") {
			n++
		}
	}
	return n
}

func emittedPaths(r *tasks.Result) (all []string) {
	for i := range r.Emitted {
		all = append(all, r.Emitted[i].Path)
	}
	return all
}

func TestExtractIntoObjectStorage(t *testing.T) {
	t.Parallel()
	c := newBucketTrial(t, zipOf(t, entry{name: "sub/"}, entry{name: "sub/a", content: "alpha"}, entry{name: "b", content: "beta"}, entry{name: "../c"}))
	r := c.try(t, nil)
	want(t, &r, tasks.OutcomeWarning, CodeUnsafePath)
	members := []string{"s3://films/out/sub/a.bin.contents/sub/a", "s3://films/out/sub/a.bin.contents/b"}
	if got := emittedPaths(&r); !slices.Equal(got, members) {
		t.Fatalf("%q", got)
	}
	if e := r.Emitted[0]; e.Size != 5 || e.MTime.IsZero() || e.Emitted.Base != "s3://films/out" || e.Emitted.Name != "sub/a" {
		t.Errorf("%+v, %+v", e, e.Emitted)
	}
	if strings.Contains(r.Error, "empty folder") {
		t.Errorf("%s", r.Error)
	}
	if content, _ := c.server.Get("out/sub/a.bin.contents/sub/a"); content != "alpha" {
		t.Errorf("%q", content)
	}

	// It may run twice, also when a worker was killed in between: nothing is written again.
	c.server.Remove("out/sub/a.bin.contents/b")
	c.written()
	r = c.try(t, nil)
	if n := c.written(); n != 1 || len(r.Emitted) != 2 {
		t.Errorf("%d members, %d writes; want 2 and 1", len(r.Emitted), n)
	}

	c.server.Put("out/sub/a.bin.contents/b", "of another")
	r = c.try(t, nil)
	want(t, &r, tasks.OutcomeWarning, CodeMembersRefused)
	if content, _ := c.server.Get("out/sub/a.bin.contents/b"); content != "of another" || len(r.Emitted) != 1 || !strings.Contains(r.Error, "destination-exists") {
		t.Errorf("%q, %s", content, r.Error)
	}
	r = c.try(t, map[string]any{"replace": true})
	if content, _ := c.server.Get("out/sub/a.bin.contents/b"); content != "beta" || len(r.Emitted) != 2 {
		t.Errorf("%q, %s", content, r.Error)
	}
}

// What is damaged or too much is never put in place.
func TestExtractIntoObjectStorageUnharmed(t *testing.T) {
	t.Parallel()
	broken := zipOf(t, entry{name: "a", content: strings.Repeat("alpha", 100)})
	broken[42] ^= 0xff // in the compressed content, behind 30 bytes, the name, and 9 bytes of the time
	for name, tt := range map[string]struct {
		content []byte
		args    map[string]any
		outcome tasks.Outcome
		code    string
	}{
		"damaged":   {broken, nil, tasks.OutcomeFailed, CodeMalformed},
		"too large": {zipOf(t, entry{name: "a", content: "alpha"}), map[string]any{"max_total": "4B"}, tasks.OutcomeFailed, CodeTooLarge},
		"long key": {
			zipOf(t, entry{name: strings.Repeat(strings.Repeat("k", 200)+"/", 5) + "a", content: "alpha"}), nil, tasks.OutcomeWarning, CodeNameTooLong,
		},
		"elsewhere":     {zipOf(t, entry{name: "a"}), map[string]any{"to": "s3://films/other"}, tasks.OutcomeFailed, handlers.CodeOutsideOutputs},
		"no bucket":     {zipOf(t, entry{name: "a"}), map[string]any{"to": "s3://AKIA:hush@films/out"}, tasks.OutcomeFailed, handlers.CodeBadArgs},
		"with settings": {zipOf(t, entry{name: "a"}), map[string]any{"to": "s3://films/out?region=x"}, tasks.OutcomeFailed, handlers.CodeBadArgs},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newBucketTrial(t, tt.content)
			r := c.try(t, tt.args)
			want(t, &r, tt.outcome, tt.code)
			if n := c.written(); n > 0 || len(r.Emitted) > 0 {
				t.Errorf("%d writes, emitted %q", n, emittedPaths(&r))
			}
		})
	}
}

// An archive that lies in an archive is read where it was written, which no source is.
func TestExtractEmittedObject(t *testing.T) {
	t.Parallel()
	c := newBucketTrial(t, nil)
	c.server.Put("out/a.zip.contents/inner.zip", string(zipOf(t, entry{name: "x", content: "text"})))
	c.path = "s3://films/out/a.zip.contents/inner.zip"
	c.run.Roots = c.run.Sources
	c.run.Emitted = &tasks.Emission{Parent: 1, Top: 1, Depth: 1, Base: "s3://films/out", Name: "inner.zip"}
	r := c.try(t, nil)
	want(t, &r, tasks.OutcomeSucceeded, "")
	if got := emittedPaths(&r); !slices.Equal(got, []string{"s3://films/out/a.zip.contents/inner.zip.contents/x"}) {
		t.Errorf("%q", got)
	}
}
