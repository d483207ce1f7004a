package mets

import (
	"flag"
	"html"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { testkit.Main(m) }

// model is that of the elements which this package writes, by version 1.12.1 of the schema.
func model(section string) builtintest.XMLModel {
	return builtintest.XMLModel{
		"mets": "metsHdr? dmdSec* amdSec* fileSec? structMap+ structLink? behaviorSec*", "metsHdr": "agent* altRecordID* metsDocumentID?",
		"agent": "name note*", "amdSec": "techMD* rightsMD* sourceMD* digiprovMD*", "digiprovMD": section, "techMD": section,
		"mdWrap": "xmlData", "fileSec": "fileGrp+", "fileGrp": "file+", "file": "FLocat+", "structMap": "div", "div": "fptr* div*",
	}
}

const uuid = "0195506f-8c00-7000-8000-000000000001"

func transfer(t *testing.T) handlertest.FinalizerDryRun {
	t.Helper()
	at := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	file := func(path string, facts map[string]any) handlers.FinalFile {
		return handlers.FinalFile{File: tasks.File{Path: path, Size: 7, MTime: at}, Facts: facts}
	}
	return handlertest.FinalizerDryRun{
		Base:     t.TempDir(),
		Args:     map[string]any{"to": "mets.xml", "premis": "premis data.xml", "base": "data/", "organization": map[string]any{"name": "A & Co"}},
		Transfer: tasks.Transfer{UUID: uuid, Name: "Letters", Sources: []string{"/in/col"}, Steps: []tasks.StepProgress{{Number: 1, Name: "s", Handler: "noop"}}},
		Files: []handlers.FinalFile{
			file("/in/col/z.txt", map[string]any{"sha256": "ab", "md5": "cd", "mime": "text/plain"}),
			file("/in/col/b/2", nil), file("/in/col/b c/3?#%.txt", nil), file("/in/col/b/1", nil), file("/in/col/b/d/e\x1b\xff", nil),
			{File: tasks.File{Path: "/in/col/split", Part: 1}}, {File: tasks.File{Path: "/in/col/split", Part: 2}},
		},
		Results: []tasks.Result{{Step: 1, File: 1, Outcome: tasks.OutcomeSucceeded, EndedAt: at}},
	}
}

func TestMetsGolden(t *testing.T) {
	t.Parallel()
	run := transfer(t)
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, run), tasks.FinalizeDone, "")
	file := filepath.Join(run.Base, "mets.xml")
	builtintest.WantXML(t, file, model("mdRef"))
	builtintest.WantSchema(t, file, "mets.xsd")
	text, err := os.ReadFile(file)
	testkit.Must(t, err)
	now := regexp.MustCompile(`CREATEDATE="[^"]*"`)
	testkit.Golden(t, "testdata/mets.golden.xml", now.ReplaceAllString(string(text), `CREATEDATE="NOW"`), *update)
}

// Every reference of the document leads to an ID in it, and IDs are unique.
func TestEmbeddedPremis(t *testing.T) {
	t.Parallel()
	run := transfer(t)
	run.Args = map[string]any{"to": "mets.xml"}
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, run), tasks.FinalizeDone, "")
	file := filepath.Join(run.Base, "mets.xml")
	m := model("mdWrap")
	maps.DeleteFunc(m, func(name, _ string) bool { return name == "agent" }) // also one of PREMIS, which its own test checks
	m["xmlData"] = "object? event? agent?"
	text, err := os.ReadFile(file)
	testkit.Must(t, err)
	ids := map[string]bool{}
	for _, id := range regexp.MustCompile(` ID="([^"]*)"`).FindAllStringSubmatch(string(text), -1) {
		if ids[id[1]] {
			t.Errorf("%s is there twice", id[1])
		}
		ids[id[1]] = true
	}
	refs := regexp.MustCompile(` (?:ADMID|FILEID)="([^"]*)"`).FindAllStringSubmatch(string(text), -1)
	if len(refs) != 12 {
		t.Errorf("%d references", len(refs))
	}
	for _, ref := range refs {
		if !ids[ref[1]] {
			t.Errorf("%s leads nowhere", ref[1])
		}
	}
	if n := strings.Count(string(text), "<amdSec"); n != 1 || strings.Count(string(text), "PREMIS:EVENT") != 1 {
		t.Errorf("%d sections of metadata", n)
	}
	if !strings.Contains(string(text), `http://www.loc.gov/premis/v3 https://www.loc.gov/standards/premis/premis.xsd"`) {
		t.Error("a validator does not know where the types of PREMIS are")
	}
	builtintest.WantSchema(t, file, "mets.xsd", "premis.xsd")
}

