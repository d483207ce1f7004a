package mets

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/premis"
	"github.com/balerhq/baler/internal/spill"
	"github.com/balerhq/baler/internal/xmlstream"
	"github.com/balerhq/baler/tasks"
)

// sortedInMemory is how many files are sorted in memory at a time, for the folders.
const sortedInMemory = 20_000

// document writes one METS document.
type document struct {
	ctx     context.Context //nolint:containedctx // of one call of Write
	job     *handlers.TransferJob
	x       *xmlstream.Writer
	options Options
	base    string // the folder that locations are relative to
	baseURL string // what locations begin with, if it is a URL
	premis  string // the URI of the PREMIS document
}

func (d *document) header() {
	d.x.Start("metsHdr", "CREATEDATE", d.job.Now().UTC().Format(time.RFC3339))
	d.x.Start("agent", "ROLE", "CREATOR", "TYPE", "OTHER", "OTHERTYPE", "SOFTWARE")
	d.x.Text("name", "Baler "+d.job.Version())
	d.x.End()
	if name := d.options.Organization.Name; name != "" {
		d.x.Start("agent", "ROLE", "CUSTODIAN", "TYPE", "ORGANIZATION")
		d.x.Text("name", name)
		d.x.End()
	}
	d.x.End()
}

// metadata writes PREMIS, or where it is.
func (d *document) metadata() error {
	d.x.Start("amdSec", "ID", "amd")
	defer d.x.End()
	if d.options.Premis != embedded {
		d.x.Start("digiprovMD", "ID", "premis")
		d.x.Empty("mdRef", "LOCTYPE", "URL", "MDTYPE", "PREMIS", "MIMETYPE", "application/xml", "xlink:type", "simple", "xlink:href", d.premis)
		d.x.End()
		return nil
	}
	p := premis.NewDocument(d.job, d.options.Options)
	d.wrap("techMD", "transfer", "PREMIS:OBJECT", func() { p.Transfer(d.x, premis.Namespace) })
	for f, err := range d.job.Files(d.ctx) {
		if err != nil {
			return err
		}
		d.wrap("techMD", "tech"+suffix(f.Transfer, f.No), "PREMIS:OBJECT", func() { p.File(d.x, &f, premis.Namespace) })
	}
	n := 0
	for l, err := range d.job.Results(d.ctx) {
		if err != nil {
			return err
		}
		for _, kind := range p.Events(&l) {
			n++
			d.wrap("digiprovMD", "event-"+strconv.Itoa(n), "PREMIS:EVENT", func() { p.Event(d.x, &l, kind, premis.Namespace) })
		}
	}
	for i := range p.Agents() {
		d.wrap("digiprovMD", "agent-"+strconv.Itoa(i+1), "PREMIS:AGENT", func() { p.Agent(d.x, i, premis.Namespace) })
	}
	return nil
}

func (d *document) wrap(section, id, kind string, write func()) {
	d.x.Start(section, "ID", id)
	d.x.Start("mdWrap", "MDTYPE", kind, "MDTYPEVERSION", "3.0")
	d.x.Start("xmlData")
	write()
	d.x.End()
	d.x.End()
	d.x.End()
}

// suffix is what the IDs of a file end with; an ID begins with a letter.
func suffix(transfer string, no int64) string {
	return "-" + transfer + "-" + strconv.FormatInt(no, 10)
}

// files writes the files with their checksums and locations. A document without files has no
// section of them.
func (d *document) files() error {
	open := false
	for f, err := range d.job.Files(d.ctx) {
		if err != nil {
			return err
		}
		if f.Part > 1 {
			continue // the first chunk stands for the whole file
		}
		if !open {
			d.x.Start("fileSec")
			d.x.Start("fileGrp", "USE", "original")
			open = true
		}
		d.file(&f)
	}
	if open {
		d.x.End()
		d.x.End()
	}
	return nil
}

