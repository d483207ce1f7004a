package builtintest

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// XMLModel says what elements contain: for each, its children in order, each with a mark of
// how often: none for once, ? for at most once, + for at least once, * for any number.
// Elements that the model does not have contain text only.
type XMLModel map[string]string

// WantXML checks a document by a model. It checks names, order and number of the children of
// each element; names are without namespaces.
func WantXML(t *testing.T, file string, m XMLModel) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := xml.NewDecoder(f)
	type element struct {
		name     string
		children []string
	}
	stack := []element{{}}
	for wrong := 0; wrong < 10; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			top := &stack[len(stack)-1]
			top.children = append(top.children, token.Name.Local)
			stack = append(stack, element{name: token.Name.Local})
		case xml.EndElement:
			e := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if err := m.check(e.name, e.children); err != nil {
				t.Errorf("%s: %v", file, err)
				wrong++
			}
		}
	}
}

func (m XMLModel) check(name string, children []string) error {
	rest := children
	for want := range strings.FieldsSeq(m[name]) {
		child := strings.TrimRight(want, "?+*")
		n := 0
		for n < len(rest) && rest[n] == child {
			n++
		}
		rest = rest[n:]
		switch mark := strings.TrimPrefix(want, child); {
		case n == 0 && (mark == "" || mark == "+"), n > 1 && (mark == "" || mark == "?"):
			return fmt.Errorf("%s contains %s %d times; want %s: %v", name, child, n, want, children)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("%s contains %s, which is wrong there: %v", name, rest[0], children)
	}
	return nil
}

// WantSchema validates a document with xmllint by official schemas, if the environment
// variable BALER_TEST_SCHEMAS names a folder that has them. It says so when it cannot.
// XML_CATALOG_FILES may name a catalog of what these schemas import.
func WantSchema(t *testing.T, file string, schemas ...string) {
	t.Helper()
	dir := os.Getenv("BALER_TEST_SCHEMAS")
	if dir == "" {
		t.Logf("not validated by %s: BALER_TEST_SCHEMAS names no folder of schemas", schemas)
		return
	}
	namespaces := map[string]string{"mets.xsd": "http://www.loc.gov/METS/", "premis.xsd": "http://www.loc.gov/premis/v3"}
	var all strings.Builder // xmllint takes one schema, so it gets one that imports them
	all.WriteString(`<schema xmlns="http://www.w3.org/2001/XMLSchema">`)
	for _, name := range schemas {
		location := url.URL{Scheme: "file", Path: filepath.Join(dir, name)}
		fmt.Fprintf(&all, `<import namespace="%s" schemaLocation="%s"/>`, namespaces[name], location.String())
	}
	all.WriteString(`</schema>`)
	schema := filepath.Join(t.TempDir(), "all.xsd")
	if err := os.WriteFile(schema, []byte(all.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "xmllint", "--noout", "--nonet", "--schema", schema, file)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("xmllint: %v\n%s", err, said)
	}
}
