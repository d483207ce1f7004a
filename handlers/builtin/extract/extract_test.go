package extract

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// trial is an archive that is extracted.
type trial struct {
	name    string // of the archive: a.bin unless set
	content []byte
	args    map[string]any
	with    func(*handlertest.DryRun)
	to      string // a new folder unless set
}

// try extracts an archive, and returns the result with the members by name.
func (c trial) try(t *testing.T) (r tasks.Result, to string) {
	t.Helper()
	source := t.TempDir()
	if to = c.to; to == "" {
		to = t.TempDir()
	}
	if c.name == "" {
		c.name = "a.bin"
	}
	path := filepath.Join(source, c.name)
	testkit.Must(t, os.WriteFile(path, c.content, 0o600))
	args := map[string]any{"to": to}
	maps.Copy(args, c.args)
	run := handlertest.DryRun{Args: args, Sources: []string{source}, Outputs: []string{to}}
	if c.with != nil {
		c.with(&run)
	}
	results, err := run.Run(t.Context(), New(), path)
	testkit.Must(t, err)
	left := 0
	testkit.Must(t, filepath.WalkDir(to, func(_ string, d fs.DirEntry, err error) error {
		if strings.HasPrefix(d.Name(), ".baler") {
			left++
		}
		return err
	}))
	if left > 0 {
		t.Errorf("%d temporary files are left", left)
	}
	return results[0], to
}

// members are the emitted files as "name=content", in order, each with a check of its path.
func members(t *testing.T, r *tasks.Result, to string) (all []string) {
	t.Helper()
	for i := range r.Emitted {
		f := &r.Emitted[i]
		content, err := os.ReadFile(f.Path)
		testkit.Must(t, err)
		if !strings.HasPrefix(f.Path, to+"/") || f.Size != int64(len(content)) || f.Emitted.Base != to || f.Emitted.Parent != r.File {
			t.Errorf("emitted %+v %+v", f, f.Emitted)
		}
		all = append(all, fmt.Sprintf("%s=%s", strings.TrimPrefix(f.Path, to+"/"), content))
	}
	return all
}

func want(t *testing.T, r *tasks.Result, outcome tasks.Outcome, code string) {
	t.Helper()
	if r.Outcome != outcome || r.Code != code {
		t.Errorf("%s %q: %s; want %s %q", r.Outcome, r.Code, r.Error, outcome, code)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	ab := tarOf(t, tarEntry{name: "sub/", kind: tar.TypeDir}, tarEntry{name: "sub/a", content: "alpha"}, tarEntry{name: "b", content: "beta"})
	two := []string{"a.bin.contents/sub/a=alpha", "a.bin.contents/b=beta"}
	for name, tt := range map[string]struct {
		name    string
		content []byte
		format  string
		want    []string
	}{
		"zip":        {content: zipOf(t, entry{name: "sub/"}, entry{name: "sub/a", content: "alpha"}, entry{name: "b", content: "beta"}), format: "zip", want: two},
		"tar":        {content: ab, format: "tar", want: two},
		"tar.gz":     {content: gzipOf(t, "", ab), format: "tar+gzip", want: two},
		"tar.xz":     {content: xzOf(t, ab), format: "tar+xz", want: two},
		"tar.zst":    {content: zstdOf(t, ab), format: "tar+zstd", want: two},
		"gz":         {name: "x.txt.GZ", content: gzipOf(t, "", []byte("text")), format: "gzip", want: []string{"x.txt.GZ.contents/x.txt=text"}},
		"gz, named":  {content: gzipOf(t, "first.txt", []byte("text")), format: "gzip", want: []string{"a.bin.contents/first.txt=text"}},
		"xz":         {name: "x.xz", content: xzOf(t, []byte("text")), format: "xz", want: []string{"x.xz.contents/x=text"}},
		"zst":        {name: "x.zst", content: zstdOf(t, []byte("text")), format: "zstd", want: []string{"x.zst.contents/x=text"}},
		"bz2":        {content: fixture(t, "text.bz2"), format: "bzip2", want: []string{"a.bin.contents/a.bin.unpacked=text"}},
		"mimetypes":  {content: zipOf(t, entry{name: "mimetypes", content: "text"}), format: "zip", want: []string{"a.bin.contents/mimetypes=text"}},
		"empty zip":  {content: zipOf(t), format: "zip"},
		"empty file": {content: zipOf(t, entry{name: "nothing"}), format: "zip", want: []string{"a.bin.contents/nothing="}},
		"7z":         {content: fixture(t, "two.7z"), format: "7z", want: []string{two[1], two[0]}},
		"rar":        {content: rarOf(entry{name: `sub\a`, content: "alpha"}, entry{name: "b", content: "beta"}), format: "rar", want: two},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, to := trial{name: tt.name, content: tt.content}.try(t)
			want(t, &r, tasks.OutcomeSucceeded, "")
			if got := members(t, &r, to); !slices.Equal(got, tt.want) {
				t.Errorf("members %q, want %q", got, tt.want)
			}
			if facts := string(r.Facts); !strings.Contains(facts, fmt.Sprintf(`"archive_format":%q`, tt.format)) ||
				!strings.Contains(facts, fmt.Sprintf(`"members":%d,"members_refused":0`, len(tt.want))) {
				t.Errorf("facts %s", facts)
			}
			for i := range r.Emitted {
				if tt.format == "zip" && !r.Emitted[i].MTime.Equal(past) {
					t.Errorf("modified %s", r.Emitted[i].MTime)
				}
			}
		})
	}
}

