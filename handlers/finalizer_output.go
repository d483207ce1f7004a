package handlers

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/balerhq/baler/internal/diskspace"
)

// An output is written beside its destination, under a temporary name that contains the
// run and the attempt of the step. A later attempt removes the temporary files of
// earlier ones, so that an attempt that was only frozen has nothing to rename.

func (c *TransferJob) prefix() string { return ".baler-" + c.spec.ID + "-" }

func (c *TransferJob) temporary() string {
	c.created++
	return fmt.Sprintf("%s%d-%d", c.prefix(), c.spec.FencingToken, c.created)
}

// Create writes a temporary file, and renames it to path when write has returned nil.
// Folders on the way are made. The path must lie below a folder that the worker may
// write (BALER_OUTPUTS). An existing file is replaced if a final step of this transfer,
// or of an earlier run of the same sources and steps, wrote it and it has not changed
// since; anything else stays, and the error says so. A finalizer can return the error
// as it is.
func (c *TransferJob) Create(path string, write func(w io.Writer) error) error {
	digest := sha256.New()
	return c.inPlace(path, func(p *destination, temporary string) error {
		if err := c.replaceableFile(p); err != nil {
			return err
		}
		return WriteNew(p.root, temporary, func(w io.Writer) error { return write(io.MultiWriter(w, digest)) })
	}, func(p *destination, temporary string) error { return c.putFile(p, temporary, digest) })
}

// CreateFolder makes a folder, lets write fill it, and puts it in place with a
// rename when that has returned nil. A folder that is there is replaced when a final
// step of this transfer, or of an earlier run of the same sources and steps, wrote it,
// and ours says that nothing else is in it: between two renames nothing is in the
// place. The path must lie below a folder that the worker may write, as for Create.
func (c *TransferJob) CreateFolder(path string, ours func(there *os.Root) bool, write func(dir *os.Root) error) error {
	return c.inPlace(path, func(p *destination, temporary string) error {
		if err := c.replaceableFolder(p, ours); err != nil {
			return err
		}
		return fillFolder(p.root, temporary, write)
	}, c.putFolder)
}

// CreateFromFolder makes a folder beside path, which fill fills, and writes a file of it
// with pack, such as an archive. The folder is removed, and the file put in place as by Create.
func (c *TransferJob) CreateFromFolder(path string, fill func(dir *os.Root) error, pack func(dir *os.Root, w io.Writer) error) error {
	digest := sha256.New()
	return c.inPlace(path, func(p *destination, temporary string) error {
		if err := c.replaceableFile(p); err != nil {
			return err
		}
		folder := p.beside(c.temporary())
		err := fillFolder(p.root, folder, func(dir *os.Root) error {
			if err := fill(dir); err != nil {
				return err
			}
			return WriteNew(p.root, temporary, func(w io.Writer) error { return pack(dir, io.MultiWriter(w, digest)) })
		})
		if removed := p.root.RemoveAll(folder); removed != nil {
			err = errors.Join(err, WriteFailure(folder, removed))
		}
		return err
	}, func(p *destination, temporary string) error { return c.putFile(p, temporary, digest) })
}

// putFile puts what stands beside a place there, and notes its digest.
func (c *TransferJob) putFile(p *destination, temporary string, digest hash.Hash) error {
	if err := c.note(p.path, hex.EncodeToString(digest.Sum(nil))); err != nil {
		return err
	}
	err := place(p.root, temporary, p.name, false)
	if errors.Is(err, fs.ErrExist) { // an earlier one, or one that another transfer has put there since
		if why := c.replaceableFile(p); why != nil { // the next attempt looks first, and ends for good if it is so still
			return fmt.Errorf("another process has put a file there meanwhile: %s", why.Error())
		}
		err = place(p.root, temporary, p.name, true)
	}
	return errors.Join(err, syncFolder(p.root, p.dir()))
}

