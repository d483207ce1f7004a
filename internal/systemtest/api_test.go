package systemtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/client"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// server serves the API of a system over HTTP until stop is called or the test ends.
func server(t *testing.T, b *baler.Baler, work bool) (url string, stop func()) {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	return "http://" + ln.Addr().String(), testkit.Background(t, func(ctx context.Context) error { return b.Serve(ctx, ln, work) })
}

func clientOf(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(url, client.Options{HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	testkit.Must(t, err)
	return c
}

func TestSubmitOverHTTP(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		tree := testkit.NumberedTree(t, 25)
		c.Roots = append(c.Roots, filepath.Dir(tree))
		b := open(t, c, nil)
		url, _ := server(t, b, true)
		api := clientOf(t, url)
		sub := client.Submission{Paths: []string{tree}, Recipe: "checksum", Name: "by http", Key: "key-1"}
		tr, err := api.Submit(t.Context(), sub)
		testkit.Must(t, err)
		again, err := api.Submit(t.Context(), sub)
		if err != nil || again.ID != tr.ID {
			t.Errorf("the same key made %s and %s: %v", tr.ID, again.ID, err)
		}
		sub.Recipe = "noop"
		if _, err := api.Submit(t.Context(), sub); status(err) != http.StatusConflict || !strings.Contains(err.Error(), `the recipe "checksum", not "noop"`) {
			t.Errorf("the same key for another recipe: %v", err)
		}
		var seen []client.Transfer
		tr, err = api.Wait(t.Context(), tr.ID, func(t client.Transfer) { seen = append(seen, t) })
		if err != nil || tr.State != "completed" || tr.Files != 25 || tr.Results.Succeeded != 25 || len(seen) == 0 {
			t.Errorf("it ends as %+v after %d events: %v", tr, len(seen), err)
		}
		n := 0
		for r, err := range api.Results(t.Context(), tr.ID, client.Filter{Step: "checksum", Outcomes: []string{"succeeded"}}) {
			testkit.Must(t, err)
			if n++; r.File != int64(n) || !bytes.Contains(r.Facts, []byte("sha256")) {
				t.Errorf("result %d is %+v", n, r)
			}
		}
		if n != 25 {
			t.Errorf("%d results", n)
		}
		if files, err := api.Retry(t.Context(), tr.ID, client.Filter{File: 3, Outcomes: []string{"succeeded"}}); err != nil || files != 1 {
			t.Errorf("%d files run again: %v", files, err)
		}
		one, err := b.Transfer(t.Context(), tr.ID)
		testkit.Must(t, err)
		audit(t, b, wait(t, b, one.UUID))
	})
}

func status(err error) int {
	if e, ok := errors.AsType[*client.Error](err); ok {
		return e.Status
	}
	return 0
}

