package cli

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// examplePages are the documents with examples for people who use Baler.
func examplePages(t *testing.T) []string {
	t.Helper()
	all := []string{"../README.md", "../deploy/README.md"}
	for _, pattern := range []string{"../docs/*.md", "../docs/handlers/*.md", "../docs/runbooks/*.md"} {
		more, err := filepath.Glob(pattern)
		testkit.Must(t, err)
		all = append(all, more...)
	}
	return all
}

// Each YAML block is a recipe, rules or settings, or a part of a recipe; Baler accepts it.
func TestDocumentedYAML(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	for _, name := range []string{"lines.py", "client_script.py", "store.py", "words.sh"} {
		s.file(name, "")
	}
	indented := func(text string, by int) string {
		return strings.ReplaceAll("\n"+strings.TrimSpace(text), "\n", "\n"+strings.Repeat(" ", by))
	}
	seen := 0
	for _, page := range examplePages(t) {
		for _, text := range blocks(t, page, "yaml") {
			first, _, _ := strings.Cut(text, ":")
			var got ran
			switch {
			case strings.Contains(text, "\nvolumeMounts:"): // values of the Helm chart: deploy/helm/check tests those
				continue
			case strings.Contains(text, "\nsteps:"):
				text = strings.ReplaceAll(text, "handler: lines\n", "handler: validate\n") // the page registers it
				got = s.do("recipe", "validate", s.file("recipe.yaml", text))
			case strings.Contains(text, "rules:\n"):
				s.file("rules.yaml", text)
				got = s.do("recipe", "validate", s.file("recipe.yaml", "name: x\nsteps:\n  - handler: exec\n    rules: rules.yaml\n"))
			case first == "with":
				got = s.do("recipe", "validate", s.file("recipe.yaml", "name: x\nsteps:\n  - handler: exec"+indented(text, 4)+"\n"))
			case first == "facts":
				got = s.do("recipe", "validate", s.file("recipe.yaml", "name: x\nsteps:\n  - handler: exec\n    with:\n      each: batch\n      command: [exiftool]"+indented(text, 6)+"\n"))
			default:
				got = s.do("--config", s.file("settings.yaml", text), "recipe", "list")
			}
			seen++
			if got.code != exitOK {
				t.Errorf("%s: exit code %d, %s\n%s", page, got.code, got.stderr, text)
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d examples were found", seen)
	}
}

// Each command of a shell block outside docs/cli.md, whose commands another test runs, has
// arguments that Baler accepts.
func TestDocumentedCommandLines(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	command := regexp.MustCompile(`(?:^|[|;&(]|\bworker |\bmigrate )\s*(?:[A-Z_]+=\S+ )*(?:sudo (?:-u \S+ )?)?baler ([^|;&#)]*)`)
	seen := 0
	for _, page := range examplePages(t) {
		if strings.HasSuffix(page, "/cli.md") {
			continue
		}
		for _, text := range blocks(t, page, "sh") {
			text = strings.ReplaceAll(text, "\\\n", " ")
			for line := range strings.Lines(text) {
				for _, m := range command.FindAllStringSubmatch(line, -1) {
					args, _, _ := strings.Cut(m[1], ">")
					words := strings.Fields(strings.NewReplacer(`"`, "", "'", "").Replace(args))
					seen++
					if got := s.do(append(words, "--help")...); got.code != exitOK || !strings.Contains(got.stdout, "Usage:") && !strings.Contains(got.stdout, "USAGE") {
						t.Errorf("%s: baler %s: exit code %d, %s", page, args, got.code, got.stderr)
					}
				}
			}
		}
	}
	if seen < 25 {
		t.Errorf("only %d commands were found", seen)
	}
}

// packagesOfExamples are the packages that examples in Go may use, by name.
var packagesOfExamples = map[string]string{
	"bufio": "bufio", "context": "context", "fmt": "fmt", "io": "io", "http": "net/http", "os": "os", "testing": "testing", "time": "time",
	"asynq": "github.com/hibiken/asynq", "baler": "github.com/balerhq/baler", "client": "github.com/balerhq/baler/client",
	"builtin": "github.com/balerhq/baler/handlers/builtin", "cli": "github.com/balerhq/baler/cli", "command": "github.com/balerhq/baler/handlers/command",
	"handlers": "github.com/balerhq/baler/handlers", "handlertest": "github.com/balerhq/baler/handlers/handlertest",
	"tasks": "github.com/balerhq/baler/tasks", "webhook": "github.com/balerhq/baler/webhook",
}

// goPage makes one file of the Go blocks of a page. What a block leaves to its reader is in the
// preludes.
func goPage(t *testing.T, page string) string {
	t.Helper()
	preludes := map[string]string{
		"api.md":       "func example(ctx context.Context, token string) error {\n%s\nreturn err\n}\n",
		"webhooks.md":  "var secret string\n%s",
		"migrating.md": "func thumbnail(context.Context, string) error { return nil }\n%s",
	}
	var body strings.Builder
	for _, text := range blocks(t, page, "go") {
		if strings.HasPrefix(text, "package ") {
			return text
		}
		if strings.Count(text, "\n") == 1 && strings.HasPrefix(text, "func ") {
			declared(t, page, strings.TrimSpace(text))
			continue
		}
		body.WriteString(text + "\n")
	}
	text := strings.Replace(cmp.Or(preludes[filepath.Base(page)], "%s"), "%s", body.String(), 1)
	var head strings.Builder
	head.WriteString("package example\n\nimport (\n")
	for name, path := range packagesOfExamples {
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(text) {
			head.WriteString("\t\"" + path + "\"\n")
		}
	}
	return head.String() + ")\n\n" + text
}

// declared reports a signature that the package handlers does not have.
func declared(t *testing.T, page, signature string) {
	t.Helper()
	files, err := filepath.Glob("../handlers/*.go")
	testkit.Must(t, err)
	more, err := filepath.Glob("../handlers/command/*.go")
	testkit.Must(t, err)
	short := func(s string) string { return strings.ReplaceAll(s, "handlers.", "") }
	for _, file := range append(files, more...) {
		source, err := os.ReadFile(file)
		testkit.Must(t, err)
		if strings.Contains(short(string(source)), "\n"+short(signature)+" {\n") {
			return
		}
	}
	t.Errorf("%s shows %s, which is not so", page, signature)
}

// The Go code of the pages compiles, and its tests pass: each page is a package of a module that
// uses this one.
func TestDocumentedGo(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	testkit.Must(t, err)
	dir, packages, tests := t.TempDir(), 0, 0
	for _, page := range examplePages(t) {
		if len(blocks(t, page, "go")) == 0 {
			continue
		}
		text, file := goPage(t, page), "example.go"
		if strings.Contains(text, "func Test") {
			file = "example_test.go"
			tests++
		}
		packages++
		testkit.WriteFile(t, filepath.Join(dir, strings.ToLower(strings.TrimSuffix(filepath.Base(page), ".md")), file), text)
	}
	if packages < 5 || tests == 0 {
		t.Fatalf("%d pages have Go, and %d tests", packages, tests)
	}
	modules, err := os.ReadFile("../go.mod")
	testkit.Must(t, err)
	sums, err := os.ReadFile("../go.sum")
	testkit.Must(t, err)
	testkit.WriteFile(t, filepath.Join(dir, "go.sum"), string(sums))
	testkit.WriteFile(t, filepath.Join(dir, "go.mod"), strings.Replace(string(modules), "module github.com/balerhq/baler", "module example.org/documented", 1)+
		"\nrequire github.com/balerhq/baler v0.0.0\n\nreplace github.com/balerhq/baler => "+root+"\n")
	for _, args := range [][]string{{"vet", "-mod=mod", "./..."}, {"test", "-mod=mod", "./handlers"}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=", "GOPROXY=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// The handler of the page on coprocess, and its test, do what the page says.
func TestDocumentedPython(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	library, err := filepath.Abs("../sdk/python")
	testkit.Must(t, err)
	python := blocks(t, "../docs/handlers/coprocess.md", "python")
	if len(python) != 2 {
		t.Fatalf("the page has %d blocks of Python; the test knows 2", len(python))
	}
	s.file("in/poem.txt", "one\ntwo\n")
	s.file("poem.txt", "one\ntwo\n")
	s.file("lines.py", python[0])
	s.file("test_lines.py", python[1]+"\ntest_lines()\n")
	for _, args := range [][]string{{filepath.Join(library, "baler.py"), "test", "lines.py", "poem.txt"}, {"test_lines.py"}} {
		cmd := exec.CommandContext(t.Context(), "python3", args...)
		cmd.Dir, cmd.Env = s.dir, slices.Concat(s.env, []string{"PYTHONPATH=" + library, "PYTHONDONTWRITEBYTECODE=1"})
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("python3 %q: %v\n%s", args, err, out)
		}
	}
	recipe := s.file("lines.yaml", blocks(t, "../docs/handlers/coprocess.md", "yaml")[0])
	s.must(exitOK, "run", "--quiet", "--recipe", recipe, s.path("in"))
	contains(t, "results", s.must(exitOK, "results", "latest", "--json").stdout, `"facts":{"lines":2}`)
}

// The child in ten lines of shell speaks the protocol.
func TestDocumentedChild(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("jq is not installed")
	}
	s := newTestEnv(t)
	script := s.file("all-fine.sh", blocks(t, "../docs/coprocess.md", "sh")[0])
	testkit.Must(t, os.Chmod(script, 0o700))
	s.file("in/a.txt", "a")
	s.file("in/b.txt", "b")
	recipe := s.file("recipe.yaml", "name: shell\nsteps:\n  - handler: coprocess\n    with: {command: [./all-fine.sh]}\n")
	s.must(exitOK, "run", "--quiet", "--recipe", recipe, s.path("in"))
	if got := s.must(exitOK, "results", "latest", "--json").stdout; strings.Count(got, `"outcome":"succeeded"`) != 2 {
		t.Errorf("results are %s", got)
	}
}

// The commands of the page on operations make a backup while a transfer runs, and restore it after
// the database was lost: the transfer ends with all its results.
func TestDocumentedBackups(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"mysqldump", "mysql", "redis-cli"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed")
		}
	}
	s := newTestEnv(t)
	database, err := url.Parse(testkit.MySQL(t))
	testkit.Must(t, err)
	name := strings.TrimPrefix(database.Path, "/")
	password, _ := database.User.Password()
	s.file(".my.cnf", fmt.Sprintf("[client]\nhost=%s\nport=%s\nuser=%s\npassword=%s\n", database.Hostname(), database.Port(), database.User.Username(), password))
	for i := range 40 {
		s.file(fmt.Sprintf("in/%d.txt", i), "content")
	}
	program := binary(t)
	embedded := append(slices.Clone(s.env), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"))
	s.env = slices.Concat(embedded, []string{"BALER_REDIS_URL=" + testkit.Redis(t), "BALER_DATABASE_URL=" + database.String(), "BALER_ROOTS=" + s.dir})
	page := blocks(t, "../docs/operations.md", "sh")
	if len(page) != 4 || !strings.HasPrefix(page[0], "mysqldump") {
		t.Fatalf("the page has %d blocks; the test knows 4", len(page))
	}
	shell := func(env []string, text string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", text)
		cmd.Dir, cmd.Env = s.dir, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s\n%v\n%s", text, err, out)
		}
	}
	renamed := regexp.MustCompile(`(DATABASE |mysql |--quick )baler\b`) // the test's database has another name

	s.must(exitOK, "migrate")
	s.must(exitOK, "submit", "--name", "before", s.path("in"))
	shell(s.env, renamed.ReplaceAllString(page[0], "${1}"+name))
	s.must(exitOK, "submit", "--name", "after", s.path("in")) // its messages stay in the queue
	shell(s.env, strings.ReplaceAll(renamed.ReplaceAllString(page[1], "${1}"+name), "baler doctor\n", "baler doctor || true # no worker runs\n"))

	s.must(exitError, "status", "after")
	s.must(exitOK, "run", "--quiet", s.path("in")) // works on all that waits
	testkit.Eventually(t, 2*time.Minute, func() error {
		if got := s.must(exitOK, "status", "before", "--json").stdout; !strings.Contains(got, `"state":"completed"`) || !strings.Contains(got, `"finished":40`) {
			return fmt.Errorf("after the restore: %s", got)
		}
		return nil
	})
	contains(t, "dead letters", s.must(exitOK, "deadletters").stdout, "There are no dead letters")

	e := *s
	e.env = embedded
	e.must(exitOK, "run", "--quiet", s.path("in"))
	shell(embedded, page[2])
	contains(t, "copy", e.must(exitOK, "--database", "sqlite:"+s.path("backup.db"), "status", "latest", "--json").stdout, `"finished":40`)
	shell(s.env, page[3])
}