// Each member that must not be written is one finding; the others are extracted.
func TestRefusedMembers(t *testing.T) {
	t.Parallel()
	good := entry{name: "good", content: "good"}
	for name, tt := range map[string]struct {
		content []byte
		code    string
	}{
		"above":         {zipOf(t, entry{name: "../evil", content: "x"}, good), CodeUnsafePath},
		"above, inside": {zipOf(t, entry{name: "a/../../evil", content: "x"}, good), CodeUnsafePath},
		"absolute":      {zipOf(t, entry{name: "/evil", content: "x"}, good), CodeUnsafePath},
		"backslash":     {zipOf(t, entry{name: `a\evil`, content: "x"}, good), CodeUnsafePath},
		"drive":         {zipOf(t, entry{name: "C:evil", content: "x"}, good), CodeUnsafePath},
		"NUL":           {zipOf(t, entry{name: "a\x00b", content: "x"}, good), CodeBadName},
		"too long":      {zipOf(t, entry{name: strings.Repeat("n", 256), content: "x"}, good), CodeNameTooLong},
		"path too long": {zipOf(t, entry{name: strings.Repeat("nnnnnnn/", 600) + "x", content: "x"}, good), CodeNameTooLong},
		"raw too long":  {zipOf(t, entry{name: strings.Repeat("./", 2100) + "x", content: "x"}, good), CodeNameTooLong},
		"raw NUL":       {zipOf(t, entry{name: "\x84\x00", nonUTF8: true, extra: unicodePathField("\x84\x00", "x"), content: "x"}, good), CodeBadName},
		"device name":   {zipOf(t, entry{name: "a/Con.txt", content: "x"}, good), CodeReservedName},
		"COM1":          {zipOf(t, entry{name: "com1", content: "x"}, good), CodeReservedName},
		"dot":           {zipOf(t, entry{name: "x.", content: "x"}, good), CodeReservedName},
		"twice":         {zipOf(t, good, entry{name: "good", content: "x"}), CodeDuplicate},
		"by case":       {zipOf(t, good, entry{name: "GOOD", content: "x"}), CodeDuplicate},
		"file, folder":  {zipOf(t, good, entry{name: "good/x", content: "x"}), CodeDuplicate},
		"symlink":       {zipOf(t, entry{name: "evil", content: "/etc/passwd", mode: fs.ModeSymlink | 0o777}, good), CodeLink},
		"tar symlink":   {tarOf(t, tarEntry{name: "evil", kind: tar.TypeSymlink, target: "/etc/passwd"}, tarEntry{name: "good", content: "good"}), CodeLink},
		"hard link":     {tarOf(t, tarEntry{name: "good", content: "good"}, tarEntry{name: "evil", kind: tar.TypeLink, target: "good"}), CodeHardLink},
		"device":        {tarOf(t, tarEntry{name: "evil", kind: tar.TypeChar}, tarEntry{name: "good", content: "good"}), CodeSpecial},
		"pipe":          {tarOf(t, tarEntry{name: "evil", kind: tar.TypeFifo}, tarEntry{name: "good", content: "good"}), CodeSpecial},
		"encrypted":     {fixture(t, "one-encrypted.zip"), CodeEncrypted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, to := trial{content: tt.content}.try(t)
			want(t, &r, tasks.OutcomeWarning, tt.code)
			if got := members(t, &r, to); !slices.Equal(got, []string{"a.bin.contents/good=good"}) {
				t.Errorf("members %q", got)
			}
			if !strings.Contains(r.Error, tt.code+": ") || strings.Count(r.Error, tt.code+": ") != 1 ||
				!strings.Contains(string(r.Facts), `"members_refused":1`) {
				t.Errorf("%s %s", r.Error, r.Facts)
			}
		})
	}
	r, _ := trial{content: zipOf(t, entry{name: "/x"}, entry{name: "x."}, good)}.try(t)
	want(t, &r, tasks.OutcomeWarning, CodeMembersRefused)
	if !strings.Contains(r.Error, "1 members are extracted, 2 are not: 1 reserved-name, 1 unsafe-path") {
		t.Error(r.Error)
	}
}

