package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

// CodeTooLargeToCopy says that an object is larger than what this worker copies for programs.
const CodeTooLargeToCopy = "too-large-to-copy"

// DefaultMaxCopy is the size in bytes of the largest object that is copied for programs.
const DefaultMaxCopy = 10 << 30

// LocalPath is where programs find the job's file: its path, or that of the copy that CopyLocally
// has made of an object.
func (j *Job) LocalPath() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.local != "" {
		return j.local
	}
	return j.spec.File.Path
}

// CopyLocally makes sure that the job's file has a path on this host, for programs, by the rules
// of Open. It copies an object into the folder of temporary files, under its own name where a
// file can have it; the caller calls remove when no program needs it any more. For a file it
// copies nothing. An error that is returned as it is ends the file rightly.
func (j *Job) CopyLocally(ctx context.Context) (remove func(), err error) {
	f, err := j.open()
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read from
	if !tasks.IsObject(j.spec.File.Path) {
		return func() {}, nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil, RetryLater(CodeIO, err)
	}
	most := j.MaxCopy()
	if info.Size() > most {
		return nil, Fail(CodeTooLargeToCopy, fmt.Errorf("the program needs a copy of the object on this host, and it has %d bytes; "+
			"the setting worker.max_copy (BALER_WORKER_MAX_COPY) allows %d", info.Size(), most))
	}
	if err := j.sweepCopies(); err != nil {
		return nil, RetryLater(CodeIO, err)
	}
	dir, err := os.MkdirTemp("", "baler-object"+j.prefix()+"*")
	if err != nil {
		return nil, RetryLater(CodeIO, fmt.Errorf("make a folder for the copy of the object: %w", err))
	}
	remove = func() {
		j.setLocal("")
		_ = os.RemoveAll(dir) // the system cleans up what cannot be removed
	}
	path := filepath.Join(dir, localName(j.spec.File.Path))
	if err := j.copyTo(ctx, path, f); err != nil {
		remove()
		return nil, RetryLater(CodeIO, fmt.Errorf("copy %s to this host: %w", j.spec.File.Path, err))
	}
	j.setLocal(path)
	return remove, nil
}

// MaxCopy is the size in bytes of the largest object that CopyLocally copies.
func (j *Job) MaxCopy() int64 {
	if j.spec.MaxCopy > 0 {
		return j.spec.MaxCopy
	}
	return DefaultMaxCopy
}

// Localize replaces the path of an object by that of its copy in the arguments of a program.
func (j *Job) Localize(args []string) []string {
	path, local := j.spec.File.Path, j.LocalPath()
	if path == local {
		return args
	}
	replaced := make([]string, len(args))
	for i, arg := range args {
		replaced[i] = strings.ReplaceAll(arg, path, local)
	}
	return replaced
}

func (j *Job) setLocal(path string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.local = path
}

func (j *Job) copyTo(ctx context.Context, path string, from io.Reader) error {
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	var size int64
	_, err = io.Copy(&progressWriter{ctx, to, j, &size}, from)
	return errors.Join(err, to.Close())
}

// sweepCopies removes what earlier attempts on this host have left.
func (j *Job) sweepCopies() error {
	if j.spec.Attempt <= 1 && !j.spec.RunBefore {
		return nil
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "baler-object"+j.prefix()+"*"))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// localName is the last name of a key, which programs often go by, where a file can have it.
func localName(path string) string {
	const most = 200
	name := tasks.BaseName(path)
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "\x00\n") || name[0] == '-' {
		name = "object" + filepath.Ext(strings.Trim(name, ".\x00\n"))
	}
	if len(name) <= most {
		return name
	}
	ext := filepath.Ext(name)
	if len(ext) > most/2 {
		ext = ""
	}
	cut := most - len(ext)
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + ext
}
