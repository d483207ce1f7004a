package cli

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// fixitySummary is what a fixity run has found, in JSON.
type fixitySummary struct {
	baler.FixityCounts
	DamagedFiles []filePath  `json:"damaged_files,omitempty"` // the first of them, as of the others
	MissingFiles []filePath  `json:"missing_files,omitempty"`
	MovedFiles   []movedPath `json:"moved_files,omitempty"`
}

// filePath is the path of a file in JSON.
type filePath struct {
	Path      string `json:"path"`
	PathBytes []byte `json:"path_bytes,omitempty"` // of a path that is not UTF-8
}

type movedPath struct {
	From filePath `json:"from"`
	To   filePath `json:"to"`
}

func newFilePath(path string) filePath {
	p := filePath{Path: path}
	if !utf8.ValidString(path) {
		p.PathBytes = []byte(path)
	}
	return p
}

func filePaths(files []tasks.File) (paths []filePath) {
	for i := range files {
		paths = append(paths, newFilePath(files[i].Path))
	}
	return paths
}

func newFixitySummary(ran *baler.RunResult) *fixitySummary {
	if ran.Fixity == nil {
		return nil
	}
	s := &fixitySummary{
		FixityCounts: ran.Fixity.FixityCounts, DamagedFiles: filePaths(ran.Damaged), MissingFiles: filePaths(ran.Fixity.MissingFiles),
	}
	for _, m := range ran.Fixity.MovedFiles {
		s.MovedFiles = append(s.MovedFiles, movedPath{newFilePath(m.From.Path), newFilePath(m.To.Path)})
	}
	return s
}

// reportFixity shows how the files compare with what they were, and the first of each kind
// that a person should look at.
func (p *program) reportFixity(ran *baler.RunResult) {
	f := ran.Fixity
	fmt.Fprintf(p.stdout, "\nCompared with earlier transfers: %s\n", fixityText(f.FixityCounts))
	if f.Uncompared > 0 {
		fmt.Fprintf(p.stdout, "%s no digest to compare with: compared by size and time only.\n", have(f.Uncompared))
	}
	if f.Damaged+f.Missing+f.Moved > 0 {
		fmt.Fprintln(p.stdout)
	}
	for i := range ran.Damaged {
		fmt.Fprintf(p.stdout, "damaged  %s\n", quoted(ran.Damaged[i].Path))
	}
	p.more(f.Damaged, len(ran.Damaged))
	for i := range f.MissingFiles {
		fmt.Fprintf(p.stdout, "missing  %s\n", quoted(f.MissingFiles[i].Path))
	}
	p.more(f.Missing, len(f.MissingFiles))
	for i := range f.MovedFiles {
		fmt.Fprintf(p.stdout, "moved    %s to %s\n", quoted(f.MovedFiles[i].From.Path), quoted(f.MovedFiles[i].To.Path))
	}
	p.more(f.Moved, len(f.MovedFiles))
	if f.Damaged+f.Missing > 0 {
		fmt.Fprintf(p.stdout, p.named("All that is damaged or missing: baler diff %s\n"), number(&ran.Transfer))
	}
}

// more says how many files of a kind are not shown.
func (p *program) more(all int64, shown int) {
	if n := all - int64(shown); n > 0 {
		fmt.Fprintf(p.stdout, "… and %s more\n", count(n))
	}
}

// fixityText is counts in words, those first that are bad.
func fixityText(f baler.FixityCounts) string {
	var parts []string
	for _, part := range []struct {
		n      int64
		word   string
		always bool
	}{
		{f.Damaged, "damaged", true}, {f.Missing, "missing", true}, {f.Unread, "not readable", false}, {f.Moved, "moved", true},
		{f.Changed, "changed", true}, {f.New, "new", true}, {f.Unchanged, "unchanged", true},
	} {
		if part.always || part.n > 0 {
			parts = append(parts, count(part.n)+" "+part.word)
		}
	}
	return strings.Join(parts, ", ")
}

// have is a number of files that have something, in words.
func have(n int64) string {
	if n == 1 {
		return "1 file has"
	}
	return files(n) + " have"
}