// unicodePathField is the field that gives a member a second name.
func unicodePathField(raw, name string) []byte {
	data := append(binary.LittleEndian.AppendUint32([]byte{1}, crc32.ChecksumIEEE([]byte(raw))), name...)
	return append(binary.LittleEndian.AppendUint16([]byte{0x75, 0x70}, uint16(len(data))), data...)
}

func TestLegacyNames(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		e        entry
		encoding string
		want     string
		told     string
	}{
		"flag":         {e: entry{name: "ä€"}, want: "ä€"},
		"cp437":        {e: entry{name: "\x84rger", nonUTF8: true}, want: "ärger", told: `"\x84rger" is in a legacy encoding and was read as "ärger"`},
		"cp932":        {e: entry{name: "\x93\xfa\x96\x7b", nonUTF8: true}, encoding: "cp932", want: "日本"},
		"euc-jp":       {e: entry{name: "\xc6\xfc\xcb\xdc", nonUTF8: true}, encoding: "euc-jp", want: "日本"},
		"unicode path": {e: entry{name: "\x84", nonUTF8: true, extra: unicodePathField("\x84", "ж")}, want: "ж"},
		"stale path":   {e: entry{name: "\x84", nonUTF8: true, extra: unicodePathField("other", "ж")}, want: "ä"},
		"not decoded":  {e: entry{name: "50%\x93", nonUTF8: true}, encoding: "cp932", want: "50%25%93", told: "cannot be decoded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := map[string]any{}
			if tt.encoding != "" {
				args["encoding"] = tt.encoding
			}
			r, to := trial{content: zipOf(t, tt.e), args: args}.try(t)
			want(t, &r, tasks.OutcomeSucceeded, "")
			if got := members(t, &r, to); !slices.Equal(got, []string{"a.bin.contents/" + tt.want + "="}) {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if len(r.Emitted) == 1 && r.Emitted[0].Emitted.Name != tt.e.name {
				t.Errorf("the name in the archive is %q", r.Emitted[0].Emitted.Name)
			}
			if !strings.Contains(r.Error, tt.told) {
				t.Errorf("told %q", r.Error)
			}
		})
	}
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	whole := tarOf(t, tarEntry{name: "good", content: "good"}, tarEntry{name: "evil", content: strings.Repeat("x", 2000)})
	flipped := zipOf(t, entry{name: "evil", content: strings.Repeat("abc", 100)}, entry{name: "good", content: "good"})
	flipped[50] ^= 0xff
	z := zipOf(t, entry{name: "good", content: "good"})
	nothing := strings.Repeat("\x00", 1024)
	zeros := tarOf(t, tarEntry{name: "zeros", content: nothing}, tarEntry{name: "lost", content: "lost"})
	refused := tarOf(t, tarEntry{name: "../zeros", content: nothing}, tarEntry{name: "lost", content: "lost"})
	const recordSize, volumeAt = 22, 4
	lastVolume := slices.Concat([]byte("the rest of a member"), z[len(z)-recordSize:])
	lastVolume[len(lastVolume)-recordSize+volumeAt] = 2
	damaged := fixture(t, "stored.7z")
	damaged[34] ^= 1 // of its first member, behind the header of 32 bytes
	for name, tt := range map[string]struct {
		content []byte
		outcome tasks.Outcome
		code    string
		members int
	}{
		"tar":            {whole[:2500], tasks.OutcomeFailed, CodeTruncated, 1},
		"tar, no end":    {whole[:512+512+512+2048], tasks.OutcomeFailed, CodeTruncated, 2},
		"tar, zeros":     {zeros[:512+1024], tasks.OutcomeFailed, CodeTruncated, 1},
		"tar.gz, zeros":  {gzipOf(t, "", zeros[:512+1024]), tasks.OutcomeFailed, CodeTruncated, 1},
		"tar, refused":   {refused[:512+1024], tasks.OutcomeFailed, CodeTruncated, 0},
		"tar, one block": {whole[:len(whole)-512], tasks.OutcomeSucceeded, "", 2},
		"split, first":   {append([]byte("PK\x07\x08"), z...), tasks.OutcomeWarning, CodeUnsupported, 0},
		"split, last":    {lastVolume, tasks.OutcomeWarning, CodeUnsupported, 0},
		"gz, 3 bytes":    {[]byte("\x1f\x8b\x08"), tasks.OutcomeFailed, CodeTruncated, 0},
		"tar.gz":         {gzipOf(t, "", whole)[:60], tasks.OutcomeFailed, CodeTruncated, 0},
		"gz":             {gzipOf(t, "x", []byte("text"))[:18], tasks.OutcomeFailed, CodeTruncated, 0},
		"xz":             {xzOf(t, bytes.Repeat([]byte("text"), 1000))[:50], tasks.OutcomeFailed, CodeTruncated, 0},
		"zip":            {z[:len(z)-30], tasks.OutcomeFailed, CodeTruncated, 0},
		"zip, a member":  {flipped, tasks.OutcomeFailed, CodeMalformed, 1},
		"7z":             {fixture(t, "two.7z")[:60], tasks.OutcomeFailed, CodeTruncated, 0},
		"rar":            {rarOf(entry{name: "a", content: "alpha"})[:54], tasks.OutcomeFailed, CodeTruncated, 0},
		"7z, member":     {fixture(t, "member-encrypted.7z"), tasks.OutcomeWarning, CodeEncrypted, 0},
		"7z, stored":     {fixture(t, "stored-encrypted.7z"), tasks.OutcomeWarning, CodeEncrypted, 0},
		"7z, damaged":    {damaged, tasks.OutcomeFailed, CodeMalformed, 1},
		"7z, encrypted":  {fixture(t, "encrypted.7z"), tasks.OutcomeWarning, CodeEncrypted, 0},
		"no archive":     {[]byte("hello"), tasks.OutcomeSkipped, CodeNoArchive, 0},
		"nothing":        {nil, tasks.OutcomeSkipped, CodeNoArchive, 0},
		"text, like bz2": {[]byte("BZh is not bzip2"), tasks.OutcomeSkipped, CodeNoArchive, 0},
		"mimetype":       {zipOf(t, entry{name: "mimetype", content: "application/epub+zip"}), tasks.OutcomeSkipped, CodeDocument, 0},
		"document":       {zipOf(t, entry{name: "[Content_Types].xml"}), tasks.OutcomeSkipped, CodeDocument, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := trial{content: tt.content}.try(t)
			want(t, &r, tt.outcome, tt.code)
			if len(r.Emitted) != tt.members {
				t.Errorf("%d members emitted, want %d", len(r.Emitted), tt.members)
			}
		})
	}
	r, _ := trial{content: zipOf(t, entry{name: "[Content_Types].xml"}), args: map[string]any{"documents": true}}.try(t)
	want(t, &r, tasks.OutcomeSucceeded, "")
}

