package verify

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func md5Of(s string) string    { d := md5.Sum([]byte(s)); return hex.EncodeToString(d[:]) }
func sha1Of(s string) string   { d := sha1.Sum([]byte(s)); return hex.EncodeToString(d[:]) }
func sha256Of(s string) string { d := sha256.Sum256([]byte(s)); return hex.EncodeToString(d[:]) }
func sha512Of(s string) string { d := sha512.Sum512([]byte(s)); return hex.EncodeToString(d[:]) }

func write(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	testkit.Must(t, err)
	for name, content := range files {
		testkit.WriteFileIn(t, dir, name, content)
	}
	return dir
}

// outcome verifies one file of a folder and returns "outcome code".
func outcome(t *testing.T, dir, name string, args any) (string, tasks.Result) {
	t.Helper()
	r, err := handlertest.DryRun{Args: args, Roots: []string{dir}}.Run(t.Context(), New(), filepath.Join(dir, name))
	testkit.Must(t, err)
	return strings.TrimSpace(string(r[0].Outcome) + " " + r[0].Code), r[0]
}

func TestVerify(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string // beside a.txt, which holds "alpha"
		file  string            // a.txt when empty
		args  any
		want  string
	}{
		"nothing lists it":        {want: "skipped not-listed"},
		"nothing may be unlisted": {args: map[string]any{"unlisted": "failed"}, want: "failed not-listed"},
		"sidecar":                 {files: map[string]string{"a.txt.md5": md5Of("alpha") + "  a.txt\n"}, want: "succeeded"},
		"sidecar is wrong":        {files: map[string]string{"a.txt.md5": md5Of("else") + "  a.txt\n"}, want: "failed digest-mismatch"},
		"sidecar turned off":      {files: map[string]string{"a.txt.md5": md5Of("else") + "  a.txt\n"}, args: map[string]any{"sidecars": false}, want: "skipped not-listed"},
		"bare digest":             {files: map[string]string{"a.txt.sha256": strings.ToUpper(sha256Of("alpha")) + "\n"}, want: "succeeded"},
		"bare digest is wrong":    {files: map[string]string{"a.txt.sha256": sha256Of("else")}, want: "failed digest-mismatch"},
		"CRLF":                    {files: map[string]string{"SHA256SUMS": sha256Of("alpha") + "  a.txt\r\n"}, want: "succeeded"},
		"byte order mark":         {files: map[string]string{"SHA256SUMS": "\ufeff" + sha256Of("alpha") + "  a.txt\r\n"}, want: "succeeded"},
		"binary star":             {files: map[string]string{"MD5SUMS": md5Of("alpha") + " *a.txt\n"}, want: "succeeded"},
		"dot slash":               {files: map[string]string{"MD5SUMS": md5Of("alpha") + "  ./a.txt\n"}, want: "succeeded"},
		"comments":                {files: map[string]string{"checksums.sha1": "# made by hand\n\n; too\n" + sha1Of("alpha") + "  a.txt\n"}, want: "succeeded"},
		"BSD":                     {files: map[string]string{"sha512sum.txt": "SHA512 (a.txt) = " + sha512Of("alpha") + "\n"}, want: "succeeded"},
		"BSD is wrong":            {files: map[string]string{"sha512sum.txt": "SHA512 (a.txt) = " + sha512Of("else") + "\n"}, want: "failed digest-mismatch"},
		"openssl":                 {files: map[string]string{"SHA256SUMS": "SHA2-256(a.txt)= " + sha256Of("alpha") + "\n"}, want: "succeeded"},
		"MD5 by BSD":              {files: map[string]string{"MD5SUMS": "MD5 (a.txt) = " + md5Of("alpha") + "\n"}, want: "succeeded"},
		"escaped name":            {files: map[string]string{"b\\\n": "beta", "MD5SUMS": `\` + md5Of("beta") + `  b\\\n` + "\n"}, file: "b\\\n", want: "succeeded"},
		"blanks in a name":        {files: map[string]string{"b" + "  c ": "beta", "MD5SUMS": md5Of("beta") + "  b  c \n"}, file: "b  c ", want: "succeeded"},
		"list above":              {files: map[string]string{"x/y/b": "beta", "SHA256SUMS": sha256Of("beta") + "  x/y/b\n"}, file: "x/y/b", want: "succeeded"},
		"two lists, one is wrong": {files: map[string]string{"MD5SUMS": md5Of("alpha") + "  a.txt\n", "SHA256SUMS": sha256Of("else") + "  a.txt\n"}, want: "failed digest-mismatch"},
		"another file's list":     {files: map[string]string{"MD5SUMS": md5Of("x") + "  x.txt\n"}, want: "skipped not-listed"},

		"a list whose files are there": {files: map[string]string{"MD5SUMS": md5Of("alpha") + "  a.txt\n"}, file: "MD5SUMS", want: "succeeded"},
		"a list whose file is gone":    {files: map[string]string{"MD5SUMS": md5Of("alpha") + "  a.txt\n" + md5Of("x") + "  gone\n"}, file: "MD5SUMS", want: "failed listed-missing"},
		"a sidecar whose file is gone": {files: map[string]string{"gone.md5": md5Of("x")}, file: "gone.md5", want: "failed listed-missing"},
		"a list with other lines":      {files: map[string]string{"MD5SUMS": md5Of("alpha") + "  a.txt\nwhat?\n"}, file: "MD5SUMS", want: "warning bad-list"},
		"a list by name alone":         {files: map[string]string{"notes.md5": "about md5\n"}, file: "notes.md5", want: "skipped not-listed"},

		"bag":               {files: map[string]string{"bagit.txt": "x", "data/b": "beta", "manifest-sha256.txt": sha256Of("beta") + "  data/b\n"}, file: "data/b", want: "succeeded"},
		"bag, encoded name": {files: map[string]string{"bagit.txt": "x", "data/b\nc": "beta", "manifest-sha256.txt": sha256Of("beta") + "  data/b%0Ac\n"}, file: "data/b\nc", want: "succeeded"},
		"bag, changed":      {files: map[string]string{"bagit.txt": "x", "data/b": "Beta", "manifest-sha256.txt": sha256Of("beta") + "  data/b\n"}, file: "data/b", want: "failed digest-mismatch"},
		"bag, not listed":   {files: map[string]string{"bagit.txt": "x", "data/b": "beta", "manifest-sha256.txt": ""}, file: "data/b", want: "failed not-in-manifest"},
		"bag, turned off":   {files: map[string]string{"bagit.txt": "x", "data/b": "beta", "manifest-sha256.txt": ""}, file: "data/b", args: map[string]any{"bags": false}, want: "skipped not-listed"},
		"bag, incomplete":   {files: map[string]string{"bagit.txt": "x", "manifest-sha256.txt": sha256Of("beta") + "  data/b\n"}, file: "manifest-sha256.txt", want: "failed listed-missing"},
		"bag, tag file":     {files: map[string]string{"bagit.txt": "x", "tagmanifest-md5.txt": md5Of("x") + "  bagit.txt\n"}, file: "bagit.txt", want: "succeeded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"a.txt": "alpha"}
			maps.Copy(files, c.files)
			file := c.file
			if file == "" {
				file = "a.txt"
			}
			if got, r := outcome(t, write(t, files), file, c.args); got != c.want {
				t.Errorf("%s, want %s: %s", got, c.want, r.Error)
			}
		})
	}
}

func TestListsThatAreNamed(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"a.txt": "alpha", "lists/all": sha256Of("alpha") + "  ../a.txt\n"})
	list := filepath.Join(dir, "lists/all")
	if got, r := outcome(t, dir, "a.txt", map[string]any{"lists": []any{list}}); got != "succeeded" ||
		!strings.Contains(string(r.Facts), `"verified":"sha256"`) || !strings.Contains(string(r.Facts), list) {
		t.Errorf("%s %s", got, r.Facts)
	}
	if got, _ := outcome(t, dir, "a.txt", map[string]any{"lists": []any{filepath.Join(dir, "gone")}}); got != "failed bad-list" {
		t.Error(got)
	}
	for _, args := range []any{map[string]any{"lists": []any{"all"}}, map[string]any{"unlisted": "ignored"}, map[string]any{"list": "x"}} {
		if got, _ := outcome(t, dir, "a.txt", args); got != "failed bad-args" {
			t.Errorf("%v: %s", args, got)
		}
	}
}

func TestDigestsOfEarlierStepsAreNotComputedAgain(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"a.txt": "alpha", "a.txt.sha256": sha256Of("else")})
	run := handlertest.DryRun{Roots: []string{dir}, Facts: map[string]any{"sha256": sha256Of("else")}}
	r, err := run.Run(t.Context(), New(), filepath.Join(dir, "a.txt"))
	testkit.Must(t, err)
	if r[0].Outcome != tasks.OutcomeSucceeded {
		t.Errorf("%s: %s", r[0].Outcome, r[0].Error)
	}
}

// A list that changes is read again, and one that comes is found.
func TestListsAreReadAgain(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"a.txt": "alpha", "MD5SUMS": md5Of("alpha") + "  a.txt\n"})
	l := newLists()
	list := filepath.Join(dir, "MD5SUMS")
	roots, err := handlers.NewRoots([]string{dir})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, roots)
	job := handlers.NewJob(handlers.JobSpec{File: tasks.File{Path: filepath.Join(dir, "a.txt")}, Opener: roots})
	first, err := l.get(job, list)
	testkit.Must(t, err)
	testkit.Must(t, os.WriteFile(list, []byte(md5Of("another")+"  a.txt\n"+md5Of("b")+"  b\n"), 0o600))
	kept, _ := l.kept.Get(list)
	kept.checked = kept.checked.Add(-2 * keptFor)
	l.kept.Add(list, kept)
	second, err := l.get(job, list)
	testkit.Must(t, err)
	if len(first.entries) != 1 || len(second.entries) != 2 {
		t.Errorf("%d entries, then %d", len(first.entries), len(second.entries))
	}
}

// The reference for lists is what writes them.
func TestListsOfCoreutils(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("sha256sum is not installed: it is the reference for its lists")
	}
	names := []string{"plain", "with blank", " leading", "back\\slash", "line\nend", "star*", "-", "ä"}
	files := map[string]string{}
	for _, n := range names {
		files[n] = "content of " + n
	}
	for flag, list := range map[string]string{"--text": "SHA256SUMS", "--binary": "sha256sum.txt", "--tag": "checksums.sha256"} {
		dir := write(t, files)
		cmd := exec.CommandContext(t.Context(), tool, append([]string{flag, "--"}, "plain", "with blank", " leading", "back\\slash", "line\nend", "star*", "./-", "ä")...)
		cmd.Dir = dir
		out, err := cmd.Output()
		testkit.Must(t, err)
		testkit.Must(t, os.WriteFile(filepath.Join(dir, list), out, 0o600))
		for _, n := range append(slices.Clone(names), list) {
			if got, r := outcome(t, dir, n, nil); got != "succeeded" {
				t.Errorf("%s, %q: %s: %s", flag, n, got, r.Error)
			}
		}
		testkit.Must(t, os.WriteFile(filepath.Join(dir, "line\nend"), []byte("changed"), 0o600))
		if got, _ := outcome(t, dir, "line\nend", nil); got != "failed digest-mismatch" {
			t.Errorf("%s: %s", flag, got)
		}
	}
}

func TestFinalStepFindsWhatTheTransferDoesNotHave(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"a": "alpha", "b": "beta", "list": md5Of("alpha") + "  a\n" + md5Of("beta") + "  b\n", "empty": "\n"})
	files := []handlers.FinalFile{{File: tasks.File{Path: filepath.Join(dir, "a")}}, {File: tasks.File{Path: filepath.Join(dir, "b")}}}
	args := func(name string) any { return map[string]any{"lists": []any{filepath.Join(dir, name)}} }
	try := func(files []handlers.FinalFile, args any) tasks.FinalizeStep {
		return builtintest.TryFinalizer(t, Finalize, handlertest.FinalizerDryRun{Files: files, Args: args, Roots: []string{dir}, Base: dir})
	}
	builtintest.WantStep(t, try(files, args("list")), tasks.FinalizeDone, "")
	builtintest.WantStep(t, try(files[:1], args("list")), tasks.FinalizeFailed,
		`listed-missing: 1 of 2 files are listed but not in the transfer: "`+filepath.Join(dir, "b")+`"`)
	builtintest.WantStep(t, try(files, args("empty")), tasks.FinalizeFailed, "it lists no digest")
	builtintest.WantStep(t, try(files, args("gone")), tasks.FinalizeFailed, "not-found")
	builtintest.WantStep(t, try(files, nil), tasks.FinalizeFailed, "lists is empty")
}