func TestFilesOverHTTP(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		tree := testkit.NumberedTree(t, 30)
		c.Roots = append(c.Roots, filepath.Dir(tree))
		b := open(t, c, nil)
		url, _ := server(t, b, true)
		api := clientOf(t, url)
		tr, err := api.Submit(t.Context(), client.Submission{Recipe: "checksum"})
		testkit.Must(t, err)
		paths := treeFiles(t, tree)
		added, err := api.AddFiles(t.Context(), tr.ID, listed(paths[:10], -1))
		if err != nil || added != 10 {
			t.Fatalf("added %d: %v", added, err)
		}
		added, err = api.AddFiles(t.Context(), tr.ID, func(yield func(client.File) bool) {
			for f := range listed(paths[10:20], 7) {
				if !yield(f) {
					return
				}
			}
			yield(client.File{Path: "relative", Size: -1})
			yield(client.File{Path: paths[25], Size: -1})
		})
		if added != 10 || status(err) != http.StatusUnprocessableEntity || !strings.Contains(err.Error(), "Line 11: path is not absolute. Files added before it: 10.") {
			t.Errorf("a broken line: added %d: %v", added, err)
		}
		for _, size := range []int64{-1, 10} {
			if _, err := api.AddFiles(t.Context(), tr.ID, listed([]string{"/etc/passwd"}, size)); status(err) != http.StatusForbidden {
				t.Errorf("a file of size %d outside of the roots: %v", size, err)
			}
		}
		added, err = api.AddFiles(t.Context(), tr.ID, listed(paths[20:], -1))
		if err != nil || added != 10 {
			t.Fatalf("added %d: %v", added, err)
		}
		if tr, err = api.Seal(t.Context(), tr.ID); err != nil || tr.Files != 30 {
			t.Fatalf("sealed with %d files: %v", tr.Files, err)
		}
		if _, err := api.Seal(t.Context(), tr.ID); err != nil {
			t.Errorf("sealing twice: %v", err)
		}
		tr, err = api.Wait(t.Context(), tr.ID, nil)
		if err != nil || tr.State != "completed" || tr.Results.Succeeded != 30 {
			t.Errorf("it ends as %+v: %v", tr, err)
		}
		if _, err := api.AddFiles(t.Context(), tr.ID, listed(paths, -1)); status(err) != http.StatusConflict {
			t.Errorf("files for a sealed transfer: %v", err)
		}
		one, err := b.Transfer(t.Context(), tr.ID)
		testkit.Must(t, err)
		audit(t, b, one)
	})
}

func treeFiles(t *testing.T, tree string) (paths []string) {
	t.Helper()
	testkit.Must(t, filepath.WalkDir(tree, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths = append(paths, path)
		}
		return err
	}))
	return paths
}

func listed(paths []string, size int64) iter.Seq[client.File] {
	return func(yield func(client.File) bool) {
		for _, p := range paths {
			if !yield(client.File{Path: p, Size: size}) {
				return
			}
		}
	}
}