func TestBombs(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("\x00", 1<<20)
	big := zipOf(t, entry{name: "zeros", content: strings.Repeat("\x00", ratioFrom+1<<20)})
	solid := newRar5(4) // what is refused is read all the same, because the next member may need it
	solid.member("../zeros", zeros, 0, 0)
	solid.member("a", "alpha", 0, 0)
	nested := func(run *handlertest.DryRun) {
		run.Emitted = &tasks.Emission{Parent: 1, Top: 1, Depth: 3, Step: 1, Name: "n"}
		run.EmittedBefore = handlers.EmittedTotal{Files: 5, Bytes: 70 << 20, TopSize: 42_000}
	}
	for name, tt := range map[string]struct {
		trial   trial
		outcome tasks.Outcome
		code    string
	}{
		"ratio":         {trial{content: big}, tasks.OutcomeFailed, CodeRatio},
		"ratio, gz":     {trial{content: gzipOf(t, "z", bytes.Repeat([]byte{0}, ratioFrom+1<<20))}, tasks.OutcomeFailed, CodeRatio},
		"ratio allowed": {trial{content: big, args: map[string]any{"max_ratio": 2000}}, tasks.OutcomeSucceeded, ""},
		"total":         {trial{content: zipOf(t, entry{name: "a", content: zeros}), args: map[string]any{"max_total": "64KiB"}}, tasks.OutcomeFailed, CodeTooLarge},
		"total, xz":     {trial{content: xzOf(t, []byte(zeros)), args: map[string]any{"max_total": "64KiB"}}, tasks.OutcomeFailed, CodeTooLarge},
		"members":       {trial{content: zipOf(t, entry{name: "a"}, entry{name: "b"}), args: map[string]any{"max_members": 1}}, tasks.OutcomeFailed, CodeTooMany},
		"nested":        {trial{content: zipOf(t, entry{name: "a", content: zeros}), with: nested}, tasks.OutcomeFailed, CodeRatio},
		"nested, many":  {trial{content: zipOf(t, entry{name: "a"}), with: nested, args: map[string]any{"max_members": 5, "max_ratio": 5000}}, tasks.OutcomeFailed, CodeTooMany},
		"deep":          {trial{content: zipOf(t), with: nested, args: map[string]any{"max_depth": 3}}, tasks.OutcomeWarning, CodeTooDeep},
		"solid rar":     {trial{content: solid.end(0), args: map[string]any{"max_total": "64KiB"}}, tasks.OutcomeFailed, CodeTooLarge},
		"overlapping":   {trial{content: overlappingZip(t)}, tasks.OutcomeFailed, CodeOverlapping},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, to := tt.trial.try(t)
			want(t, &r, tt.outcome, tt.code)
			if size := sizeBelow(t, to); tt.outcome != tasks.OutcomeSucceeded && size > ratioFrom+2<<20 {
				t.Errorf("%d bytes were written", size)
			}
		})
	}
}

