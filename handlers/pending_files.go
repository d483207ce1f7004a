package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/internal/diskspace"
	"github.com/balerhq/baler/tasks"
)

// PendingFiles are files that one job writes under temporary names first, and then puts in place
// together, which costs two syncs for all of them where Job.Create takes three for each. What is
// in place is whole and outlasts a loss of power once Put has returned. Make one with
// Job.Pending, and close it.
type PendingFiles struct {
	job   *Job
	swept map[string]bool // folders in which earlier attempts have left nothing any more
	files []pendingFile
}

// pendingFile is a file that is written, or an object that is in place already.
type pendingFile struct {
	created   Created
	opts      CreateOptions
	temporary string // absolute; empty: the content is in place
}

// Pending makes an empty PendingFiles.
func (j *Job) Pending() *PendingFiles { return &PendingFiles{job: j, swept: make(map[string]bool)} }

// Create writes a file as Job.Create does, but for putting it in place. The error is that of this
// file alone, unless it is one of the storage. An object is in place at once.
func (g *PendingFiles) Create(ctx context.Context, path string, opts CreateOptions, write func(w io.Writer) error) (c Created, err error) {
	j := g.job
	if tasks.IsObject(path) {
		if c, err = j.createObject(ctx, path, opts, write); err == nil {
			g.files = append(g.files, pendingFile{created: c})
		}
		return c, err
	}
	whole := filepath.Clean(path)
	if !filepath.IsAbs(path) {
		whole = filepath.Join(j.spec.Outputs.relative, path)
	}
	if err := j.outsideSources(whole); err != nil {
		return c, err
	}
	p, err := j.spec.Outputs.at(path)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, p.root.Close()) }()
	if dir := filepath.Dir(p.path); !g.swept[dir] {
		if err := j.sweep(p); err != nil {
			return c, WriteFailure(path, err)
		}
		g.swept[dir] = true
	}
	f := pendingFile{created: Created{Path: p.path}, opts: opts, temporary: filepath.Join(filepath.Dir(p.path), j.temporary())}
	if err := g.write(ctx, p, &f, write); err != nil {
		return Created{}, errors.Join(err, p.root.RemoveAll(p.beside(filepath.Base(f.temporary))))
	}
	g.files = append(g.files, f)
	return f.created, nil
}

// write writes a file under its temporary name, and compares what can be read back.
func (g *PendingFiles) write(ctx context.Context, p *destination, f *pendingFile, write func(w io.Writer) error) error {
	temporary, digest := p.beside(filepath.Base(f.temporary)), sha256.New()
	err := writeNew(p.root, temporary, !diskspace.CanSync, func(w io.Writer) error {
		return write(&progressWriter{ctx, io.MultiWriter(w, digest), g.job, &f.created.Size})
	})
	if err != nil {
		return err
	}
	f.created.SHA256 = hex.EncodeToString(digest.Sum(nil))
	if want := f.opts.SHA256; want != "" && !strings.EqualFold(want, f.created.SHA256) {
		return Fail(CodeDigestMismatch, fmt.Errorf("sha256 is %s, not %s", f.created.SHA256, want))
	}
	written, err := g.job.fileDigest(ctx, p.root, temporary)
	if err != nil {
		return WriteFailure(p.path, err)
	}
	if written != f.created.SHA256 {
		return RetryLater(CodeIO, fmt.Errorf("write %s: what can be read back is not what was written: sha256 %s instead of %s",
			p.path, written, f.created.SHA256))
	}
	there, err := g.isThere(ctx, p, f)
	if err != nil {
		return err
	}
	if there { // of an attempt that ran twice; Put syncs it
		err = p.root.Remove(temporary)
		f.temporary = ""
	} else if !f.opts.ModTime.IsZero() {
		err = p.root.Chtimes(temporary, f.opts.ModTime, f.opts.ModTime)
	}
	if err != nil {
		return WriteFailure(p.path, err)
	}
	return nil
}

// isThere reports whether a file with the same content is in the place, which stays. One with
// other content is an error unless it may be replaced.
func (g *PendingFiles) isThere(ctx context.Context, p *destination, f *pendingFile) (bool, error) {
	if f.opts.Replace {
		return false, nil
	}
	digest, err := g.job.fileDigest(ctx, p.root, p.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, WriteFailure(p.path, err)
	case digest != f.created.SHA256:
		return false, Fail(CodeDestinationExists, fmt.Errorf("%s is there with other content; it stays as it is", p.path))
	}
	return true, nil
}

