package extract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/tasks"
)

// contents is what the folder of the members adds to the name of the archive.
const contents = ".contents"

// writer extracts one archive.
type writer struct {
	ctx         context.Context //nolint:containedctx // of one job
	job         *handlers.Job
	args        *extractArgs
	in          *input
	legacy      decoder
	independent bool // see format
	limits      *limits
	before      int64 // bytes that others have extracted from the same file of the sources
	taken       *taken
	room        *room

	pending     *handlers.PendingFiles
	queue       []*queued // what is pending, in its order
	queuedBytes int64

	// create is that of pending; tests replace it.
	create func(ctx context.Context, path string, o handlers.CreateOptions, write func(io.Writer) error) (handlers.Created, error)

	seen           int64 // members that were extracted, refused or are folders
	members, bytes int64
	folders        map[string]bool // with members or not
	report         report
}

func newWriter(ctx context.Context, job *handlers.Job, args *extractArgs, in *input, shared *room) (*writer, error) {
	legacy, err := encodingOf(args.Encoding)
	if err != nil {
		return nil, handlers.Fail(handlers.CodeBadArgs, err)
	}
	if name := filepath.Base(job.RelativePath()) + contents; len(name) > maxNameLength && !tasks.IsObject(args.To) {
		return nil, handlers.Fail(CodeNameTooLong, fmt.Errorf(
			"the folder of the members would have a name of %d bytes, %s included; %d is the most", len(name), contents, maxNameLength))
	}
	l, err := newLimits(ctx, job, args)
	if err != nil {
		return nil, err
	}
	pending := job.Pending()
	w := &writer{
		room: shared, pending: pending, ctx: ctx, job: job, args: args, in: in, legacy: legacy, limits: l, before: l.bytes, taken: newTaken(),
		create:  pending.Create,
		folders: make(map[string]bool), report: newReport(job.ErrorOutput()),
	}
	if in != nil {
		in.pass = w.pass
	}
	return w, nil
}

// pass reads the rest of a member that is not extracted, which counts as if it were.
func (w *writer) pass(r io.Reader) error {
	content := &counted{r: r, l: w.limits, tell: w.tell}
	_, err := io.Copy(io.Discard, content)
	w.limits.bytes += content.n
	return err
}

// place is where a member is written.
func (w *writer) place(rel string) string {
	return w.job.DestinationIn(w.args.To) + contents + "/" + rel
}

// extract writes every member. The error ends the extraction: it is a verdict, a limit, or
// says that the archive is damaged.
func (w *writer) extract(f *format) error {
	w.independent = f.independent
	err := <-invoke.Go(func() error {
		for m, err := range f.members(w.in) {
			if err == nil {
				err = w.member(m)
				w.seen++
				w.tell(0)
			}
			if err != nil && w.ctx.Err() == nil { // what is whole is extracted, whatever follows
				err = cmp.Or(w.flush(), err)
			}
			if err != nil {
				return err
			}
		}
		return w.flush()
	})
	if w.in.err != nil {
		return handlers.RetryLater(handlers.CodeIO, fmt.Errorf("read the archive: %w", w.in.err))
	}
	return err
}

// member extracts one member, or says why not.
func (w *writer) member(m *member) error {
	name, remark := nameOf(m, w.legacy)
	if err := w.write(m, name); err != nil {
		return w.refuse(m, err)
	}
	if remark != "" {
		w.report.remark(remark)
	}
	return nil
}

// tell reports how far the extraction is: members, and the bytes that they unpack to, of which
// n are of the one at work. An archive without a directory does not say how many there are: then
// the bytes are those of the archive that are read.
func (w *writer) tell(n int64) {
	p := tasks.Progress{Unit: "members", Items: w.seen, OfItems: w.in.members, Bytes: w.limits.bytes - w.before + n, OfBytes: w.in.unpacked}
	if w.in.members == 0 {
		p.Bytes, p.OfBytes = w.in.at, w.in.size
	}
	w.job.SetProgress(p)
}

// refuse says why a member is not extracted. Other errors end the extraction.
func (w *writer) refuse(m *member, err error) error {
	if r, ok := errors.AsType[*refusal](err); ok {
		w.report.refused(m.raw, r)
		return nil
	}
	return err
}