// When the connection breaks in the middle of a line, the lines before it are registered.
func TestStreamOfFilesThatBreaks(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		tree := testkit.NumberedTree(t, 1)
		c.Roots = append(c.Roots, filepath.Dir(tree))
		b := open(t, c, nil)
		url, _ := server(t, b, false)
		api := clientOf(t, url)
		tr, err := api.Submit(t.Context(), client.Submission{Recipe: "noop"})
		testkit.Must(t, err)
		pipe, w := io.Pipe()
		broken := errors.New("the connection breaks")
		go func() {
			for i := range 5000 {
				_, _ = fmt.Fprintf(w, "{\"path\":\"%s/%d\",\"size\":1}\n", tree, i)
			}
			_, _ = io.WriteString(w, `{"path":"/da`)
			w.CloseWithError(broken)
		}()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/transfers/"+tr.ID+"/files", pipe)
		testkit.Must(t, err)
		req.Header.Set("Content-Type", "application/x-ndjson")
		if res, err := http.DefaultClient.Do(req); !errors.Is(err, broken) {
			t.Errorf("%v, %v", res, err)
		}
		testkit.Eventually(t, time.Minute, func() error {
			if tr, err = api.Transfer(t.Context(), tr.ID); err == nil && tr.Files != 5000 {
				err = fmt.Errorf("%d files", tr.Files)
			}
			return err
		})
		if _, err := api.AddFiles(t.Context(), tr.ID, listed([]string{tree + "/last"}, 1)); err != nil {
			t.Error(err)
		}
		if tr, err = api.Seal(t.Context(), tr.ID); err != nil || tr.Files != 5001 {
			t.Errorf("%d files: %v", tr.Files, err)
		}
	})
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		tree := testkit.NumberedTree(t, 1)
		c.Roots = []string{tree}
		b := open(t, c, nil)
		url, _ := server(t, b, false)
		outside := t.TempDir()
		testkit.Must(t, os.Symlink(outside, filepath.Join(tree, "link")))
		for body, want := range map[string]struct {
			status int
			detail string
		}{
			`{"paths":["relative"]}`:                                        {422, "not an absolute path"},
			`{"paths":["/etc"]}`:                                            {403, "outside of the folders"},
			`{"paths":["` + tree + `/../x"]}`:                               {403, "outside of the folders"},
			`{"paths":["` + tree + `/link"]}`:                               {403, "outside of the folders"},
			`{"paths":["` + tree + `/missing"]}`:                            {422, "no such file or directory"},
			`{"paths":["` + tree + `"],"recipe":"nope"}`:                    {422, "the server knows no recipe named"},
			`{"paths":["` + tree + `"],"recipe":"/etc/passwd"}`:             {422, "the server knows no recipe named"},
			`{"paths":["` + tree + `"],"recipe":{"name":"x","steps":[]}}`:   {422, "step"},
			`{"paths":["` + tree + `"],"recipe":7}`:                         {422, "neither the name of a recipe nor an object"},
			`{"paths":["` + tree + `"],"recipe":"fixity"}`:                  {422, "run"},
			`{"paths":["` + tree + `"],"queue":"` + strings.Repeat("q", 80): {400, ""},
			`{"paths":["` + tree + `"],"weight":1000}`:                      {422, "validation failed"},
			`{"paths":["` + tree + `"],"nonsense":1}`:                       {422, "validation failed"},
			`{"paths":["` + tree + `"],"webhooks":["ftp://x"]}`:             {422, "webhook"},
			`{"paths":["` + tree + `"],"selection":{"include":["[z-"]}}`:    {422, "[z-"},
			`[]`: {422, ""},
			`{`:  {400, ""},
		} {
			res, err := http.Post(url+"/v1/transfers", "application/json", strings.NewReader(body))
			testkit.Must(t, err)
			text, err := io.ReadAll(res.Body)
			testkit.Must(t, errors.Join(err, res.Body.Close()))
			if res.StatusCode != want.status || !strings.Contains(string(text), want.detail) || !json.Valid(text) {
				t.Errorf("%s: %d %s, want %d with %q", body, res.StatusCode, text, want.status, want.detail)
			}
		}
		if all, err := b.Transfers(t.Context(), 0, 10); err != nil || len(all) != 0 {
			t.Errorf("refused requests left %d transfers: %v", len(all), err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
}

// When a server dies before it has registered an accepted submission, another server
// registers it.
func TestServerRegistersWhatADeadOneAccepted(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		tree := testkit.NumberedTree(t, 3)
		c.Roots = append(c.Roots, filepath.Dir(tree))
		clock := testkit.NewClock()
		b, err := baler.Open(t.Context(), c, baler.Options{Registry: builtin.Registry(), Now: clock.Now, Log: testLog(t)})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, b)
		s, err := store.Open(t.Context(), c.Database.URL, store.Options{Now: clock.Now})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, s)
		r := builtinRecipe(t, "noop")
		n := store.NewTransfer{
			Name: "accepted", Via: tasks.ViaBulk, Queue: tasks.DefaultQueue, Recipe: r.YAML(), Sources: []string{tree},
			Steps: []tasks.StepProgress{{Number: 1, Name: "noop", Handler: "noop"}}, Intake: ledger.IntakeServer,
		}
		var busy []int64 // other servers register these
		for range 4 {
			one, _, err := s.Create(t.Context(), n)
			testkit.Must(t, err)
			busy = append(busy, one.ID)
		}
		left, _, err := s.Create(t.Context(), n)
		testkit.Must(t, err)
		n.Sources, n.Intake = nil, ledger.IntakeRequests
		asked, _, err := s.Create(t.Context(), n)
		testkit.Must(t, err)
		clock.Advance(time.Minute) // the server that accepted them is silent
		for _, id := range busy {
			testkit.Must(t, s.HeartbeatTransfer(t.Context(), id))
		}
		server(t, b, true)
		tr := wait(t, b, left.UUID)
		if tr.Files != 3 {
			t.Errorf("%d files", tr.Files)
		}
		audit(t, b, tr)
		// A transfer whose files come in requests still waits for them.
		if asked, err = b.Transfer(t.Context(), asked.UUID); err != nil || asked.State != tasks.StateOpen {
			t.Errorf("it is %s: %v", asked.State, err)
		}
	})
}
