package tableload

import (
	"fmt"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A server that takes short packets only gets short statements, and a row that is
// longer is that line's error.
func TestLoadOnAServerOfShortPackets(t *testing.T) {
	server := testkit.NewMySQLServer(t)
	admin := testkit.Database(t, server.URL())
	if _, err := admin.ExecContext(t.Context(), "SET GLOBAL max_allowed_packet = 65536"); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), server.URL(), db.Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, d)
	_, err = d.Migrate(t.Context())
	testkit.Must(t, err)
	b := &env{New(d), d.Session(t.Context())}
	b.wordTable(t, "words", "number")
	table := b.table(t, "words", DuplicateUpdate, "number")
	var lines []string
	for i := range 500 {
		lines = append(lines, fmt.Sprintf("%d %s", i, strings.Repeat("'", 500)))
	}
	longest := table.rowBytes() - len("(1000,'')")
	lines = append(lines, "1000 "+strings.Repeat("x", longest), "1001 "+strings.Repeat("x", longest+1))
	sec := words(table, 0, lines...)
	for i := range 100 {
		sec.Rejects = append(sec.Rejects, NewRejectedLine(int64(1000+i), strings.Repeat("é", 400), []byte(strings.Repeat("\x00", 3000))))
	}
	counts, err := table.Load(t.Context(), sec)
	if err != nil || counts.Loaded != 501 || counts.Bad != 101 {
		t.Errorf("%+v, %v", counts, err)
	}
	insertFile(t, b)
	rejects, err := b.RejectedLines(t.Context(), 1, tasks.RejectKey{}, 1)
	want := "the row is larger than 63 KiB, which is all that the database accepts at once; raise the server's max_allowed_packet, which is 64 KiB"
	if err != nil || len(rejects) != 1 || rejects[0].Line != 502 || rejects[0].Reason != want {
		t.Errorf("%+v, %v", rejects, err)
	}
}
