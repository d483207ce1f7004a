package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

const (
	// shownFiles is the number of files on a page.
	shownFiles = 50

	// searchTime is for how long one request searches. A page that has found nothing then goes
	// on by itself, and says how far it is.
	searchTime = 40 * time.Millisecond
)

// Files finds files of transfers.
type Files interface {
	// FilesByNumber reads files by their numbers, ascending.
	FilesByNumber(ctx context.Context, transfer int64, numbers tasks.Ranges) ([]tasks.File, error)

	// SearchFiles looks for files, a stretch at a time.
	SearchFiles(ctx context.Context, transfer int64, s *ledger.FileSearch) (ledger.FilesFound, error)

	// FileStory reads what is known about a file; its File has no number when there is none.
	FileStory(ctx context.Context, t *tasks.Transfer, no int64) (ledger.FileStory, error)
}

// filesPage lists and searches the files of a transfer.
type filesPage struct {
	page

	opts *Options
}

type filesView struct {
	layout
	Transfer, Name, Query, Problem, Next, Searched string
	Tabs                                           []tab
	Rows                                           []fileItem
	Pictures                                       bool // of one of them at least: there is a column
}

type fileItem struct {
	No, Name, Path, Size, Modified, Note, Href string

	Thumbnail string // the address of its picture; empty: there is none

	Number int64
}

func newFilesPage(opts *Options) (*filesPage, error) {
	p, err := newPage(opts, "files.html", "/")
	return &filesPage{p, opts}, err
}

func (p *filesPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	view := filesView{layout: p.layoutFor(r), Transfer: r.PathValue("id"), Name: unnamedTransfer, Query: q.Get("q")}
	status := http.StatusOK
	if err := p.fill(r.Context(), &view, q); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	p.send(w, r, status, "layout", view)
}

// digest is a digest in hexadecimal: of MD5, SHA-1, SHA-256 or SHA-512.
var digest = regexp.MustCompile(`^(?i:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})$`)

// searchOf reads what a person searches for.
func searchOf(text string) ledger.FileSearch {
	kind, value, _ := strings.Cut(text, ":")
	switch {
	case digest.MatchString(text):
		return ledger.FileSearch{Value: text}
	case value != "" && (kind == "puid" || kind == "mime"):
		return ledger.FileSearch{Value: value}
	case value != "" && kind == "ext":
		return ledger.FileSearch{Extension: value}
	}
	return ledger.FileSearch{Text: text}
}

func (p *filesPage) fill(ctx context.Context, v *filesView, q url.Values) error {
	t, err := p.opts.Transfers.Transfer(ctx, v.Transfer)
	if err != nil {
		return err
	}
	v.Name, v.Tabs = rowOf(&t, nil, p.opts.Now()).Name, tabsOf(p.opts, &t, "files")
	after, err := api.DecodeResultToken(q.Get("after"))
	if err != nil {
		return &api.RequestError{Missing: true, Err: errNoPage}
	}
	read := p.list
	if v.Query != "" {
		read = p.search
	}
	files, next, err := read(ctx, v, &t, after)
	if err != nil {
		return err
	}
	if len(next) > 0 {
		v.Next = "?" + next.Encode()
	}
	for i := range files {
		v.Rows = append(v.Rows, fileItemOf(&t, &files[i]))
	}
	err = addThumbnails(ctx, p.opts.Thumbnails, &t, v.Rows)
	v.Pictures = slices.ContainsFunc(v.Rows, func(f fileItem) bool { return f.Thumbnail != "" })
	return err
}

// list reads a page of the files; next is empty on the last.
func (p *filesPage) list(ctx context.Context, _ *filesView, t *tasks.Transfer, after tasks.ResultKey) ([]tasks.File, url.Values, error) {
	files, err := p.opts.Results.FilesAfter(ctx, *t, after.File, shownFiles+1)
	if err != nil || len(files) <= shownFiles {
		return files, nil, err
	}
	files = files[:shownFiles]
	key := tasks.ResultKey{Step: 1, File: files[shownFiles-1].No}
	return files, url.Values{"after": {api.EncodeResultToken(key)}}, nil
}

// search looks for files in one stretch; next is empty when all were searched.
func (p *filesPage) search(ctx context.Context, v *filesView, t *tasks.Transfer, after tasks.ResultKey) ([]tasks.File, url.Values, error) {
	search := searchOf(v.Query)
	search.After, search.Limit, search.Time = after.File, shownFiles, searchTime
	found, err := p.opts.Files.SearchFiles(ctx, t.ID, &search)
	if err != nil {
		return nil, nil, err
	}
	if found.Next == 0 {
		v.Searched = "all " + humanize.Comma(t.Files) + " searched"
		return found.Files, nil, nil
	}
	v.Searched = fmt.Sprintf("searched up to file %s of %s", humanize.Comma(found.Next), humanize.Comma(t.Files))
	key := tasks.ResultKey{Step: 1, File: found.Next}
	return found.Files, url.Values{"q": {v.Query}, "after": {api.EncodeResultToken(key)}}, nil
}

func fileItemOf(t *tasks.Transfer, f *tasks.File) fileItem {
	item := fileItem{
		No: humanize.Comma(f.No), Number: f.No, Name: visible(path.Base(f.Path)), Path: visible(f.Path),
		Size: humanize.IBytes(uint64(max(0, f.Size))), Note: visible(f.ScanError), Href: fileLink(t, f.No),
	}
	if !f.MTime.IsZero() {
		item.Modified = f.MTime.UTC().Format("2006-01-02 15:04:05")
	}
	if f.Part > 0 {
		item.Note = fmt.Sprintf("part %d, from byte %s", f.Part, humanize.Comma(f.Offset))
		item.Name += ", part " + strconv.FormatInt(f.Part, 10)
	}
	return item
}
