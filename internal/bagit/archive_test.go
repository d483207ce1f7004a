package bagit_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/bagit"
	"github.com/balerhq/baler/internal/testkit"
)

// member is a file of an archive, or a link with a target.
type member struct{ name, content, link string }

// members are the files of a bag in a folder.
func members(folder string, files tree) (all []member) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, member{name: folder + name, content: files[name]})
	}
	return all
}

// archived writes an archive of every kind.
func archived(t *testing.T, all []member) (paths []string) {
	t.Helper()
	var asZip, asTar, asTarGz bytes.Buffer
	z, tr := zip.NewWriter(&asZip), tar.NewWriter(&asTar)
	for _, m := range all {
		zh := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		th := &tar.Header{Name: m.name, Typeflag: tar.TypeReg, Size: int64(len(m.content)), Mode: 0o600}
		if m.link != "" {
			zh.SetMode(os.ModeSymlink | 0o777)
			th.Typeflag, th.Linkname = tar.TypeSymlink, m.link
		}
		w, err := z.CreateHeader(zh)
		testkit.Must(t, err)
		_, err = w.Write([]byte(m.content + m.link))
		testkit.Must(t, err)
		testkit.Must(t, tr.WriteHeader(th))
		_, err = tr.Write([]byte(m.content))
		testkit.Must(t, err)
	}
	testkit.Must(t, z.Close())
	testkit.Must(t, tr.Close())
	gz := gzip.NewWriter(&asTarGz)
	_, err := gz.Write(asTar.Bytes())
	testkit.Must(t, err)
	testkit.Must(t, gz.Close())
	dir := t.TempDir()
	for name, content := range map[string][]byte{"bag.zip": asZip.Bytes(), "bag.tar": asTar.Bytes(), "bag.tar.gz": asTarGz.Bytes()} {
		paths = append(paths, filepath.Join(dir, name))
		testkit.Must(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return paths
}

func TestVerifyArchives(t *testing.T) {
	t.Parallel()
	good := basic("1.0")
	for name, c := range map[string]struct {
		members []member
		errors  []string // what each contains
	}{
		"valid":            {members("bag/", good), nil},
		"another digest":   {members("bag/", good.with(tree{"data/a.txt": "alphb"})), []string{"data/a.txt: sha256 is "}},
		"a file is gone":   {members("bag/", good.with(tree{"data/a.txt": "", "bag-info.txt": ""})), []string{"data/a.txt: is missing"}},
		"no folder":        {members("", good), []string{"does not consist of one folder"}},
		"something beside": {append(members("bag/", good), member{name: "other", content: "x"}), []string{"bagit.txt: is missing", "does not consist of one folder"}},
		"leads out": {append(members("bag/", good), member{name: "bag/../../evil", content: "x"}, member{name: "/etc/evil", content: "x"}),
			[]string{"bag/../../evil: the name leads out", "/etc/evil: the name leads out"}},
		"a link":     {append(members("bag/", good), member{name: "bag/data/link", link: "/etc/passwd"}), []string{"data/link: is neither a file nor a folder"}},
		"twice":      {append(members("bag/", good), member{name: "bag/data/a.txt", content: "other"}), []string{"data/a.txt: is in the archive twice"}},
		"not a bag":  {[]member{{name: "bag/x", content: "x"}}, []string{"bagit.txt: is missing"}},
		"an old bag": {members("b/", basic("0.97")), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, path := range archived(t, c.members) {
				r, err := bagit.Verify(t.Context(), path, bagit.Options{Parallel: 2})
				testkit.Must(t, err)
				got := make([]string, len(r.Errors))
				for i, p := range r.Errors {
					got[i] = p.String()
				}
				ok := len(got) == len(c.errors)
				for _, want := range c.errors {
					ok = ok && slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, want) })
				}
				if !ok {
					t.Errorf("%s: %q, want %q", filepath.Ext(path), got, c.errors)
				}
				if r.Valid() && (r.Files != 2 || r.Bytes != 9) {
					t.Errorf("%s: %+v", filepath.Ext(path), r)
				}
			}
		})
	}
}

// The claimed and the unpacked size of an archive are limited, and a damaged archive is no
// bag.
func TestVerifyBoundsArchives(t *testing.T) {
	t.Parallel()
	zeros := members("bag/", basic("1.0").with(tree{"data/zeros": strings.Repeat("\x00", 5<<20)}))
	for _, path := range archived(t, zeros) {
		_, err := bagit.Verify(t.Context(), path, bagit.Options{MaxUnpacked: 4 << 20})
		if err == nil || !strings.Contains(err.Error(), "more than 4194304 bytes in all: if you trust it, allow more with --max-unpacked") {
			t.Errorf("%s: %v", path, err)
		}
		content, err := os.ReadFile(path)
		testkit.Must(t, err)
		testkit.Must(t, os.WriteFile(path, content[:len(content)-1100], 0o600))
		if r, err := bagit.Verify(t.Context(), path, bagit.Options{}); err == nil && r.Valid() && filepath.Ext(path) != ".tar" { // whose end is zeros
			t.Errorf("%s: a part of it is valid", path)
		}
	}
	text := filepath.Join(t.TempDir(), "text")
	testkit.Must(t, os.WriteFile(text, []byte("text"), 0o600))
	if _, err := bagit.Verify(t.Context(), text, bagit.Options{}); err == nil || !strings.Contains(err.Error(), "is not a bag as zip, tar or tar.gz") {
		t.Errorf("text: %v", err)
	}
}
