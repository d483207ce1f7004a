package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
)

func dryRunFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "dry-run", false, "register nothing, and print the files that would be registered, by extension and size")
}

// extensionsShown is how many extensions have a line of their own.
const extensionsShown = 20

// preview prints the files that a submission would register.
func (p *program) preview(
	ctx context.Context, s baler.Submission, look func(context.Context, baler.Submission) (baler.Preview, error),
) error {
	notes := &skippedFiles{p: p}
	s.OnSkipped = notes.see
	found, err := look(ctx, s)
	notes.end()
	if err != nil {
		return explainMissing(err)
	}
	if p.json {
		return p.object(newPreviewJSON(&found))
	}
	p.printf("%s would be registered, %s.", files(found.Files), size(found.Bytes))
	if found.Files > 0 {
		p.printf("")
		p.extensionTable(found.Extensions).write(p.stdout)
		p.printf("")
		sizeTable(found.Sizes).write(p.stdout)
	}
	p.notePreview(&found)
	return nil
}

// notePreview adds notes to a preview: unchanged, unreadable, hidden and excluded files.
func (p *program) notePreview(found *baler.Preview) {
	if n := found.Unchanged; n > 0 {
		p.notef("%s unchanged since an earlier run and would not be processed again.", are(n))
	}
	if n := found.Problems; n > 0 {
		p.notef("%s of them cannot be read or would be missing; each would get a failed result.", count(n))
	}
	if n := found.Hidden; n > 0 {
		p.notef("Hidden files are registered too: %s of a name, or in a folder, that begins with a dot. "+
			"--exclude '.*' leaves them out.", files(n))
	}
	if n := found.Unselected; n > 0 {
		p.notef("--include, --exclude, size or time leave out %s; a folder that is left out counts once.", plural(n, "path"))
	}
	if n := found.EmptyFolders; n > 0 {
		p.notef("%s left out, because only files are registered. The final step 'bag' keeps empty folders.", plural(n, "empty folder"))
	}
}

func (p *program) extensionTable(extensions []baler.ExtensionCount) *table {
	t := &table{columns: []column{words("EXTENSION"), numbers("FILES"), numbers("SIZE")}}
	var rest baler.ExtensionCount
	for i, e := range extensions {
		if i >= extensionsShown {
			rest.Files += e.Files
			rest.Bytes += e.Bytes
			continue
		}
		name := "(none)"
		if e.Extension != "" {
			name = tail(quoted(e.Extension), 24)
		}
		t.row(name, count(e.Files), size(e.Bytes))
	}
	if rest.Files > 0 {
		t.row("("+plural(int64(len(extensions)-extensionsShown), "other")+")", count(rest.Files), size(rest.Bytes))
	}
	return t
}

func sizeTable(sizes []baler.SizeCount) *table {
	t := &table{columns: []column{words("EACH"), numbers("FILES"), numbers("SIZE")}}
	for _, c := range sizes {
		class := "up to " + size(c.UpTo)
		switch c.UpTo {
		case 0:
			class = "empty"
		case -1:
			class = "larger"
		}
		t.row(class, count(c.Files), size(c.Bytes))
	}
	return t
}

// previewJSON is the JSON object of --dry-run.
type previewJSON struct {
	Type         string                 `json:"type"` // always "preview"
	Files        int64                  `json:"files"`
	Bytes        int64                  `json:"bytes"`
	Problems     int64                  `json:"problems"`
	Hidden       int64                  `json:"hidden"`
	Unselected   int64                  `json:"unselected"`
	Unchanged    int64                  `json:"unchanged"`
	EmptyFolders int64                  `json:"empty_folders"`
	Links        int64                  `json:"links"`
	Specials     int64                  `json:"specials"`
	Extensions   []baler.ExtensionCount `json:"extensions"`
	Sizes        []baler.SizeCount      `json:"sizes"`
}

func newPreviewJSON(p *baler.Preview) previewJSON {
	return previewJSON{
		"preview", p.Files, p.Bytes, p.Problems, p.Hidden, p.Unselected, p.Unchanged, p.EmptyFolders, p.Links, p.Specials,
		append([]baler.ExtensionCount{}, p.Extensions...), append([]baler.SizeCount{}, p.Sizes...),
	}
}