// Every location is a URI that leads to the file, whatever its name.
func TestLocations(t *testing.T) {
	t.Parallel()
	hrefs := regexp.MustCompile(`<(?:FLocat|mdRef) LOCTYPE="([^"]*)".* xlink:href="([^"]*)"`)
	for name, c := range map[string]struct {
		args map[string]any
		want string // the URL that the locations of files are below, if one resolves them from mets:///x/
		kind string
		md   string
	}{
		"relative":      {map[string]any{"premis": "12:30.xml"}, "mets:///x/", "OTHER", "./12:30.xml"},
		"path":          {map[string]any{"premis": "a?b", "base": "1:2/%20?/"}, "mets:///x/1:2/%2520%3F/", "OTHER", "a%3Fb"},
		"absolute path": {map[string]any{"premis": "/p", "base": "/data/"}, "mets:///data/", "OTHER", "/p"},
		"URL": {
			map[string]any{"premis": "https://h/my%20a b?x=1", "base": "https://h/my%20files/"}, "https://h/my%20files/", "URL",
			"https://h/my%20a%20b?x=1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			names := []string{"12:30 notes.txt", "::", "a:b", "sub:dir/c:d", "q?#%20&<", "*", "ü", "\xff\n"}
			run := transfer(t)
			run.Args, run.Files, run.Results = c.args, nil, nil
			c.args["to"] = "mets.xml"
			for _, name := range names {
				run.Files = append(run.Files, handlers.FinalFile{File: tasks.File{Path: "/in/col/" + name}})
			}
			builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, run), tasks.FinalizeDone, "")
			file := filepath.Join(run.Base, "mets.xml")
			builtintest.WantSchema(t, file, "mets.xsd")
			text, err := os.ReadFile(file)
			testkit.Must(t, err)
			found := hrefs.FindAllStringSubmatch(html.UnescapeString(string(text)), -1)
			if len(found) != 1+len(names) {
				t.Fatalf("%d locations: %q", len(found), found)
			}
			if md := found[0]; md[1] != "URL" || md[2] != c.md {
				t.Errorf("PREMIS is at %q; want %s", md[1:], c.md)
			}
			from, err := url.Parse("mets:///x/mets.xml")
			testkit.Must(t, err)
			below, err := url.Parse(c.want)
			testkit.Must(t, err)
			for i, name := range names {
				to, err := from.Parse(found[1+i][2])
				if err != nil || to.Scheme != below.Scheme || to.Host != below.Host || to.Path != below.Path+name || found[1+i][1] != c.kind {
					t.Errorf("%q is at %q, which is %v, %v; want %s", name, found[1+i][1:], to, err, c.kind)
				}
			}
		})
	}
}

func TestMetsOfNothing(t *testing.T) {
	t.Parallel()
	run := transfer(t)
	run.Files, run.Results = nil, nil
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, run), tasks.FinalizeDone, "")
	builtintest.WantXML(t, filepath.Join(run.Base, "mets.xml"), model("mdRef"))
}

func TestArguments(t *testing.T) {
	t.Parallel()
	builtintest.WantArgs(t, Register, "mets", map[string]any{"to": "/x"}, map[string]any{
		"to is missing":            map[string]any{},
		"organization has no name": map[string]any{"to": "/x", "organization": map[string]any{"identifier": "a"}},
		"premis: not a URL":        map[string]any{"to": "/x", "premis": "https://h/%zz"},
		"base: not a URL":          map[string]any{"to": "/x", "base": "https://[h/"},
		"there is no argument":     map[string]any{"to": "/x", "into": 1},
	})
}