// Folders are not members, and use up a file system as well.
func TestManyFolders(t *testing.T) {
	t.Parallel()
	job := handlers.NewJob(handlers.JobSpec{File: tasks.File{No: 1, Path: "/a.zip"}, Sources: []string{"/"}, Step: 1, Attempt: 1})
	args, err := argsOf(map[string]any{"to": t.TempDir()})
	testkit.Must(t, err)
	w, err := newWriter(t.Context(), job, &args, nil, &room{})
	testkit.Must(t, err)
	for i := range maxFolders {
		testkit.Must(t, w.member(&member{raw: fmt.Sprintf("%d/", i), kind: folder}))
	}
	for _, one := range []member{{raw: "another/", kind: folder}, {raw: "another/file", kind: regular}} {
		var over *exceeded
		if err := w.member(&one); !errors.As(err, &over) || over.code != CodeTooMany {
			t.Errorf("%s: %v", one.raw, err)
		}
	}
}

// The folder of the members needs a name that is longer than that of the archive.
func TestLongArchiveName(t *testing.T) {
	t.Parallel()
	z := zipOf(t, entry{name: "a"})
	r, _ := trial{content: z, name: strings.Repeat("n", maxNameLength-len(contents))}.try(t)
	want(t, &r, tasks.OutcomeSucceeded, "")
	r, _ = trial{content: z, name: strings.Repeat("n", maxNameLength-len(contents)+1)}.try(t)
	want(t, &r, tasks.OutcomeFailed, CodeNameTooLong)
}

// overlappingZip lists the same member twice, as bombs without nesting do.
func overlappingZip(t *testing.T) []byte {
	z := zipOf(t, entry{name: "a", content: "alpha"}, entry{name: "b", content: "alpha"})
	second := bytes.LastIndex(z, []byte("PK\x01\x02"))
	const offsetAt = 42 // of the local header, in an entry of the directory
	copy(z[second+offsetAt:second+offsetAt+4], []byte{0, 0, 0, 0})
	return z
}

func sizeBelow(t *testing.T, dir string) (size int64) {
	t.Helper()
	testkit.Must(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, _ := d.Info()
			size += info.Size()
		}
		return err
	}))
	return size
}

// It may run twice; other content stays unless it may be replaced.
func TestExtractAgain(t *testing.T) {
	t.Parallel()
	z := zipOf(t, entry{name: "a", content: "alpha"}, entry{name: "b", content: "beta"})
	r, to := trial{content: z}.try(t)
	want(t, &r, tasks.OutcomeSucceeded, "")
	r, _ = trial{content: z, to: to}.try(t)
	want(t, &r, tasks.OutcomeSucceeded, "")
	testkit.Must(t, os.WriteFile(filepath.Join(to, "a.bin.contents", "a"), []byte("other"), 0o600))
	r, _ = trial{content: z, to: to}.try(t)
	want(t, &r, tasks.OutcomeWarning, handlers.CodeDestinationExists)
	if got := members(t, &r, to); !slices.Equal(got, []string{"a.bin.contents/b=beta"}) {
		t.Errorf("members %q", got)
	}
	r, _ = trial{content: z, to: to, args: map[string]any{"replace": true}}.try(t)
	want(t, &r, tasks.OutcomeSucceeded, "")
	if len(r.Emitted) != 2 {
		t.Errorf("%d members", len(r.Emitted))
	}
}

