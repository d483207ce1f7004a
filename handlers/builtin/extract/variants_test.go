package extract

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

// Archives behind a program, in several files, or with something behind their end.
func TestVariants(t *testing.T) {
	t.Parallel()
	stub := "MZ" + strings.Repeat("stub Rar!\x1a\x07\x00 7z\xbc\xaf\x27\x1c ", 100)
	behind := func(b []byte) []byte { return append([]byte(stub), b...) }
	zip := zipOf(t, entry{name: "a", content: "alpha"})
	tar := tarOf(t, tarEntry{name: "a", content: "alpha"})
	five := func() *rar5 {
		r := newRar5(0)
		r.member("a", "alpha", 0, 0)
		return r
	}
	first, last := newRar5(1), newRar5(1)
	first.member("whole", "whole", 0, 0)
	first.member("a", "alp", 16, 2)
	last.member("a", "ha", 8, 3)
	solid := newRar5(4)
	solid.member("../b", "beta", 0, 0)
	solid.member("a", "alpha", 0, 0)
	locked := newRar5(0)
	locked.b = locked.b[:8]
	locked.block(append([]byte{4, 0, 0, 0, 15}, make([]byte, 16)...), []byte("what nobody can read"))
	seven := fixture(t, "two.7z")
	one, two := []string{"a=alpha"}, []string{"b=beta", "sub/a=alpha"}
	for name, tt := range map[string]struct {
		name    string
		content []byte
		outcome tasks.Outcome
		code    string
		members []string
		says    string
	}{
		"rar 5":                    {"a.rar", five().end(0), tasks.OutcomeSucceeded, "", one, ""},
		"rar 5, solid":             {"a.rar", solid.end(0), tasks.OutcomeWarning, CodeUnsafePath, one, "../b"},
		"rar 5, short":             {"a.rar", five().b[:40], tasks.OutcomeFailed, CodeTruncated, nil, ""},
		"rar 5, encrypted":         {"a.rar", locked.b, tasks.OutcomeWarning, CodeEncrypted, nil, ""},
		"rar 5, first volume":      {"a.part1.rar", first.end(1), tasks.OutcomeWarning, CodeUnsupported, []string{"whole=whole"}, "in several files"},
		"rar 5, last volume":       {"a.part2.rar", last.end(0), tasks.OutcomeWarning, CodeUnsupported, nil, "in several files"},
		"program with zip":         {"a.exe", behind(zip), tasks.OutcomeSucceeded, "", one, ""},
		"program with 7z":          {"a.exe", behind(seven), tasks.OutcomeSucceeded, "", two, ""},
		"program with rar":         {"a.exe", behind(rarOf(entry{name: "a", content: "alpha"})), tasks.OutcomeSucceeded, "", one, ""},
		"program with rar 5":       {"a.exe", behind(five().end(0)), tasks.OutcomeSucceeded, "", one, ""},
		"program":                  {"a.exe", []byte(stub), tasks.OutcomeSkipped, CodeNoArchive, nil, ""},
		"7z, first volume":         {"a.7z.001", seven[:60], tasks.OutcomeWarning, CodeUnsupported, nil, "in several files"},
		"7z, second volume":        {"a.7z.002", seven[60:], tasks.OutcomeWarning, CodeUnsupported, nil, "in several files"},
		"7z, only volume":          {"a.7z.001", seven, tasks.OutcomeSucceeded, "", two, ""},
		"zip, first volume":        {"a.zip.001", zip[:60], tasks.OutcomeWarning, CodeUnsupported, nil, "in several files"},
		"zip, only volume":         {"a.zip.001", zip, tasks.OutcomeSucceeded, "", one, ""},
		"zip, volume between":      {"a.z02", []byte("anything"), tasks.OutcomeWarning, CodeUnsupported, nil, "in several files"},
		"gz and more":              {"a.gz", append(gzipOf(t, "", []byte("alpha")), "garbage"...), tasks.OutcomeWarning, CodeTrailingData, one, "behind the end"},
		"gz and a byte":            {"a.gz", append(gzipOf(t, "", []byte("alpha")), 'x'), tasks.OutcomeWarning, CodeTrailingData, one, ""},
		"gz and zeros":             {"a.gz", append(gzipOf(t, "", []byte("alpha")), 0, 0, 0), tasks.OutcomeSucceeded, "", one, ""},
		"gz and half a gz":         {"a.gz", append(gzipOf(t, "", []byte("alpha")), 0x1f, 0x8b, 8), tasks.OutcomeFailed, CodeTruncated, nil, ""},
		"tar.gz and more":          {"a.tgz", append(gzipOf(t, "", tar), "garbage"...), tasks.OutcomeWarning, CodeTrailingData, one, ""},
		"tar.gz, no end, and more": {"a.tgz", append(gzipOf(t, "", tar[:1024]), "garbage"...), tasks.OutcomeFailed, CodeTruncated, one, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, to := trial{name: tt.name, content: tt.content}.try(t)
			want(t, &r, tt.outcome, tt.code)
			got := members(t, &r, to)
			for i := range got {
				got[i] = strings.TrimPrefix(got[i], fmt.Sprintf("%s.contents/", tt.name))
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.members) || !strings.Contains(r.Error, tt.says) {
				t.Errorf("members %q, want %q; %s", got, tt.members, r.Error)
			}
		})
	}
}

// A solid archive is read from its beginning to its end, as extract reads every rar archive. The
// members here are stored: nothing free makes compressed ones.
func TestSolidRar(t *testing.T) {
	t.Parallel()
	archive := newRar5(4)
	archive.member("a", "alpha", 0, 0)
	archive.member("b", "beta", 0, 0)
	r, to := trial{content: archive.end(0)}.try(t)
	want(t, &r, tasks.OutcomeSucceeded, "")
	if got := members(t, &r, to); !slices.Equal(got, []string{"a.bin.contents/a=alpha", "a.bin.contents/b=beta"}) {
		t.Errorf("%q", got)
	}
}
