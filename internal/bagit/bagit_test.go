package bagit_test

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/balerhq/baler/internal/bagit"
	"github.com/balerhq/baler/internal/testkit"
)

func sum256(s string) string { d := sha256.Sum256([]byte(s)); return hex.EncodeToString(d[:]) }

func sumMD5(s string) string { d := md5.Sum([]byte(s)); return hex.EncodeToString(d[:]) }

// tree is the content of files by path.
type tree map[string]string

// basic is a valid bag of two files.
func basic(version string) tree {
	return tree{
		"bagit.txt":           "BagIt-Version: " + version + "\nTag-File-Character-Encoding: UTF-8\n",
		"bag-info.txt":        "Source-Organization: Baler\nPayload-Oxum: 9.2\nNote: one\n  and more\n",
		"data/a.txt":          "alpha",
		"data/sub/b.txt":      "beta",
		"manifest-sha256.txt": sum256("alpha") + "  data/a.txt\n" + sum256("beta") + "  data/sub/b.txt\n",
	}
}

// with returns the bag with other files; an empty content removes one.
func (t tree) with(changes tree) tree {
	all := tree{}
	maps.Copy(all, t)
	for name, content := range changes {
		if content == "" {
			delete(all, name)
		} else {
			all[name] = content
		}
	}
	return all
}

func verify(t *testing.T, files tree) bagit.Verification {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		testkit.Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		testkit.Must(t, os.WriteFile(path, []byte(content), 0o600))
	}
	r, err := bagit.Verify(t.Context(), dir, bagit.Options{Parallel: 2})
	testkit.Must(t, err)
	return r
}

