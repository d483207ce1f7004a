package exec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/balerhq/baler/handlers"
)

// emit makes the files below a folder, which the command has written for the job's file,
// files of the transfer, in the order of their names. Links and special files are left out.
func emit(ctx context.Context, job *handlers.Job, folder string) error {
	folder = filepath.Clean(folder)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case path == folder && errors.Is(err, fs.ErrNotExist):
			return nil // the command had nothing to write
		case err != nil:
			return handlers.RetryLater(handlers.CodeIO, err)
		case path == folder && !entry.IsDir():
			return handlers.Fail(CodeBadEmit, fmt.Errorf("emit: %s is not a folder", folder))
		case !entry.Type().IsRegular():
			return nil
		}
		name, err := filepath.Rel(folder, path)
		if err == nil {
			err = job.Emit(handlers.EmittedFile{Path: path, Name: name, Base: folder})
		}
		if err != nil {
			return handlers.Fail(CodeBadEmit, fmt.Errorf("%w; emit a folder that the worker may write", err))
		}
		return nil
	})
	return err
}
