package watch

import (
	"context"
	"time"
)

// Stage is how far an entry has come.
type Stage string

// The states. An entry that was moved away has none.
const (
	Submitting Stage = "submitting" // its transfer is being made, or is not yet noted
	Submitted  Stage = "submitted"  // its transfer goes on
	Moving     Stage = "moving"     // its transfer has ended, and it is being moved to Target
	Ended      Stage = "ended"      // its transfer has ended, and it stays where it is
)

// Item is what the database knows of an entry.
type Item struct {
	Path     string // relative to the watched folder
	Print    string // the fingerprint of what was submitted
	Token    string // random; the key of its transfer is made of it
	Stage    Stage
	Transfer int64  // 0 while it is Submitting
	Target   string // of Moving
}

// FolderActivity is what a watch tells about itself.
type FolderActivity struct {
	Name, Folder, Recipe, Holder string
	How                          string // how it learns of changes
	StartedAt, SeenAt            time.Time
	Waiting                      int // entries that are not submitted yet
	Submitted, Moved             int64
	LastAt                       time.Time // of the last entry that was submitted or moved; zero: none
	LastPath                     string
	Problem                      string // the last one; empty: none
}

// Store keeps the items of watches.
type Store interface {
	// WatchedItems reads the items of some paths.
	WatchedItems(ctx context.Context, watch string, paths []string) (map[string]Item, error)

	// BeginItem writes the item of an entry that is Submitting. It replaces an item of the
	// same path that has a token; with none, there must be no item. It reports false when
	// another process was faster.
	BeginItem(ctx context.Context, watch string, item *Item, replaces string) (bool, error)

	// ChangeItem changes the state, the transfer and the target of an item that has its token
	// and the state from. It reports false when it has not.
	ChangeItem(ctx context.Context, watch string, item *Item, from Stage) (bool, error)

	// DropItem deletes an item that has its token.
	DropItem(ctx context.Context, watch string, item *Item) error

	// DueItems reads a page of the items of a state that something is to be done about: all
	// that are Submitting or Moving, Submitted ones whose transfers have ended, and Ended ones
	// whose transfers were deleted. after is the last path of the page before; empty: the first.
	DueItems(ctx context.Context, watch string, state Stage, after string, limit int) ([]Item, error)

	// SaveWatch notes what a watch tells about itself.
	SaveWatch(ctx context.Context, s *FolderActivity) error

	AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, name, holder string) error
}

// Ending is what became of a transfer.
type Ending struct {
	UUID    string
	Deleted bool // nobody knows how it ended
	Bad     bool // some of its files or final steps failed, or it was canceled
}

// TransferMaker makes the transfers of entries.
type TransferMaker interface {
	// Submit makes the transfer of an entry, or returns the one that the key has made, with all
	// its files registered.
	Submit(ctx context.Context, path, key string) (id int64, uuid string, err error)

	// ByKey returns the transfer that a key has made; 0: none.
	ByKey(ctx context.Context, key string) (id int64, err error)

	// Outcome is that of a transfer that has ended.
	Outcome(ctx context.Context, id int64) (Ending, error)

	// Temporary reports whether an error may go away by itself soon, and concerns no entry.
	Temporary(err error) bool
}

// key is the idempotency key of an item's transfer.
func (i *Item) key() string { return "watch:" + i.Token }