// inPlace has something made beside its place and then put there. It removes
// what earlier attempts have left, and what this one leaves when it fails.
func (c *TransferJob) inPlace(path string, prepare, put func(p *destination, temporary string) error) (err error) {
	p, err := c.spec.Outputs.at(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.root.Close()) }()
	if err := c.sweep(p); err != nil {
		return WriteFailure(path, err)
	}
	temporary := p.beside(c.temporary())
	if err := prepare(p, temporary); err != nil {
		return errors.Join(err, p.root.RemoveAll(temporary))
	}
	if err := put(p, temporary); err != nil {
		return errors.Join(WriteFailure(path, err), p.root.RemoveAll(temporary))
	}
	return nil
}

// replaceableFolder reports what keeps a folder from being put in its place.
func (c *TransferJob) replaceableFolder(p *destination, ours func(there *os.Root) bool) error {
	there, err := p.root.OpenRoot(p.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return WriteFailure(p.path, err)
	}
	defer there.Close() // nothing was written
	wrote, err := c.wrote(p.path, folderDigest)
	switch {
	case err != nil:
		return err
	case !wrote:
		return p.occupied("no final step of this transfer, or of an earlier run of the same sources and steps, wrote it")
	case !ours(there):
		return p.occupied("is not as this step wrote it: something in it was added, changed or removed")
	}
	return nil
}

func fillFolder(root *os.Root, name string, write func(dir *os.Root) error) error {
	if err := root.Mkdir(name, 0o755); err != nil {
		return WriteFailure(name, err)
	}
	dir, err := root.OpenRoot(name)
	if err != nil {
		return WriteFailure(name, err)
	}
	return errors.Join(write(dir), dir.Close())
}

// putFolder moves the finished folder to its place, and replaces the one that is there.
func (c *TransferJob) putFolder(p *destination, temporary string) error {
	if err := c.note(p.path, folderDigest); err != nil {
		return err
	}
	former := p.beside(c.temporary())
	err := p.root.Rename(p.name, former)
	replaced := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := p.root.Rename(temporary, p.name); err != nil {
		if replaced {
			err = errors.Join(err, p.root.Rename(former, p.name))
		}
		return err
	}
	return errors.Join(syncFolder(p.root, p.dir()), p.root.RemoveAll(former))
}

// WriteNew writes a file that must not exist yet, and syncs it. It returns the error
// of write as it is.
func WriteNew(root *os.Root, name string, write func(w io.Writer) error) error {
	return writeNew(root, name, true, write)
}

// writeNew writes a file that must not exist yet, and syncs it if told so.
func writeNew(root *os.Root, name string, sync bool, write func(w io.Writer) error) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return WriteFailure(name, err)
	}
	buffer := bufio.NewWriterSize(newFile{f}, 64<<10)
	if err := write(buffer); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := buffer.Flush(); err != nil {
		return errors.Join(err, f.Close())
	}
	if sync {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return WriteFailure(name, err)
	}
	return nil
}

// newFile turns errors of writing into verdicts, so that a full disk is not mistaken for
// damage to what is read.
type newFile struct{ f *os.File }

// Write implements io.Writer.
func (n newFile) Write(b []byte) (int, error) {
	written, err := n.f.Write(b)
	if err != nil {
		err = RetryLater(CodeIO, err) // it names the file
	}
	return written, err
}

// sweep removes what earlier attempts of this run have left beside a place.
func (c *TransferJob) sweep(p *destination) error {
	entries, err := fs.ReadDir(p.root.FS(), p.dir())
	if err != nil {
		return fmt.Errorf("find the remains of earlier attempts: %w", err)
	}
	own := fmt.Sprintf("%s%d-", c.prefix(), c.spec.FencingToken)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), c.prefix()) || strings.HasPrefix(e.Name(), own) {
			continue
		}
		if err := p.root.RemoveAll(p.beside(e.Name())); err != nil {
			return fmt.Errorf("remove what an earlier attempt left: %w", err)
		}
	}
	return nil
}

// syncFile makes a file outlast a loss of power.
func syncFile(root *os.Root, path string) error {
	f, err := root.OpenFile(path, diskspace.SyncAccess, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncFolder makes what was renamed in a folder outlast a loss of power.
func syncFolder(root *os.Root, path string) error {
	f, err := root.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(diskspace.SyncFolder(f), f.Close())
}
