package web

import (
	"context"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/tasks"
)

// Starter makes transfers of folders that a person chooses.
type Starter interface {
	// Submit makes a transfer, as the API does.
	Submit(ctx context.Context, s api.SubmissionRequest) (t tasks.Transfer, created bool, err error)

	// Roots are the folders that may be submitted, absolute.
	Roots() []string

	// Folder lists what a folder within the roots holds, folders first, up to a limit. An
	// error for a path outside of them does not tell whether it exists.
	Folder(ctx context.Context, path string) (Folder, error)

	// Preview says what a submission would register, and registers nothing. It gives up
	// after a while, and then says what it has found until then.
	Preview(ctx context.Context, s api.SubmissionRequest) (SubmissionPreview, error)
}

// Folder is what a folder holds.
type Folder struct {
	Path    string
	Parent  string // empty: it is a root
	Entries []FolderEntry
	More    bool // there are more entries
}

// FolderEntry is a file or folder.
type FolderEntry struct {
	Name, Path string
	Dir        bool
	Size       int64
}

// SubmissionPreview is what a submission would register.
type SubmissionPreview struct {
	Files, Bytes, Problems int64
	Left                   []string // what would be left out, in words
	Warnings               []string // what the recipe needs and the server does not have, in words
	Extensions             []PreviewCount
	Partial                bool // it gave up before the end
}

// PreviewCount counts the files with one extension.
type PreviewCount struct {
	Extension    string // empty: none
	Files, Bytes int64
}