func (d *document) file(f *handlers.FinalFile) {
	algorithm, digest := premis.Digest(f)
	size, created, admin := "", "", ""
	if f.Part == 0 { // of a chunk, the size of the file is not known
		size = strconv.FormatInt(f.Size, 10)
	}
	if !f.MTime.IsZero() {
		created = f.MTime.UTC().Format(time.RFC3339)
	}
	if d.options.Premis == embedded {
		admin = "tech" + suffix(f.Transfer, f.No)
	}
	mime, _ := f.Facts["mime"].(string)
	d.x.Start("file", "ID", "file"+suffix(f.Transfer, f.No), "ADMID", admin, "MIMETYPE", mime, "SIZE", size,
		"CREATED", created, "CHECKSUM", digest, "CHECKSUMTYPE", algorithm)
	path := d.relative(f.Path)
	if d.baseURL != "" {
		d.x.Empty("FLocat", "LOCTYPE", "URL", "xlink:type", "simple", "xlink:href", d.baseURL+(&url.URL{Path: path}).EscapedPath())
	} else { // String writes ./ before a name such as 12:30.txt, which is no URI
		d.x.Empty("FLocat", "LOCTYPE", "OTHER", "OTHERLOCTYPE", "relative path", "xlink:type", "simple",
			"xlink:href", (&url.URL{Path: d.options.Base + path}).String())
	}
	d.x.End()
}

// locations finds out which locations that the options give are URLs.
func (d *document) locations() error {
	base, isURL, err := reference(d.options.Base)
	if err != nil {
		return fmt.Errorf("base: %w", err)
	}
	if isURL {
		d.baseURL = base
	}
	if d.premis, _, err = reference(d.options.Premis); err != nil {
		return fmt.Errorf("premis: %w", err)
	}
	return nil
}

// hasScheme is what a URL begins with, and the path of hardly any file.
var hasScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// reference is the URI of a path, or of what is a URL already: only in a path, % and ? are
// characters of names.
func reference(text string) (href string, isURL bool, err error) {
	if !hasScheme.MatchString(text) {
		return (&url.URL{Path: text}).String(), false, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", false, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("not a URL: %w", err))
	}
	return u.String(), true, nil
}

// relative is a file's path below the folder that contains all sources.
func (d *document) relative(path string) string {
	if tasks.IsObject(path) { // every byte of a key counts; a bag has it at the same path
		return filepath.ToSlash(handlers.RelativePath(d.base, path))
	}
	rel, err := filepath.Rel(d.base+string(filepath.Separator), path)
	switch {
	case rel == "." && err == nil: // the only source
		rel = filepath.Base(path)
	case err != nil || !filepath.IsLocal(rel):
		rel = handlers.BelowAny(path)
	}
	return filepath.ToSlash(rel)
}

// folders writes the folders with the files in them. The files of several runs come in no
// order of paths, so they are sorted first.
func (d *document) folders() (err error) {
	sorter := spill.New(sortedInMemory)
	defer func() {
		if closeErr := sorter.Close(); err == nil && closeErr != nil {
			err = handlers.RetryLater(handlers.CodeIO, closeErr)
		}
	}()
	for f, err := range d.job.Files(d.ctx) {
		if err != nil {
			return err
		}
		if f.Part > 1 {
			continue
		}
		// In this order of keys, all that a folder contains stands together.
		key := strings.ReplaceAll(d.relative(f.Path), "/", "\x00")
		if err := sorter.Add(spill.Record{Key: key, Value: "file" + suffix(f.Transfer, f.No)}); err != nil {
			return handlers.RetryLater(handlers.CodeIO, err)
		}
	}
	label := d.job.Transfer().Name
	if label == "" {
		label = d.job.Transfer().UUID
	}
	d.x.Start("structMap", "TYPE", "physical", "LABEL", "folders")
	d.x.Start("div", "TYPE", "Directory", "LABEL", label)
	var within []string
	for r, err := range sorter.Sorted() {
		if err != nil {
			return handlers.RetryLater(handlers.CodeIO, err)
		}
		path := strings.Split(r.Key, "\x00")
		name, folders := path[len(path)-1], path[:len(path)-1]
		common := 0
		for common < min(len(folders), len(within)) && folders[common] == within[common] {
			common++
		}
		for range within[common:] {
			d.x.End()
		}
		for _, folder := range folders[common:] {
			d.x.Start("div", "TYPE", "Directory", "LABEL", folder)
		}
		within = folders
		d.x.Start("div", "TYPE", "Item", "LABEL", name)
		d.x.Empty("fptr", "FILEID", r.Value)
		d.x.End()
	}
	for range within {
		d.x.End()
	}
	d.x.End()
	d.x.End()
	return nil
}