// Put puts the files in place, and then calls each for every file in the order of Create: with an
// error when another has appeared in its place meanwhile. It ends with the first error of each
// or of the storage.
func (g *PendingFiles) Put(ctx context.Context, each func(c Created, err error) error) error {
	if err := g.sync(false); err != nil {
		return err
	}
	refused := make([]error, len(g.files))
	for i := range g.files {
		err := g.rename(ctx, &g.files[i])
		if v, ok := errors.AsType[*Verdict](err); ok && v.Code == CodeDestinationExists {
			refused[i], err = err, nil
		}
		if err != nil {
			return err
		}
	}
	if err := g.sync(true); err != nil {
		return err
	}
	done := g.files
	g.files = nil
	for i := range done {
		if refused[i] != nil {
			done[i].created = Created{}
		}
		if err := each(done[i].created, refused[i]); err != nil {
			return err
		}
	}
	return nil
}

// now is where a file is at the moment.
func (f *pendingFile) now() string {
	if f.temporary != "" {
		return f.temporary
	}
	return f.created.Path
}

// rename puts one file in place.
func (g *PendingFiles) rename(ctx context.Context, f *pendingFile) (err error) {
	if f.temporary == "" {
		return nil
	}
	p, err := g.job.spec.Outputs.existing(f.created.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.root.Close()) }()
	temporary := p.beside(filepath.Base(f.temporary))
	there, err := g.isThere(ctx, p, f)
	if err == nil && !there {
		if err = place(p.root, temporary, p.name, f.opts.Replace); errors.Is(err, fs.ErrExist) {
			there, err = g.isTaken(ctx, p, f)
		} else if err != nil {
			return WriteFailure(p.path, err)
		}
	}
	if err != nil || there {
		err = errors.Join(err, p.root.Remove(temporary))
	}
	if err == nil {
		f.temporary = ""
		return nil
	}
	if _, ok := errors.AsType[*Verdict](err); ok {
		f.temporary = ""
		return err
	}
	return WriteFailure(p.path, err)
}

// isTaken is isThere of a place that is not free: of another file that has come first.
func (g *PendingFiles) isTaken(ctx context.Context, p *destination, f *pendingFile) (bool, error) {
	there, err := g.isThere(ctx, p, f)
	if err == nil && !there {
		err = Fail(CodeDestinationExists, fmt.Errorf("%s is a link that leads nowhere, or another process has just removed it; "+
			"it stays as it is", p.path))
	}
	return there, err
}

// sync makes the files, or the folders that hold them, outlast a loss of power. Of several it
// syncs their file systems, where the system can do that.
func (g *PendingFiles) sync(folders bool) error {
	whole := diskspace.CanSync && len(g.files) > 1
	synced, disks := make(map[string]bool), make(map[uint64]bool)
	for i := range g.files {
		f := &g.files[i]
		if tasks.IsObject(f.created.Path) {
			continue
		}
		key := f.now()
		if folders || whole {
			key = filepath.Dir(key)
		}
		if synced[key] {
			continue
		}
		synced[key] = true
		if err := g.syncOne(f, folders, whole, disks); err != nil {
			return WriteFailure(f.created.Path, err)
		}
		g.job.Progress()
	}
	return nil
}

func (g *PendingFiles) syncOne(of *pendingFile, folder, whole bool, disks map[uint64]bool) error {
	p, err := g.job.spec.Outputs.existing(of.created.Path)
	if err != nil {
		return err
	}
	defer p.root.Close() // nothing was written through it
	name := p.dir()
	if !folder && !whole {
		name = p.beside(filepath.Base(of.now()))
	}
	switch {
	case whole:
	case folder:
		return syncFolder(p.root, name)
	default:
		return syncFile(p.root, name)
	}
	f, err := p.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() // only synced
	disk, known := diskspace.DiskOf(f)
	if known && disks[disk] {
		return nil
	}
	disks[disk] = known
	return diskspace.Sync(f)
}

// Close removes what was written and is not in place.
func (g *PendingFiles) Close() (err error) {
	for i := range g.files {
		if temporary := g.files[i].temporary; temporary != "" {
			err = errors.Join(err, g.remove(temporary))
		}
	}
	g.files = nil
	return err
}

func (g *PendingFiles) remove(path string) error {
	p, err := g.job.spec.Outputs.existing(path)
	if err != nil {
		return err
	}
	err = p.root.Remove(p.name)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, p.root.Close())
}