// A folder in the way that is a link leads nowhere.
func TestFolderThatIsALink(t *testing.T) {
	t.Parallel()
	to, elsewhere := t.TempDir(), t.TempDir()
	testkit.Must(t, os.Symlink(elsewhere, filepath.Join(to, "a.bin.contents")))
	r, _ := trial{content: zipOf(t, entry{name: "a", content: "alpha"}), to: to}.try(t)
	want(t, &r, tasks.OutcomeFailed, handlers.CodeOutsideOutputs)
	if entries, _ := os.ReadDir(elsewhere); len(entries) > 0 {
		t.Errorf("written elsewhere: %v", entries)
	}
}

// A full destination is retried, and leaves what is whole.
func TestFullDestination(t *testing.T) {
	t.Parallel()
	dir, to := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "a.zip")
	testkit.Must(t, os.WriteFile(path, zipOf(t, entry{name: "a", content: "alpha"}, entry{name: "b", content: "beta"}), 0o600))
	f, err := os.Open(path)
	testkit.Must(t, err)
	defer f.Close()
	outputs, err := handlers.NewOutputRoots([]string{to})
	testkit.Must(t, err)
	job := handlers.NewJob(handlers.JobSpec{File: tasks.File{No: 1, Path: path}, Sources: []string{dir}, Outputs: outputs, Step: 1, Attempt: 1})
	info, err := f.Stat()
	testkit.Must(t, err)
	args, err := argsOf(map[string]any{"to": to})
	testkit.Must(t, err)
	in := &input{ctx: t.Context(), file: f, size: info.Size(), path: path, progress: func() {}}
	w, err := newWriter(t.Context(), job, &args, in, &room{})
	testkit.Must(t, err)
	room := 1
	w.create = func(ctx context.Context, path string, o handlers.CreateOptions, write func(io.Writer) error) (handlers.Created, error) {
		if room--; room < 0 {
			return handlers.Created{}, handlers.WriteFailure(path, syscall.ENOSPC)
		}
		return w.pending.Create(ctx, path, o, write)
	}
	zip, err := detect(in)
	testkit.Must(t, err)
	job.Finish(w.verdict(zip, w.extract(zip)))
	r := job.Result()
	want(t, &r, tasks.OutcomeError, handlers.CodeIO)
	if got := members(t, &r, to); !slices.Equal(got, []string{"a.zip.contents/a=alpha"}) || !strings.Contains(r.Error, "no space left") {
		t.Errorf("%q, %s", got, r.Error)
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, args := range []map[string]any{
		{"to": ""}, {"max_depth": 0}, {"max_ratio": -1}, {"max_total": "many"}, {"max_members": 2_000_000}, {"encoding": "ebcdic-1"}, {"colour": "red"},
	} {
		r, _ := trial{content: zipOf(t), args: args}.try(t)
		want(t, &r, tasks.OutcomeFailed, handlers.CodeBadArgs)
	}
}

func fixture(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	testkit.Must(t, err)
	return content
}

// What could not be put in place stays for the next attempt, also when the storage is back at once.
func TestStorageThatComesBack(t *testing.T) {
	t.Parallel()
	job, to := jobLeaving(t, nil, 1)
	args, err := argsOf(map[string]any{"to": to})
	testkit.Must(t, err)
	w, err := newWriter(t.Context(), job, &args, &input{}, &room{})
	testkit.Must(t, err)
	m := &member{kind: regular, raw: "a", size: 5, open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("alpha")), nil }}
	testkit.Must(t, w.member(m))
	testkit.Must(t, os.Rename(to, to+".away"))
	if err := w.flush(); err == nil {
		t.Error("a member was put in place in a folder that is away")
	}
	testkit.Must(t, os.Rename(to+".away", to))
	testkit.Must(t, w.flush())
	testkit.Must(t, w.pending.Close())
	job.Finish(nil)
	if r := job.Result(); len(r.Emitted) > 0 {
		t.Errorf("emitted %v", r.Emitted)
	}
	if left, err := os.ReadDir(filepath.Join(to, "a.zip"+contents)); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
