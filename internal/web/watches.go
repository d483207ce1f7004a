package web

import (
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/watch"
)

// watchItem is a watched folder on the page of the schedules.
type watchItem struct {
	Folder, Name, Recipe, How string // Name is empty when it is that of the folder
	Ended                     bool   // nobody watches
	Seen, SeenStamp           string
	Last, LastStamp, LastPath string // empty: nothing was submitted
	Waiting, Submitted, Moved string
	Problem                   string
}

// watchTTL is how long after its last report a watch counts as ended. It reports every few
// seconds.
const watchTTL = time.Minute

func (p *schedulesPage) watchItemOf(s *watch.FolderActivity) watchItem {
	item := watchItem{
		Folder: visible(s.Folder), Recipe: visible(s.Recipe), How: s.How, Ended: p.opts.Now().Sub(s.SeenAt) > watchTTL,
		Seen: minute(s.SeenAt), SeenStamp: s.SeenAt.UTC().Format(time.RFC3339), LastPath: visible(strings.TrimPrefix(s.LastPath, s.Folder+"/")),
		Waiting: humanize.Comma(int64(s.Waiting)), Submitted: humanize.Comma(s.Submitted), Moved: humanize.Comma(s.Moved),
		Problem: visible(s.Problem),
	}
	if s.Name != s.Folder {
		item.Name = visible(s.Name)
	}
	if !s.LastAt.IsZero() {
		item.Last, item.LastStamp = minute(s.LastAt), s.LastAt.UTC().Format(time.RFC3339)
	}
	return item
}
