package browsertest

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// unreadResults has another name than its method Results, so that both can be embedded.
type unreadResults = api.Results

// manyFiles is a transfer of five million files, of which each request searches a million.
type manyFiles struct {
	web.TransferStore
	unreadResults
	web.Files

	mutex    sync.Mutex
	searched []int64 // behind which file each request began
	down     int     // so many requests fail from file 2,000,000 on
}

const (
	manyID    = "01890000-0000-7000-8000-000000000001"
	manyTotal = 5_000_000
	manyStep  = 1_000_000
	manyFound = 3_500_000 // the only file of its format
)

func (m *manyFiles) Transfer(context.Context, string) (tasks.Transfer, error) {
	return tasks.Transfer{ID: 1, UUID: manyID, Name: "Five million", State: tasks.StateCompleted, Files: manyTotal, Finished: manyTotal}, nil
}

func (m *manyFiles) SearchFiles(_ context.Context, _ int64, s *ledger.FileSearch) (found ledger.FilesFound, err error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.searched = append(m.searched, s.After)
	if m.down > 0 && s.After >= 2_000_000 {
		m.down--
		return found, errors.New("the database is away")
	}
	to := s.After + manyStep
	if s.Value == "fmt/353" && s.After < manyFound && manyFound <= to {
		found.Files = []tasks.File{{No: manyFound, Path: "/in/page.tif", Size: 1}}
	}
	if found.Searched = manyStep; to < manyTotal {
		found.Next = to
	}
	return found, nil
}

// A search that has found nothing yet goes on by itself, until it finds something or has seen
// all files, and says how far it is. A person may go on from there.
func TestAPersonSearchesAllFiles(t *testing.T) {
	t.Parallel()
	m := &manyFiles{}
	server, err := web.New(web.Options{Transfers: m, Results: m, Files: m})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, server)
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	testkit.Background(t, func(ctx context.Context) error { return server.Run(ctx, ln) })
	wantSearched := func(what string, want ...int64) {
		t.Helper()
		m.mutex.Lock()
		defer m.mutex.Unlock()
		if len(m.searched) != len(want) {
			t.Errorf("%s: requests began behind %d, not %d", what, m.searched, want)
		}
		for i := range min(len(want), len(m.searched)) {
			if m.searched[i] != want[i] {
				t.Errorf("%s: requests began behind %d, not %d", what, m.searched, want)
				break
			}
		}
		m.searched = nil
	}
	b := browse(t, "http://"+ln.Addr().String())
	b.look(t, 390, 844, "dark")
	files := "/transfers/" + manyID + "/files"
	b.open(t, files+"?q=puid%3Afmt%2F353")
	b.says(t, "page.tif")
	b.says(t, "searched up to file 4,000,000 of 5,000,000")
	wantSearched("until something is found", 0, 1_000_000, 2_000_000, 3_000_000)
	b.fits(t, "what was found")
	b.picture(t, "search-phone")
	b.clickText(t, "Search on")
	b.says(t, "No file is like this")
	b.says(t, "all 5,000,000 searched")
	wantSearched("from there", 4_000_000)

	b.open(t, files+"?q=puid%3Afmt%2F1")
	b.says(t, "No file is like this")
	b.says(t, "all 5,000,000 searched")
	wantSearched("nothing", 0, 1_000_000, 2_000_000, 3_000_000, 4_000_000)
	b.fits(t, "nothing found")
	if at := b.value(t, "location.pathname + location.search"); !strings.HasSuffix(at, "?q=puid%3Afmt%2F1") {
		t.Errorf("the address is %s, which does not repeat the search", at)
	}

	m.mutex.Lock()
	m.down = 1
	m.mutex.Unlock()
	b.open(t, files+"?q=puid%3Afmt%2F2")
	b.says(t, "all 5,000,000 searched")
	wantSearched("an outage", 0, 1_000_000, 2_000_000, 2_000_000, 3_000_000, 4_000_000)
	b.waits(t, `document.getElementById("away").hidden`)
	b.forget() // a console notes the answer that was an error
}
