package report

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/visible"
)

const (
	maxFormats   = 5000 // that are told apart; PRONOM has about half as many
	shownFormats = 24   // that have a line of their own
)

// profile says of which formats the files of a collection are.
type profile struct {
	Files, Bytes int64
	By           string       // what tells formats apart: "format" or "extension"
	Lines        []formatLine // the most frequent first; the last may be that of all others
	Kinds        int          // how many there are
	Capped       bool         // there are even more
}

// formatLine is one format with its files.
type formatLine struct {
	Name, PUID   string
	Files, Bytes int64

	// Of the line with the most files, and that with the most bytes: 100.
	FilesShare, BytesShare float64
}

type formatKey struct{ name, puid string }

// formatCount counts files by a key.
type formatCount struct {
	of     map[formatKey]*formatLine
	others formatLine
}

func (c *formatCount) add(k formatKey, files, bytes int64) {
	line := c.of[k]
	switch {
	case line != nil:
	case len(c.of) >= maxFormats:
		line = &c.others
	default:
		line = &formatLine{Name: k.name, PUID: k.puid}
		c.of[k] = line
	}
	line.Files += files
	line.Bytes += bytes
}

// profileOf reads all files. Formats are told apart as an earlier step has identified
// them; if none has, by their extensions.
func profileOf(ctx context.Context, c *handlers.TransferJob) (profile, error) {
	var p profile
	formats := formatCount{of: make(map[formatKey]*formatLine)}
	extensions := formatCount{of: make(map[formatKey]*formatLine)}
	identified := false
	for f, err := range c.Files(ctx) {
		if err != nil {
			return p, err
		}
		files := int64(1)
		if f.Part > 1 {
			files = 0 // a further chunk of the same file
		}
		p.Files += files
		p.Bytes += f.Size
		key := formatOf(f.Facts)
		identified = identified || key != formatKey{}
		formats.add(key, files, f.Size)
		extensions.add(formatKey{name: visible.Text(strings.ToLower(filepath.Ext(f.Path)))}, files, f.Size)
	}
	p.By, p.Capped = "format", len(formats.of) >= maxFormats
	if !identified {
		formats, p.By, p.Capped = extensions, "extension", len(extensions.of) >= maxFormats
	}
	p.Kinds = len(formats.of)
	p.Lines = formats.lines(p.By)
	return p, nil
}

// formatOf is the format that the steps have found.
func formatOf(facts map[string]any) formatKey {
	text := func(name string) string {
		s, _ := facts[name].(string)
		return visible.Text(s)
	}
	k := formatKey{name: text("format"), puid: text("puid")}
	if k.name == "" {
		k.name = text("mime")
	}
	if v := text("format_version"); v != "" && !strings.HasSuffix(k.name, " "+v) {
		k.name += " " + v
	}
	if k.puid == "UNKNOWN" {
		k = formatKey{name: "unknown format"}
	}
	return k
}

// lines lists the formats for the chart.
func (c *formatCount) lines(by string) []formatLine {
	var lines []formatLine
	for _, l := range c.of {
		if l.Name == "" {
			l.Name = map[string]string{"format": "not identified", "extension": "no extension"}[by]
		}
		lines = append(lines, *l)
	}
	slices.SortFunc(lines, func(a, b formatLine) int {
		return cmp.Or(cmp.Compare(b.Files, a.Files), cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name), cmp.Compare(a.PUID, b.PUID))
	})
	others := c.others
	if len(lines) > shownFormats+1 {
		for _, l := range lines[shownFormats:] {
			others.Files += l.Files
			others.Bytes += l.Bytes
		}
		lines = lines[:shownFormats]
	}
	if others.Files > 0 || others.Bytes > 0 {
		others.Name = "all others"
		lines = append(lines, others)
	}
	var mostFiles, mostBytes int64
	for _, l := range lines {
		mostFiles, mostBytes = max(mostFiles, l.Files), max(mostBytes, l.Bytes)
	}
	for i := range lines {
		lines[i].FilesShare = share(lines[i].Files, mostFiles)
		lines[i].BytesShare = share(lines[i].Bytes, mostBytes)
	}
	return lines
}

// share is n of all in percent; a little of it can be seen.
func share(n, all int64) float64 {
	if n <= 0 || all <= 0 {
		return 0
	}
	return max(0.5, 100*float64(n)/float64(all))
}