func utf16LE(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// The kinds of the Library of Congress's conformance suite
// (https://github.com/LibraryOfCongress/bagit-conformance-suite), made anew.
func TestVerify(t *testing.T) {
	t.Parallel()
	line := func(content, path string) string { return sum256(content) + "  " + path + "\n" }
	const (
		valid   = "valid"
		warning = "warning"
		invalid = "invalid"
	)
	declared := func(version, rest string) string { return "BagIt-Version: " + version + "\n" + rest }
	for name, c := range map[string]struct {
		files tree
		want  string
		says  string
	}{
		"basic 0.97":         {basic("0.97"), valid, ""},
		"basic 1.0":          {basic("1.0"), valid, ""},
		"basic 0.96":         {basic("0.96"), valid, ""},
		"package-info":       {basic("0.93").with(tree{"bag-info.txt": "", "package-info.txt": "Payload-Oxum: 1.1\n"}), invalid, "Payload-Oxum is 1.1"},
		"minimal":            {basic("1.0").with(tree{"bag-info.txt": ""}), valid, ""},
		"md5":                {basic("1.0").with(tree{"manifest-sha256.txt": "", "manifest-md5.txt": sumMD5("alpha") + "  data/a.txt\n" + sumMD5("beta") + "  data/sub/b.txt\n"}), valid, ""},
		"capital digits":     {basic("1.0").with(tree{"manifest-sha256.txt": strings.ToUpper(sum256("alpha")) + "  data/a.txt\n" + line("beta", "data/sub/b.txt")}), valid, ""},
		"CRLF":               {basic("1.0").with(tree{"manifest-sha256.txt": strings.ReplaceAll(basic("1.0")["manifest-sha256.txt"], "\n", "\r\n"), "bagit.txt": "BagIt-Version: 1.0\r\nTag-File-Character-Encoding: UTF-8\r\n"}), valid, ""},
		"CR alone":           {basic("1.0").with(tree{"manifest-sha256.txt": strings.ReplaceAll(basic("1.0")["manifest-sha256.txt"], "\n", "\r")}), valid, ""},
		"tag manifest":       {basic("1.0").with(tree{"tagmanifest-sha256.txt": line(basic("1.0")["bag-info.txt"], "bag-info.txt")}), valid, ""},
		"duplicate metadata": {basic("1.0").with(tree{"bag-info.txt": "Note: a\nNote: b\n"}), valid, ""},
		"UTF-16 tag files": {basic("0.97").with(tree{
			"bagit.txt": declared("0.97", "Tag-File-Character-Encoding: UTF-16\n"), "bag-info.txt": utf16LE("Note: ä\n"),
			"manifest-sha256.txt": utf16LE(basic("0.97")["manifest-sha256.txt"]),
		}), valid, ""},
		"ISO-8859-1 tag files": {basic("0.97").with(tree{
			"bagit.txt": declared("0.97", "Tag-File-Character-Encoding: ISO-8859-1\n"), "bag-info.txt": "", "data/é": "e",
			"manifest-sha256.txt": basic("0.97")["manifest-sha256.txt"] + sum256("e") + "  data/\xe9\n",
		}), valid, ""},
		"bag in a bag":       {basic("1.0").with(tree{"bag-info.txt": "", "data/bag/bagit.txt": "x", "manifest-sha256.txt": basic("1.0")["manifest-sha256.txt"] + line("x", "data/bag/bagit.txt")}), valid, ""},
		"blanks in names":    {basic("1.0").with(tree{"bag-info.txt": "", "data/a" + "  b ": "x", "manifest-sha256.txt": basic("1.0")["manifest-sha256.txt"] + line("x", "data/a  b ")}), valid, ""},
		"line end in a name": {basic("1.0").with(tree{"bag-info.txt": "", "data/a\nb%0A": "x", "manifest-sha256.txt": basic("1.0")["manifest-sha256.txt"] + line("x", "data/a%0Ab%250A")}), valid, ""},
		"fetched already":    {basic("1.0").with(tree{"fetch.txt": "http://example.org/a 5 data/a.txt\nhttp://example.org/b - data/sub/b.txt\n"}), valid, ""},

		"dot slash":                           {basic("0.97").with(tree{"manifest-sha256.txt": line("alpha", "./data/a.txt") + line("beta", "data/sub/b.txt")}), warning, "begins with ./"},
		"md5sum's star":                       {basic("0.97").with(tree{"manifest-sha256.txt": sum256("alpha") + " *data/a.txt\n" + line("beta", "data/sub/b.txt")}), warning, "star of md5sum"},
		"another normal form":                 {basic("1.0").with(tree{"bag-info.txt": "", "data/e\u0301": "x", "manifest-sha256.txt": basic("1.0")["manifest-sha256.txt"] + line("x", "data/\u00e9")}), warning, "accents"},
		"names that differ by case":           {basic("1.0").with(tree{"bag-info.txt": "", "data/A.txt": "x", "manifest-sha256.txt": basic("1.0")["manifest-sha256.txt"] + line("x", "data/A.txt")}), warning, "only by case"},
		"listed twice":                        {basic("0.97").with(tree{"manifest-sha256.txt": basic("0.97")["manifest-sha256.txt"] + line("alpha", "data/a.txt")}), warning, "lists \"data/a.txt\" again"},
		"extra lines in a draft":              {basic("0.97").with(tree{"bagit.txt": basic("0.97")["bagit.txt"] + "More: x\n"}), warning, "more than its two lines"},
		"one manifest lists less, in a draft": {basic("0.97").with(tree{"manifest-md5.txt": sumMD5("alpha") + " data/a.txt\n"}), warning, "not in manifest-md5.txt"},

		"other case than the file":       {basic("1.0").with(tree{"manifest-sha256.txt": line("alpha", "data/A.TXT") + line("beta", "data/sub/b.txt")}), warning, "differs in case"},
		"listed twice, by case":          {basic("1.0").with(tree{"manifest-sha256.txt": basic("1.0")["manifest-sha256.txt"] + line("alpha", "data/A.txt")}), invalid, "again"},
		"not the declared encoding":      {basic("1.0").with(tree{"bag-info.txt": "", "data/é": "e", "manifest-sha256.txt": basic("1.0")["manifest-sha256.txt"] + sum256("e") + "  data/\xe9\n"}), invalid, "line 3 is not UTF-8"},
		"metadata in another encoding":   {basic("1.0").with(tree{"bag-info.txt": "Contact-Name: Andr\xe9\n"}), warning, "bag-info.txt: line 1 is not UTF-8"},
		"UTF-16 declared, UTF-8 written": {basic("0.97").with(tree{"bagit.txt": declared("0.97", "Tag-File-Character-Encoding: UTF-16\n")}), invalid, ""},
		"tag manifest out of the bag":    {basic("1.0").with(tree{"tagmanifest-sha256.txt": line("x", "../x")}), invalid, "leads out of the bag"},
		"absolute in the tag manifest":   {basic("1.0").with(tree{"tagmanifest-sha256.txt": line("x", "/etc/passwd")}), invalid, "leads out of the bag"},
		"payload in the tag manifest":    {basic("1.0").with(tree{"tagmanifest-sha256.txt": line("alpha", "data/a.txt")}), invalid, "does not belong here"},
		"no bag":                         {tree{"a": "x"}, invalid, "is missing: the folder is not a bag"},
		"no encoding":                    {basic("0.97").with(tree{"bagit.txt": "BagIt-Version: 0.97\n"}), invalid, "two lines"},
		"unknown encoding":               {basic("1.0").with(tree{"bagit.txt": declared("1.0", "Tag-File-Character-Encoding: latin-99\n")}), invalid, "is unknown"},
		"unknown version":                {basic("2.0"), invalid, `version "2.0"`},
		"byte order mark":                {basic("1.0").with(tree{"bagit.txt": "\xef\xbb\xbf" + basic("1.0")["bagit.txt"]}), invalid, "byte order mark"},
		"blank before colon":             {basic("1.0").with(tree{"bagit.txt": "BagIt-Version : 1.0\nTag-File-Character-Encoding : UTF-8\n"}), invalid, "one blank after the colon"},
		"two blanks":                     {basic("1.0").with(tree{"bagit.txt": "BagIt-Version:  1.0\nTag-File-Character-Encoding: UTF-8\n"}), invalid, "one blank after the colon"},
		"extra lines":                    {basic("1.0").with(tree{"bagit.txt": basic("1.0")["bagit.txt"] + "More: x\n"}), invalid, "more than its two lines"},
		"corrupt payload":                {basic("1.0").with(tree{"data/a.txt": "alphA"}), invalid, "data/a.txt: sha256 is " + sum256("alphA") + ", the manifest says " + sum256("alpha")},
		"corrupt tag file":               {basic("1.0").with(tree{"tagmanifest-sha256.txt": line("else", "bag-info.txt")}), invalid, "bag-info.txt: sha256 is"},
		"missing file":                   {basic("1.0").with(tree{"data/a.txt": ""}), invalid, "data/a.txt: is missing, but a manifest lists it"},
		"missing tag file":               {basic("1.0").with(tree{"tagmanifest-sha256.txt": line("x", "gone.txt")}), invalid, "gone.txt: is missing"},
		"to be fetched":                  {basic("1.0").with(tree{"data/a.txt": "", "fetch.txt": "http://example.org/a 5 data/a.txt\n"}), invalid, "to be fetched"},
		"extra file":                     {basic("1.0").with(tree{"data/c": "x"}), invalid, "data/c: is in no manifest"},
		"one manifest lists less":        {basic("1.0").with(tree{"manifest-md5.txt": sumMD5("alpha") + " data/a.txt\n"}), invalid, "not in manifest-md5.txt"},
		"no manifest":                    {basic("1.0").with(tree{"manifest-sha256.txt": ""}), invalid, "the payload has no manifest"},
		"no payload":                     {tree{"bagit.txt": basic("1.0")["bagit.txt"], "manifest-md5.txt": "\n"}, invalid, "folder of the payload does not exist"},
		"unknown algorithm":              {basic("1.0").with(tree{"manifest-crc32.txt": "00000000 data/a.txt\n"}), invalid, `"crc32" is unknown`},
		"listed twice in 1.0":            {basic("1.0").with(tree{"manifest-sha256.txt": basic("1.0")["manifest-sha256.txt"] + line("alpha", "data/a.txt")}), invalid, "again"},
		"listed with two digests":        {basic("0.97").with(tree{"manifest-sha256.txt": basic("0.97")["manifest-sha256.txt"] + line("else", "data/a.txt")}), invalid, "again"},
		"path with dots":                 {basic("0.97").with(tree{"manifest-sha256.txt": basic("0.97")["manifest-sha256.txt"] + line("x", "data/../../etc/passwd")}), invalid, "leads out of the bag"},
		"absolute path":                  {basic("0.97").with(tree{"manifest-sha256.txt": basic("0.97")["manifest-sha256.txt"] + line("x", "/etc/passwd")}), invalid, "leads out of the bag"},
		"home":                           {basic("0.97").with(tree{"manifest-sha256.txt": basic("0.97")["manifest-sha256.txt"] + line("x", "~/secret")}), invalid, "leads out of the bag"},
		"drive":                          {basic("0.97").with(tree{"manifest-sha256.txt": basic("0.97")["manifest-sha256.txt"] + line("x", `C:\secret`)}), invalid, "leads out of the bag"},
		"fetch out of the bag":           {basic("0.97").with(tree{"fetch.txt": "http://example.org/ 1 data/../../x\n"}), invalid, "leads out of the bag"},
		"tag file in a payload manifest": {basic("1.0").with(tree{"manifest-sha256.txt": basic("1.0")["manifest-sha256.txt"] + line("x", "bagit.txt")}), invalid, "does not belong here"},
		"short digest":                   {basic("1.0").with(tree{"manifest-sha256.txt": "abcd data/a.txt\n"}), invalid, "has 64 digits, not 4"},
		"no digest":                      {basic("1.0").with(tree{"manifest-sha256.txt": "not-hex data/a.txt\n"}), invalid, "is not a digest and a path"},
		"oxum":                           {basic("1.0").with(tree{"bag-info.txt": "Payload-Oxum: 8.2\n"}), invalid, "Payload-Oxum is 8.2, but the payload has 9.2"},
		"bad oxum":                       {basic("1.0").with(tree{"bag-info.txt": "payload-oxum: many\n"}), invalid, "is not BYTES.FILES"},
		"bad metadata":                   {basic("1.0").with(tree{"bag-info.txt": "no label\n"}), invalid, "line 1 is not 'LABEL: VALUE'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := verify(t, c.files)
			got := valid
			if len(r.Warnings) > 0 {
				got = warning
			}
			if !r.Valid() {
				got = invalid
			}
			if got != c.want {
				t.Fatalf("%s, want %s: errors %v, warnings %v", got, c.want, r.Errors, r.Warnings)
			}
			var all strings.Builder
			for _, p := range append(r.Errors, r.Warnings...) {
				all.WriteString(p.String() + "\n")
			}
			if !strings.Contains(all.String(), c.says) {
				t.Errorf("it says %q, want %q", all.String(), c.says)
			}
		})
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range basic("1.0") {
		path := filepath.Join(dir, name)
		testkit.Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		testkit.Must(t, os.WriteFile(path, []byte(content), 0o600))
	}
	outside := testkit.WriteFileIn(t, t.TempDir(), "a.txt", "alpha")
	testkit.Must(t, os.Remove(filepath.Join(dir, "data/a.txt")))
	testkit.Must(t, os.Symlink(outside, filepath.Join(dir, "data/a.txt")))
	r, err := bagit.Verify(t.Context(), dir, bagit.Options{})
	testkit.Must(t, err)
	if !slices.Contains(r.Errors, bagit.Problem{Path: "data/a.txt", Message: "is neither a file nor a folder"}) {
		t.Errorf("%v", r.Errors)
	}
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bagit.Verify(ctx, t.TempDir(), bagit.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := bagit.Verify(t.Context(), filepath.Join(t.TempDir(), "gone"), bagit.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
