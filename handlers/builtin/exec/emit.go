package exec

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/balerhq/baler/handlers"
)

// namesEmit reports whether the command is told the folder of its file.
func (s *spec) namesEmit() bool {
	named := func(word string) bool { return placeEmit(word, "") != word }
	return s.Dir == emitPlace || slices.ContainsFunc(s.Command, named) || slices.ContainsFunc(s.Env, named)
}

// placeEmit puts the folder in the place of {emit} at the beginning of a word, or behind its
// first equals sign: elsewhere it may belong to the name of a file.
func placeEmit(word, folder string) string {
	option, value, ok := strings.Cut(word, "=")
	if rest, found := strings.CutPrefix(word, emitPlace); found {
		return folder + rest
	}
	if rest, found := strings.CutPrefix(value, emitPlace); ok && found {
		return option + "=" + folder + rest
	}
	return word
}

// placeEmit tells the process the folder into which it writes.
func (p *process) placeEmit(folder string) {
	for _, words := range [][]string{p.program.Args, p.program.Env} {
		for i := range words {
			words[i] = placeEmit(words[i], folder)
		}
	}
	if p.spec.Dir == emitPlace {
		p.program.Dir = folder
	}
}

// emit makes the files below a folder, which the command has written for the job's file,
// files of the transfer, in the order of their names. Links and special files are left out.
func emit(ctx context.Context, folder *handlers.FileFolder) error {
	return filepath.WalkDir(folder.Path, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return handlers.RetryLater(handlers.CodeIO, err)
		case !entry.Type().IsRegular():
			return nil
		}
		if err := folder.Emit(path, ""); err != nil {
			return handlers.Fail(CodeBadEmit, fmt.Errorf("%w; emit a folder that the worker may write", err))
		}
		return nil
	})
}
