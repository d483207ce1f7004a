package main

import (
	"strings"
	"testing"
)

const scanned = `{"config":{"scanner_name":"govulncheck"}}
{"osv":{"id":"GO-2026-1","summary":"a library loops"}}
{"osv":{"id":"GO-2026-2","summary":"Go panics"}}
{"finding":{"osv":"GO-2026-1","fixed_version":"v1.2.4","trace":[{"module":"example.org/lib","version":"v1.2.3"}]}}
{"finding":{"osv":"GO-2026-1","fixed_version":"v1.2.4","trace":[{"module":"example.org/lib","version":"v1.2.3","package":"example.org/lib","function":"Read","receiver":"*Reader"},
 {"module":"example.org/own","package":"example.org/own/x","function":"Use","position":{"filename":"x/use.go","line":7}},{"module":"example.org/own","package":"example.org/own","function":"main"}]}}
{"finding":{"osv":"GO-2026-2","fixed_version":"v1.26.9","trace":[{"module":"stdlib","version":"v1.26.8","package":"os","function":"Open"}]}}
{"finding":{"osv":"GO-2026-4","trace":[{"module":"example.org/lib","version":"v1.2.3"}]}}
{"finding":{"osv":"GO-2026-3","trace":[{"module":"example.org/lib","version":"v1.2.3","package":"example.org/lib"}]}}
`

func TestReport(t *testing.T) {
	found, err := decode(strings.NewReader(scanned), byCall)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 2 {
		t.Fatalf("found %+v, and one of the three is not called", found)
	}
	for name, c := range map[string]struct {
		accepted map[string]string
		fails    string
		prints   []string
	}{
		"none accepted": {nil, "2 known", []string{
			"GO-2026-1: a library loops\n  example.org/lib v1.2.3 calls example.org/lib.Reader.Read, reached from x/use.go:7\n  go get example.org/lib@v1.2.4\n",
			"GO-2026-2: Go panics", "use Go 1.26.9 or later",
		}},
		"Go's accepted":      {map[string]string{"GO-2026-2": "wait"}, "1 known", []string{"accepted: GO-2026-2 in os.Open: wait\n"}},
		"a library accepted": {map[string]string{"GO-2026-1": "wait", "GO-2026-2": "wait"}, "1 known", []string{"cannot accept it, because it is not Go's own; go get"}},
		"another accepted":   {map[string]string{"GO-2026-9": "wait"}, "2 known", []string{"not found with go1.", ": GO-2026-9\n"}},
	} {
		var out strings.Builder
		err := report(&out, found, c.accepted)
		if err == nil || !strings.HasPrefix(err.Error(), c.fails) {
			t.Errorf("%s: error %v, want %q", name, err, c.fails)
		}
		for _, want := range c.prints {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: prints\n%s\nwithout %q", name, out.String(), want)
			}
		}
	}
	if err := report(&strings.Builder{}, found[1:], map[string]string{"GO-2026-2": "wait"}); err != nil {
		t.Errorf("all is accepted, and it fails: %v", err)
	}
}

// A scan that breaks off must not look like one without findings.
func TestDecodeRefusesAHalf(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "half a message": scanned[:len(scanned)-40], "no JSON": "panic"} {
		if found, err := decode(strings.NewReader(text), byCall); err == nil {
			t.Errorf("%s: found %v without an error", name, found)
		}
	}
	if found, err := decode(strings.NewReader(scanned), byPackage); err != nil || len(found) != 3 {
		t.Errorf("by package: %v, %v, want 3", found, err)
	}
}

func TestParseAccepted(t *testing.T) {
	if all, err := parseAccepted(acceptedList); err != nil || len(all) == 0 {
		t.Errorf("accepted.txt: %v, %v", all, err)
	}
	for _, line := range []string{"GO-2026-1", "CVE-1 reason"} {
		if _, err := parseAccepted("# text\n\n" + line); err == nil || !strings.Contains(err.Error(), "line 3") {
			t.Errorf("%q: %v", line, err)
		}
	}
}