func (w *writer) write(m *member, name string) error {
	rel, err := checkName(name)
	if m.kind == folder {
		if err == nil {
			w.folders[rel] = true
			return w.limits.checkFolders(len(w.folders) + len(w.taken.folders))
		}
		var r *refusal
		if errors.As(err, &r) && r.code == CodeBadName { // "./" is the archive itself
			return nil
		}
		return err
	}
	if err != nil {
		return err
	}
	switch m.kind {
	case link:
		return refuse(CodeLink, "a symbolic link%s", targetText(m))
	case hardLink:
		return refuse(CodeHardLink, "a hard link%s", targetText(m))
	case special:
		return refuse(CodeSpecial, "a device, a pipe or something else that is no file")
	case regular, folder:
	}
	if m.encrypted {
		return refuse(CodeEncrypted, "there is no password for it")
	}
	if err := checkRaw(m.raw); err != nil {
		return err
	}
	to := w.place(rel)
	if err := checkLength(to); err != nil {
		return err
	}
	if err := w.taken.take(rel); err != nil {
		return err
	}
	if err := errors.Join(w.limits.checkFolders(len(w.folders)+len(w.taken.folders)), w.limits.addMember(m.size)); err != nil {
		return err
	}
	return w.put(m, to, rel)
}

func targetText(m *member) string {
	if m.target == "" {
		return ""
	}
	return fmt.Sprintf(" to %q", m.target)
}

// queued is a member that is written and not in place.
type queued struct {
	member  *member
	to, rel string
}

// flushMembers and flushBytes are how much is put in place together.
const (
	flushMembers = 1000
	flushBytes   = 64 << 20
)

// put writes a member under a temporary name.
func (w *writer) put(m *member, to, rel string) error {
	r, err := m.open()
	if err != nil {
		return w.unreadable(err)
	}
	defer r.Close() // only read from
	content := &counted{r: r, l: w.limits, tell: w.tell}
	limited, err := newRoomed(w.room, w.job, to, m.size, content)
	if err != nil {
		return err
	}
	defer limited.close()
	var reading error
	created, err := w.create(w.ctx, to, handlers.CreateOptions{Replace: w.args.Replace, ModTime: m.time}, func(to io.Writer) error {
		_, err := io.Copy(to, noting{limited, &reading})
		return err
	})
	w.limits.bytes += content.n
	switch {
	case reading != nil:
		return w.unreadable(reading)
	case err != nil:
		return w.notWritten(err)
	}
	w.queue = append(w.queue, &queued{m, to, rel})
	w.queuedBytes += created.Size
	if len(w.queue) >= flushMembers || w.queuedBytes >= flushBytes {
		return w.flush()
	}
	return nil
}

// flush puts what is written in place, and emits it. Where that has failed, it is for the next
// attempt: a second call puts nothing in place that it could not emit.
func (w *writer) flush() error {
	queue := w.queue
	if len(queue) == 0 {
		return nil
	}
	w.queue, w.queuedBytes = nil, 0
	return w.pending.Put(w.ctx, func(created handlers.Created, err error) error {
		of := queue[0]
		queue = queue[1:]
		if err != nil {
			return w.refuse(of.member, w.notWritten(err))
		}
		return w.emit(of, &created)
	})
}

// emit makes a member that is in place a file of the transfer.
func (w *writer) emit(of *queued, created *handlers.Created) error {
	err := w.job.Emit(handlers.EmittedFile{Path: created.Path, Name: of.member.raw, Base: w.base(created.Path, of.to)})
	if err != nil {
		return err
	}
	w.members++
	w.bytes += created.Size
	for dir := path.Dir(of.rel); dir != "."; dir = path.Dir(dir) {
		delete(w.folders, dir)
	}
	return nil
}

// base is the absolute path of the argument "to", which may be relative.
func (w *writer) base(created, to string) string {
	if tasks.IsObject(created) {
		return w.args.To
	}
	rel := strings.TrimPrefix(filepath.Clean(to), filepath.Clean(w.args.To)) // created is clean, too
	return strings.TrimSuffix(created, rel)
}

// noting is a reader that notes its error, to tell it from those of writing.
type noting struct {
	io.Reader

	err *error
}

// Read implements io.Reader.
func (n noting) Read(p []byte) (int, error) {
	read, err := n.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		*n.err = err
	}
	return read, err
}

// notWritten tells what concerns this member alone from what concerns all.
func (w *writer) notWritten(err error) error {
	var v *handlers.Verdict
	if errors.As(err, &v) && v.Code == handlers.CodeDestinationExists {
		return &refusal{v.Code, v.Err}
	}
	return err
}
